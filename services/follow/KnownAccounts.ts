/**
 * The accounts that a follower has emitted. A change that both a read and a notification report is emitted once.
 *
 * Invariants:
 * - The versions of one account are emitted in the order of their slots.
 * - A read replaces no version of a later slot, and removes no account that was notified after the slot of the read.
 * - A closed account is kept until a newer read, so that an older read does not bring it back.
 * - A slot that proves false has no effect: accounts and reads with that slot count as of unknown age.
 */
import type { Address, Slot } from "@solana/kit"
import { isFar } from "../internal/falseSlot.js"
import type { AccountInfo } from "../RpcPool.js"
import * as Updates from "./Update.js"
import type { Update } from "./Update.js"

interface Known {
  slot: Slot
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
  /** The slot of the newest read. All accounts are known as of this slot. */
  #floor = -1n
  #newest = -1n

  #bytes = 0

  get size(): number {
    return this.#known.size
  }

  /** The bytes of data of all accounts. */
  get bytes(): number {
    return this.#bytes
  }

  /** The newest slot of a read or a notification; `undefined` before the first. */
  get newest(): Slot | undefined {
    return this.#newest < 0n ? undefined : this.#newest
  }

  /** Records a notification. A notification that is older than the known version gives no update. */
  notified(slot: Slot, account: AccountInfo): ReadonlyArray<Update<AccountInfo>> {
    const before = this.#known.get(account.address)
    if (slot < this.#floor || (before !== undefined && slot < before.slot)) return []
    const repeated = before !== undefined && slot <= (before.slot > this.#floor ? before.slot : this.#floor)
    if (repeated && same(before.account, account)) return []
    return this.#record(slot, account, before)
  }

  /** Records all accounts as they were at a slot. Versions of later slots stay. */
  read(slot: Slot, accounts: ReadonlyArray<AccountInfo>): ReadonlyArray<Update<AccountInfo>> {
    const updates: Array<Update<AccountInfo>> = []
    const found = new Set<Address>()
    for (const account of accounts) {
      found.add(account.address)
      const before = this.#known.get(account.address)
      if (before === undefined || (before.slot <= slot && !same(before.account, account))) {
        updates.push(...this.#record(slot, account, before))
      }
    }
    for (const [address, known] of this.#known) {
      if (found.has(address) || known.slot > slot) continue
      this.#known.delete(address)
      this.#bytes -= known.account.data.length
      if (!isClosed(known.account)) updates.push(Updates.gone(slot, address))
    }
    if (slot > this.#floor) this.#floor = slot
    if (slot > this.#newest) this.#newest = slot
    return updates
  }

  /**
   * Records a read of all accounts at a slot whose notifications have arrived. A change that only the read contains was
   * not notified, and earlier versions may be missing too. So a `Gap` precedes such changes.
   */
  resynced(slot: Slot, accounts: ReadonlyArray<AccountInfo>): ReadonlyArray<Update<AccountInfo>> {
    const from = this.#floor
    if (slot <= from) return []
    const updates = this.read(slot, accounts)
    return updates.length === 0 ? [] : [Updates.gap(from, slot), ...updates]
  }

  /** Discards slots that a cluster at this slot cannot have reached. The next read then decides. */
  takeBack(slot: Slot): void {
    if (isFar(this.#floor, slot)) this.#floor = 0n
    this.#newest = this.#floor
    for (const known of this.#known.values()) {
      if (isFar(known.slot, slot)) known.slot = 0n
      else if (known.slot > this.#newest) this.#newest = known.slot
    }
  }

  #record(slot: Slot, account: AccountInfo, before: Known | undefined): ReadonlyArray<Update<AccountInfo>> {
    if (slot > this.#newest) this.#newest = slot
    this.#known.set(account.address, { slot, account })
    this.#bytes += account.data.length - (before?.account.data.length ?? 0)
    if (!isClosed(account)) return [Updates.value(slot, account)]
    return before === undefined || isClosed(before.account) ? [] : [Updates.gone(slot, account.address)]
  }
}
