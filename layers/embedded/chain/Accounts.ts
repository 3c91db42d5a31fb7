/**
 * Account states by slot. The machine holds the newest state; this module holds undo records for recent slots and an
 * index by owner.
 *
 * Invariants: a slot's undo record holds the state before the slot's first write; the state at a slot is the oldest
 * undo record of a later slot, or else the newest state. The index contains exactly the machine's accounts of each
 * indexed owner, in their newest state. Sysvars change without a write, so their owner is never indexed. A known size of a
 * program is that of its newest state.
 */
import type { Address } from "@solana/kit"
import * as Loaders from "./Loaders.js"
import { type OwnedAccount, OwnedAccounts } from "./OwnedAccounts.js"
import type { StoredAccount } from "./StoredAccount.js"
import type { Svm } from "./Svm.js"
import * as Sysvars from "./Sysvars.js"

/** Maximum indexed owners. A new owner costs a scan of all accounts and evicts the oldest. */
const INDEXED_OWNERS = 16

/** Maximum programs whose size is known. */
const KNOWN_PROGRAMS = 1000

/** Bytes of an account's data, and of the account with its code if it is an upgradeable program. */
export interface LoadedSize {
  readonly data: number
  readonly code: number | undefined
}

/** The known size of a program, and the account with its code if it is upgradeable. */
interface KnownSize {
  readonly size: LoadedSize
  readonly code: Address | undefined
}

/** By slot: the state of each account that the slot wrote, before the slot. */
export type UndoRecords = ReadonlyMap<number, ReadonlyMap<Address, StoredAccount | undefined>>

/** The parts of the history that are not in the machine. */
export interface AccountParts {
  readonly undo: UndoRecords
  readonly written: Iterable<Address>
}

/** Accounts in the newest slot and in the older slots that a commitment shows. */
export class Accounts {
  /** By slot: the state of each written account before the slot. */
  readonly #before = new Map<number, Map<Address, StoredAccount | undefined>>()
  readonly #owned = new Map<Address, OwnedAccounts>()
  readonly #written = new Set<Address>()
  /** The size of each program that was asked for. Reading it from the machine copies the whole program. */
  readonly #programs = new Map<Address, KnownSize>()
  /** The accounts with the code of these programs. */
  readonly #codes = new Set<Address>()

  constructor(
    readonly svm: Svm,
    /** Whether undo records are kept. The accounts written in the older slots need twice the memory. */
    readonly remembers: boolean
  ) {}

  /** The account at the end of the slot. */
  at(address: Address, slot: number): StoredAccount | undefined {
    const undo = this.#undo(address, slot)
    return undo === undefined ? this.svm.account(address) : undo.get(address)
  }

  /** The lamports of the account at the end of the slot. */
  balanceAt(address: Address, slot: number): bigint {
    const undo = this.#undo(address, slot)
    return undo === undefined ? this.svm.balance(address) : (undo.get(address)?.lamports ?? 0n)
  }

  /** The bytes that a transaction loads with the account at the end of the slot; `undefined` without an account. */
  loadedSizeAt(address: Address, slot: number): LoadedSize | undefined {
    const isNewest = (one: Address | undefined) => one === undefined || this.#undo(one, slot) === undefined
    const known = this.#programs.get(address)
    if (known !== undefined && isNewest(address) && isNewest(known.code)) return known.size
    const account = this.at(address, slot)
    if (account === undefined) return undefined
    const code = Loaders.programDataOf(account)
    const size = {
      data: account.data.length,
      code: code === undefined ? undefined : this.at(code, slot)?.data.length
    }
    if (account.executable && isNewest(address) && isNewest(code)) {
      if (this.#programs.size >= KNOWN_PROGRAMS) this.#forgetPrograms()
      this.#programs.set(address, { size, code })
      if (code !== undefined) this.#codes.add(code)
    }
    return size
  }

  /** The program's accounts at the end of the slot, ordered by the bytes of their addresses. */
  ownedBy(owner: Address, slot: number): ReadonlyArray<OwnedAccount> {
    const newest = this.#index(owner)
    return newest.at(slot, () => {
      const older = new Map<Address, StoredAccount | undefined>()
      for (const [changedIn, accounts] of this.#before) {
        if (changedIn <= slot) continue
        for (const address of accounts.keys()) {
          if (older.has(address)) continue
          const account = this.at(address, slot)
          if (account?.owner === owner || newest.has(address)) older.set(address, account)
        }
      }
      return older
    })
  }

  /** The addresses of all accounts that were ever written, including closed ones. */
  get addresses(): Iterable<Address> {
    return this.#written
  }

  /** Adds accounts that the machine has had from the start. */
  addWritten(addresses: Iterable<Address>): void {
    for (const address of addresses) this.#written.add(address)
  }

  /** The addresses written in the slot. */
  writtenIn(slot: number): Iterable<Address> {
    return this.#before.get(slot)?.keys() ?? []
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
    this.#written.add(address)
    if (this.#programs.has(address) || this.#codes.has(address)) this.#forgetPrograms()
    if (this.#owned.size === 0) return
    const account = this.svm.account(address)
    for (const [program, accounts] of this.#owned) {
      if (account !== undefined && program === account.owner) accounts.set(address, account)
      else accounts.delete(address)
    }
  }

  /** Drops the index. Call it after a write of unknown accounts. */
  writtenUnseen(): void {
    this.#owned.clear()
    this.#forgetPrograms()
  }

  /** Sets the account at all commitments. */
  overwrite(address: Address, account: StoredAccount | undefined): void {
    for (const accounts of this.#before.values()) {
      if (accounts.has(address)) accounts.set(address, account)
    }
    for (const accounts of this.#owned.values()) accounts.forgetViews()
  }

  /** Drops the undo records of slots before the oldest one that a commitment shows. */
  forget(oldest: number): void {
    for (const changedIn of this.#before.keys()) if (changedIn < oldest) this.#before.delete(changedIn)
    for (const accounts of this.#owned.values()) accounts.forgetViews(oldest - 1)
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

  /** The undo records by slot, oldest first. */
  get undoRecords(): UndoRecords {
    return this.#before
  }

  /** Returns a copy over another machine with the same state. */
  over(svm: Svm, { undo = this.#before, written = this.#written }: Partial<AccountParts> = {}): Accounts {
    const copy = new Accounts(svm, this.remembers)
    for (const [slot, accounts] of undo) copy.#before.set(slot, new Map(accounts))
    copy.addWritten(written)
    return copy
  }

  #forgetPrograms(): void {
    this.#programs.clear()
    this.#codes.clear()
  }

  /** The undo records with the account's state at the slot, if a later slot wrote it. */
  #undo(address: Address, slot: number): ReadonlyMap<Address, StoredAccount | undefined> | undefined {
    for (const [changedIn, accounts] of this.#before) {
      if (changedIn > slot && accounts.has(address)) return accounts
    }
    return undefined
  }

  #index(owner: Address): OwnedAccounts {
    const known = this.#owned.get(owner)
    if (known !== undefined) return known
    const accounts = new OwnedAccounts(owner, this.svm.ownedBy(owner))
    if (owner === Sysvars.OWNER) return accounts
    for (const oldest of this.#owned.keys()) {
      if (this.#owned.size < INDEXED_OWNERS) break
      this.#owned.delete(oldest)
    }
    this.#owned.set(owner, accounts)
    return accounts
  }
}
