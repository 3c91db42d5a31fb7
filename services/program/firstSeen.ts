/** Recognises accounts that were emitted before. */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../../src/internal/BoundedCache.js"
import type { ProgramAccount } from "../ProgramAccount.js"

/** Minimum number of remembered addresses: twice the accounts that a follower keeps. */
const MAX_REMEMBERED = 200_000

/** Makes a predicate that holds for the first account at an address only. */
export const make = (max = MAX_REMEMBERED): ((item: ProgramAccount<unknown>) => boolean) => {
  const remembered = new BoundedCache<Address, true>(max)
  return ({ address }) => {
    if (remembered.get(address) === true) return false
    remembered.set(address, true)
    return true
  }
}
