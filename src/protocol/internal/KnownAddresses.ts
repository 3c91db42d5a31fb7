/** A cache of program-derived addresses. A hit takes a thirtieth of the time of a search. */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../../internal/BoundedCache.js"
import type { ProgramAddress } from "../../solana/ProgramAddress.js"

/** Addresses in one generation: about 1 MB for both, for each program. */
const CACHED = 2048

/** Programs in one generation. An application uses one program, a test a few. */
const PROGRAMS = 4

/** The cache key. An address without a rest is its own key, because the engine has already hashed the string. */
const keyOf = (from: Address, rest: string): string => (rest === "" ? from : `${from} ${rest}`)

/** The addresses of one account type, by program, by the address from which they derive, and by their other seeds. */
export class KnownAddresses {
  private readonly byProgram = new BoundedCache<Address, BoundedCache<string, ProgramAddress>>(PROGRAMS)

  /** Approximate number of addresses: an address in use may be counted twice. */
  get size(): number {
    let size = 0
    for (const known of this.byProgram.values()) size += known.size
    return size
  }

  clear(): void {
    this.byProgram.clear()
  }

  get(program: Address, from: Address, rest: string): ProgramAddress | undefined {
    return this.byProgram.get(program)?.get(keyOf(from, rest))
  }

  /** Stores the address and returns it. */
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
