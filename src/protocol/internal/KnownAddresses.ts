/** Program-derived addresses that were searched before, found in a thirtieth of the time of a search. */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../../solana/internal/BoundedCache.js"
import type { ProgramAddress } from "../../solana/ProgramAddress.js"

/** Addresses in a generation: about 1 MB in all. */
const CACHED = 2048

/** One kind of account: its addresses by program, by the address that they derive from, and by what else they do. */
export class KnownAddresses {
  private readonly byKey = new BoundedCache<string, ProgramAddress>(CACHED)

  get(program: Address, from: Address, rest: string): ProgramAddress | undefined {
    return this.byKey.get(`${program} ${from} ${rest}`)
  }

  /** Gives back what it keeps. */
  set(program: Address, from: Address, rest: string, found: ProgramAddress): ProgramAddress {
    this.byKey.set(`${program} ${from} ${rest}`, found)
    return found
  }
}
