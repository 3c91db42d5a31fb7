/**
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import type { ProgramAccount } from "../ProgramAccount.js"

/**
 * Seconds by which the news of one account may overtake that of an older one: about 300 slots, far more than a fork
 * lives and a node lags.
 */
const WINDOW = 120n

/**
 * A predicate that lets each account through once. Accounts are never unmade, so one that is older than the newest by
 * more than the window was let through before; only the addresses within the window are remembered.
 */
export const make = <A>(createdAt: (account: A) => bigint): ((item: ProgramAccount<A>) => boolean) => {
  const remembered = new Map<Address, bigint>()
  let newest: bigint | undefined
  return ({ account, address }) => {
    const at = createdAt(account)
    if (remembered.has(address) || (newest !== undefined && at < newest - WINDOW)) return false
    remembered.set(address, at)
    if (newest === undefined || at > newest) newest = at
    for (const [oldest, since] of remembered) {
      if (since >= newest - WINDOW) break
      remembered.delete(oldest)
    }
    return true
  }
}
