/** Passes each account on once. */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../../src/internal/BoundedCache.js"
import type { ProgramAccount } from "../ProgramAccount.js"

/** Addresses that are surely remembered, the last ones: twice what a follower keeps accounts of. */
const MAX_REMEMBERED = 200_000

/** A predicate that is true for the first account at an address, and false for each later one. */
export const make = (max = MAX_REMEMBERED): ((item: ProgramAccount<unknown>) => boolean) => {
  const remembered = new BoundedCache<Address, true>(max)
  return ({ address }) => {
    if (remembered.get(address) === true) return false
    remembered.set(address, true)
    return true
  }
}
