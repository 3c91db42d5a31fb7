/**
 * What a follower of accounts has been told, so that a read and a notification of the same change are told once.
 */
import type { Address, Slot } from "@solana/kit"
import type { AccountInfo } from "../../rpc/Reply.js"
import type { Update } from "../Update.js"

interface Known {
  readonly slot: Slot
  readonly account: AccountInfo
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

const same = (a: AccountInfo, b: AccountInfo): boolean =>
  a.lamports === b.lamports &&
  a.owner === b.owner &&
  a.executable === b.executable &&
  a.space === b.space &&
  sameBytes(a.data, b.data)

/** A node reports a closed account as one without lamports. */
const isClosed = (account: AccountInfo): boolean => account.lamports === 0n

export class KnownAccounts {
  readonly #known = new Map<Address, Known>()
  /** The slot of the newest read: all accounts are known as of it. */
  #floor = -1n
  #newest = -1n

  get size(): number {
    return this.#known.size
  }

  /** The newest slot that was told of; none before the first. */
  get newest(): Slot | undefined {
    return this.#newest < 0n ? undefined : this.#newest
  }

  /** A notification. Older ones than what is known already are not told. */
  notified(slot: Slot, account: AccountInfo): ReadonlyArray<Update<AccountInfo>> {
    const before = this.#known.get(account.address)
    if (slot < this.#floor || (before !== undefined && slot < before.slot)) return []
    const repeated = before !== undefined && slot <= (before.slot > this.#floor ? before.slot : this.#floor)
    if (repeated && same(before.account, account)) return []
    return this.#tell(slot, account, before)
  }

  /** All accounts as they were at a slot. What is known of later slots stays. */
  read(slot: Slot, accounts: ReadonlyArray<AccountInfo>): ReadonlyArray<Update<AccountInfo>> {
    const updates: Array<Update<AccountInfo>> = []
    const found = new Set<Address>()
    for (const account of accounts) {
      found.add(account.address)
      const before = this.#known.get(account.address)
      if (before === undefined || (before.slot <= slot && !same(before.account, account))) {
        updates.push(...this.#tell(slot, account, before))
      }
    }
    for (const [address, { slot: known }] of this.#known) {
      if (found.has(address) || known > slot) continue
      this.#known.delete(address)
      updates.push({ _tag: "Gone", slot, address })
    }
    if (slot > this.#floor) this.#floor = slot
    if (slot > this.#newest) this.#newest = slot
    return updates
  }

  #tell(slot: Slot, account: AccountInfo, before: Known | undefined): ReadonlyArray<Update<AccountInfo>> {
    if (slot > this.#newest) this.#newest = slot
    if (!isClosed(account)) {
      this.#known.set(account.address, { slot, account })
      return [{ _tag: "Value", slot, value: account }]
    }
    this.#known.delete(account.address)
    return before === undefined ? [] : [{ _tag: "Gone", slot, address: account.address }]
  }
}
