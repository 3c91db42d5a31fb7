/**
 * The accounts of one owner, ordered by the bytes of their addresses: the newest ones, and views of older slots.
 *
 * Invariants: a read sorts only the accounts that were written since the last read, and finds their places by bisection.
 * A view of an older slot is made once: its content changes only when an account is overwritten, which drops the views.
 * The newest view changes with each write.
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

interface Keyed {
  readonly key: Uint8Array
}

/** A new state of the account with the key: undefined if the owner has it no more. */
interface Change extends Keyed {
  readonly entry: Entry | undefined
}

const byKey = (left: Keyed, right: Keyed): number => Buffer.compare(left.key, right.key)

/** The first index from `from` on whose key is not less. */
const indexOf = (entries: ReadonlyArray<Entry>, { key }: Keyed, from: number): number => {
  let [low, high] = [from, entries.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && Buffer.compare(entry.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The ordered entries after the changes. It compares only on the way to each change. */
const changedBy = (entries: ReadonlyArray<Entry>, changes: ReadonlyArray<Change>): ReadonlyArray<Entry> => {
  const changed: Array<Entry> = []
  let next = 0
  const copyTo = (end: number): void => {
    for (; next < end; next++) {
      const entry = entries[next]
      if (entry !== undefined) changed.push(entry)
    }
  }
  for (const change of changes.toSorted(byKey)) {
    const index = indexOf(entries, change, next)
    copyTo(index)
    if (change.entry !== undefined) changed.push(change.entry)
    const former = entries[index]
    if (former !== undefined && byKey(former, change) === 0) next++
  }
  copyTo(entries.length)
  return changed
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
    const changes = Array.from(changed, ([address, account]): Change => {
      const entry = account?.owner === this.#owner ? entryOf(address, account) : undefined
      return { key: entry?.key ?? Addresses.toBytes(address), entry }
    })
    const view = changedBy(newest, changes)
    this.#views.set(slot, view)
    return view
  }

  #newest(): ReadonlyArray<Entry> {
    if (this.#changed.size === 0) return this.#sorted
    const changes = Array.from(this.#changed, (address): Change => {
      const entry = this.#entries.get(address)
      return { key: entry?.key ?? Addresses.toBytes(address), entry }
    })
    this.#sorted = changedBy(this.#sorted, changes)
    this.#changed.clear()
    return this.#sorted
  }
}
