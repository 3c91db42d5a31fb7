/** Program-derived addresses that were searched before, found in a thirtieth of the time of a search. */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../../internal/BoundedCache.js"
import type { ProgramAddress } from "../../solana/ProgramAddress.js"

/** Addresses in a generation: about 1 MB in all, for each program. */
const CACHED = 2048

/** An application speaks to one program, a test to a few. */
const PROGRAMS = 4

/** A text that is there already is hashed already. */
const keyOf = (from: Address, rest: string): string => (rest === "" ? from : `${from} ${rest}`)

/** One kind of account: its addresses by program, by the address that they derive from, and by what else they do. */
export class KnownAddresses {
  private readonly byProgram = new BoundedCache<Address, BoundedCache<string, ProgramAddress>>(PROGRAMS)

  get(program: Address, from: Address, rest: string): ProgramAddress | undefined {
    return this.byProgram.get(program)?.get(keyOf(from, rest))
  }

  /** Gives back what it keeps. */
  set(program: Address, from: Address, rest: string, found: ProgramAddress): ProgramAddress {
    let known = this.byProgram.get(program)
    if (known === undefined) {
      known = new BoundedCache(CACHED)
      this.byProgram.set(program, known)
    }
    known.set(keyOf(from, rest), found)
    return found
  }
}
