/**
 * The accounts of one owner, ordered by the bytes of their addresses: the newest ones, and views of older slots.
 *
 * Invariants: a read sorts only the accounts that were added since the last read, and merges them. A view of an older
 * slot is made once: its content changes only when an account is overwritten, which drops the views. The newest view
 * changes with each write.
 */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import type { StoredAccount } from "./StoredAccount.js"

/** An account with its address. */
export interface OwnedAccount {
  readonly address: Address
  readonly account: StoredAccount
}

interface Entry extends OwnedAccount {
  readonly key: Uint8Array
}

const entryOf = (address: Address, account: StoredAccount, key = Addresses.toBytes(address)): Entry => ({
  address,
  account,
  key
})

const byKey = (left: Entry, right: Entry): number => Buffer.compare(left.key, right.key)

/** Merges two ordered lists, without the first list's entries that `isDropped` names. */
const merge = (
  entries: ReadonlyArray<Entry>,
  others: ReadonlyArray<Entry>,
  isDropped: (entry: Entry) => boolean
): Array<Entry> => {
  const merged: Array<Entry> = []
  let next = 0
  for (const entry of entries) {
    for (let other = others[next]; other !== undefined && byKey(other, entry) < 0; other = others[++next]) {
      merged.push(other)
    }
    if (!isDropped(entry)) merged.push(entry)
  }
  for (; next < others.length; next++) {
    const other = others[next]
    if (other !== undefined) merged.push(other)
  }
  return merged
}

/** The accounts of an owner. */
export class OwnedAccounts {
  readonly #owner: Address
  readonly #entries: Map<Address, Entry>
  /** As of the last read. */
  #sorted: ReadonlyArray<Entry>
  /** The addresses that were written or closed since the last read. */
  readonly #changed = new Set<Address>()
  readonly #views = new Map<number, ReadonlyArray<Entry>>()

  constructor(owner: Address, accounts: Iterable<OwnedAccount>) {
    this.#owner = owner
    this.#entries = new Map(
      Array.from(accounts, ({ address, account }) => [address, entryOf(address, account)] as const)
    )
    this.#sorted = Array.from(this.#entries.values()).toSorted(byKey)
  }

  has(address: Address): boolean {
    return this.#entries.has(address)
  }

  set(address: Address, account: StoredAccount): void {
    this.#entries.set(address, entryOf(address, account, this.#entries.get(address)?.key))
    this.#changed.add(address)
  }

  delete(address: Address): void {
    if (this.#entries.delete(address)) this.#changed.add(address)
  }

  /** Drops the views of slots up to this one, by default all. */
  forgetViews(slot = Infinity): void {
    for (const viewed of this.#views.keys()) if (viewed <= slot) this.#views.delete(viewed)
  }

  /**
   * The accounts at the end of the slot. `older` returns the former states of the accounts that a later slot changed;
   * it may include accounts of other owners.
   */
  at(slot: number, older: () => ReadonlyMap<Address, StoredAccount | undefined>): ReadonlyArray<OwnedAccount> {
    const known = this.#views.get(slot)
    if (known !== undefined) return known
    const changed = older()
    const newest = this.#newest()
    if (changed.size === 0) return newest
    const others = Array.from(changed)
      .flatMap(([address, account]) => (account?.owner === this.#owner ? [entryOf(address, account)] : []))
      .toSorted(byKey)
    const view = merge(newest, others, ({ address }) => changed.has(address))
    this.#views.set(slot, view)
    return view
  }

  #newest(): ReadonlyArray<Entry> {
    if (this.#changed.size === 0) return this.#sorted
    const fresh = Array.from(this.#changed)
      .flatMap((address) => this.#entries.get(address) ?? [])
      .toSorted(byKey)
    this.#sorted = merge(this.#sorted, fresh, ({ address }) => this.#changed.has(address))
    this.#changed.clear()
    return this.#sorted
  }
}
