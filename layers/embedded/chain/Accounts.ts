/**
 * Accounts as the chain's commitments see them: the machine holds the newest state, this holds what undoes the newest
 * slots, and who owns what.
 */
import type { Address } from "@solana/kit"
import * as Address_ from "../../../src/solana/Address.js"
import type { StoredAccount, Svm } from "./Svm.js"

/** Owners whose accounts are indexed. A new one costs a scan of all accounts and pushes the oldest out. */
const INDEXED_OWNERS = 16

/** Accounts now and up to `depth` slots ago. */
export class Accounts {
  /** By slot: accounts that it wrote, as they were before it. */
  private readonly before = new Map<number, Map<Address, StoredAccount | undefined>>()
  private readonly owned = new Map<Address, Set<Address>>()

  constructor(
    readonly svm: Svm,
    /** Slots that can be looked back, 0 for none. What they wrote is held in memory twice. */
    private readonly depth: number
  ) {}

  /** The account as it was at the end of the slot. */
  at(address: Address, slot: number): StoredAccount | undefined {
    const undo = this.undo(address, slot)
    return undo === undefined ? this.svm.account(address) : undo.get(address)
  }

  /** What the program owned at the end of the slot, in the order of the addresses' bytes. */
  ownedBy(owner: Address, slot: number): ReadonlyArray<readonly [Address, StoredAccount]> {
    const addresses = new Set(this.index(owner))
    for (const [changedIn, accounts] of this.before) {
      if (changedIn > slot) for (const address of accounts.keys()) addresses.add(address)
    }
    const owned: Array<readonly [Address, StoredAccount]> = []
    for (const address of addresses) {
      const account = this.at(address, slot)
      if (account?.owner === owner) owned.push([address, account])
    }
    return owned.toSorted(([left], [right]) => compare(Address_.toBytes(left), Address_.toBytes(right)))
  }

  /** Addresses that the slot wrote. */
  writtenIn(slot: number): Iterable<Address> {
    return this.before.get(slot)?.keys() ?? []
  }

  /** Whether what a slot overwrites has to be remembered at all. */
  get remembers(): boolean {
    return this.depth > 0
  }

  /** Notes what the account was before the slot wrote it. The first note of a slot counts. */
  remember(address: Address, slot: number, account: StoredAccount | undefined): void {
    if (!this.remembers) return
    const accounts = this.before.get(slot) ?? new Map<Address, StoredAccount | undefined>()
    this.before.set(slot, accounts)
    if (!accounts.has(address)) accounts.set(address, account)
  }

  /** To be called after the account was written. */
  written(address: Address): void {
    if (this.owned.size === 0) return
    const owner = this.svm.account(address)?.owner
    for (const [program, addresses] of this.owned) {
      if (program === owner) addresses.add(address)
      else addresses.delete(address)
    }
  }

  /** To be called after accounts were written that nobody named. */
  writtenUnseen(): void {
    this.owned.clear()
  }

  /** Makes the account the same at all commitments. */
  overwrite(address: Address, account: StoredAccount | undefined): void {
    for (const accounts of this.before.values()) {
      if (accounts.has(address)) accounts.set(address, account)
    }
  }

  /** Forgets how to undo slots that are too old for any commitment. */
  forget(slot: number): void {
    for (const changedIn of this.before.keys()) {
      if (changedIn <= slot - this.depth) this.before.delete(changedIn)
    }
  }

  /**
   * Does something with these accounts as they were at the end of the slot, and puts the newest state back. Programs
   * stay the newest.
   */
  rewound<A>(addresses: Iterable<Address>, slot: number, use: () => A): A {
    const newest = new Map<Address, StoredAccount | undefined>()
    for (const address of addresses) {
      const undo = this.undo(address, slot)
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

  /** A copy over another machine that holds the same state. */
  over(svm: Svm): Accounts {
    const copy = new Accounts(svm, this.depth)
    for (const [slot, accounts] of this.before) copy.before.set(slot, new Map(accounts))
    return copy
  }

  /** What to undo the account with, if a slot after this one wrote it. */
  private undo(address: Address, slot: number): ReadonlyMap<Address, StoredAccount | undefined> | undefined {
    for (const [changedIn, accounts] of this.before) {
      if (changedIn > slot && accounts.has(address)) return accounts
    }
    return undefined
  }

  private index(owner: Address): ReadonlySet<Address> {
    const known = this.owned.get(owner)
    if (known !== undefined) return known
    for (const oldest of this.owned.keys()) {
      if (this.owned.size < INDEXED_OWNERS) break
      this.owned.delete(oldest)
    }
    const addresses = new Set(this.svm.ownedBy(owner))
    this.owned.set(owner, addresses)
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
