import type { Address } from "@solana/kit"
import type { ProgramAccount } from "../ProgramAccount.js"

/** Addresses that are remembered, the last ones: twice what a follower keeps accounts of. */
const MAX_REMEMBERED = 200_000

/** A predicate that lets each account through once, whatever is told of it later. */
export const make = (max = MAX_REMEMBERED): ((item: ProgramAccount<unknown>) => boolean) => {
  const remembered = new Set<Address>()
  return ({ address }) => {
    if (remembered.has(address)) return false
    remembered.add(address)
    if (remembered.size > max) {
      for (const oldest of remembered) {
        remembered.delete(oldest)
        break
      }
    }
    return true
  }
}
