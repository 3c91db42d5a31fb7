/**
 * Account states by slot. The machine holds the newest state; this module holds undo records for recent slots and an
 * index by owner.
 *
 * Invariants: a slot's undo record holds the state before the slot's first write; the state at a slot is the oldest
 * undo record of a later slot, or else the newest state. The index contains exactly the machine's accounts of each
 * indexed owner.
 */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import type { StoredAccount, Svm } from "./Svm.js"

/** Maximum indexed owners. A new owner costs a scan of all accounts and evicts the oldest. */
const INDEXED_OWNERS = 16

/** Accounts in the newest slot and up to `depth` slots back. */
export class Accounts {
  /** By slot: the state of each written account before the slot. */
  readonly #before = new Map<number, Map<Address, StoredAccount | undefined>>()
  readonly #owned = new Map<Address, Set<Address>>()

  readonly #depth: number

  constructor(
    readonly svm: Svm,
    /** Slots of history, 0 for none. The accounts written in them take their memory twice. */
    depth: number
  ) {
    this.#depth = depth
  }

  /** The account at the end of the slot. */
  at(address: Address, slot: number): StoredAccount | undefined {
    const undo = this.#undo(address, slot)
    return undo === undefined ? this.svm.account(address) : undo.get(address)
  }

  /** The program's accounts at the end of the slot, ordered by the bytes of their addresses. */
  ownedBy(owner: Address, slot: number): ReadonlyArray<readonly [Address, StoredAccount]> {
    const addresses = new Set(this.#index(owner))
    for (const [changedIn, accounts] of this.#before) {
      if (changedIn > slot) for (const address of accounts.keys()) addresses.add(address)
    }
    const owned: Array<readonly [Address, StoredAccount]> = []
    for (const address of addresses) {
      const account = this.at(address, slot)
      if (account?.owner === owner) owned.push([address, account])
    }
    return owned.toSorted(([left], [right]) => compare(Addresses.toBytes(left), Addresses.toBytes(right)))
  }

  /** The addresses written in the slot. */
  writtenIn(slot: number): Iterable<Address> {
    return this.#before.get(slot)?.keys() ?? []
  }

  /** Whether undo records are kept. */
  get remembers(): boolean {
    return this.#depth > 0
  }

  /** Records the account's state before the slot wrote it. Only the first record of a slot counts. */
  remember(address: Address, slot: number, account: StoredAccount | undefined): void {
    if (!this.remembers) return
    const accounts = this.#before.get(slot) ?? new Map<Address, StoredAccount | undefined>()
    this.#before.set(slot, accounts)
    if (!accounts.has(address)) accounts.set(address, account)
  }

  /** Updates the index. Call it after writing the account. */
  written(address: Address): void {
    if (this.#owned.size === 0) return
    const owner = this.svm.account(address)?.owner
    for (const [program, addresses] of this.#owned) {
      if (program === owner) addresses.add(address)
      else addresses.delete(address)
    }
  }

  /** Drops the index. Call it after writing unknown accounts. */
  writtenUnseen(): void {
    this.#owned.clear()
  }

  /** Sets the account at all commitments. */
  overwrite(address: Address, account: StoredAccount | undefined): void {
    for (const accounts of this.#before.values()) {
      if (accounts.has(address)) accounts.set(address, account)
    }
  }

  /** Drops the undo records of slots that are too old for any commitment. */
  forget(slot: number): void {
    for (const changedIn of this.#before.keys()) {
      if (changedIn <= slot - this.#depth) this.#before.delete(changedIn)
    }
  }

  /**
   * Runs `use` with these accounts as at the end of the slot, then restores the newest state. Programs keep their
   * newest state.
   */
  rewound<A>(addresses: Iterable<Address>, slot: number, use: () => A): A {
    const newest = new Map<Address, StoredAccount | undefined>()
    for (const address of addresses) {
      const undo = this.#undo(address, slot)
      if (undo === undefined || newest.has(address)) continue
      const [now, older] = [this.svm.account(address), undo.get(address)]
      if (now?.executable === true || older?.executable === true) continue
      newest.set(address, now)
      this.svm.setAccount(address, older)
    }
    const result = use()
    for (const [address, account] of newest) this.svm.setAccount(address, account)
    return result
  }

  /** Returns a copy over another machine with the same state. */
  over(svm: Svm): Accounts {
    const copy = new Accounts(svm, this.#depth)
    for (const [slot, accounts] of this.#before) copy.#before.set(slot, new Map(accounts))
    return copy
  }

  /** The undo records with the account's state at the slot, if a later slot wrote it. */
  #undo(address: Address, slot: number): ReadonlyMap<Address, StoredAccount | undefined> | undefined {
    for (const [changedIn, accounts] of this.#before) {
      if (changedIn > slot && accounts.has(address)) return accounts
    }
    return undefined
  }

  #index(owner: Address): ReadonlySet<Address> {
    const known = this.#owned.get(owner)
    if (known !== undefined) return known
    for (const oldest of this.#owned.keys()) {
      if (this.#owned.size < INDEXED_OWNERS) break
      this.#owned.delete(oldest)
    }
    const addresses = new Set(this.svm.ownedBy(owner))
    this.#owned.set(owner, addresses)
    return addresses
  }
}

const compare = (left: Uint8Array, right: Uint8Array): number => {
  for (let index = 0; index < left.length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
