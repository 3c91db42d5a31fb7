/** Recognises accounts that were emitted before. */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../../src/internal/BoundedCache.js"
import type { ProgramAccount } from "../ProgramAccount.js"

/** Minimum number of remembered addresses: twice the accounts that a follower keeps. */
const MAX_REMEMBERED = 200_000

/** Makes a predicate that holds for the first account at an address only. */
export const make = (max = MAX_REMEMBERED): ((item: ProgramAccount<unknown>) => boolean) => {
  // Made on use: most of many followers wait for their first account.
  let remembered: BoundedCache<Address, true> | undefined
  return ({ address }) => {
    remembered ??= new BoundedCache(max)
    if (remembered.get(address) === true) return false
    remembered.set(address, true)
    return true
  }
}
