/**
 * The chain: makes blocks of transactions, by time or by transaction, and answers for each commitment.
 *
 * It is synchronous, and callers pass the time, so no two operations interleave. Invariants: a snapshot shares no mutable
 * state with the chain; the listener is called after the state has changed.
 */
import type { Address, Blockhash, Commitment } from "@solana/kit"
import * as Either from "effect/Either"
import type { Moment } from "../../../services/internal/clock.js"
import { FINALITY_SLOTS } from "../../../src/solana/Limits.js"
import type { Settings } from "../Options.js"
import { Accounts, type LoadedSize } from "./Accounts.js"
import { Blockhashes, type BlockhashEntry } from "./Blockhashes.js"
import type { ChainListener } from "./ChainListener.js"
import {
  type Bank,
  type ChainState,
  copyOf,
  type OpenBlock,
  type PerformanceSample,
  type ShownTime,
  sample
} from "./ChainState.js"
import { Events } from "./Events.js"
import * as Execution from "./Execution.js"
import * as Image from "./Image.js"
import type { Input, TimedInput } from "./Input.js"
import { type Block, Ledger, type TransactionRecord } from "./Ledger.js"
import type { LoadedTransaction } from "./LoadedTransaction.js"
import * as Loaders from "./Loaders.js"
import type { OwnedAccount } from "./OwnedAccounts.js"
import * as ShownSysvars from "./ShownSysvars.js"
import { SlotHashReaders } from "./SlotHashReaders.js"
import type { StoredAccount } from "./StoredAccount.js"
import type { Outcome, Simulation, SvmFactory } from "./Svm.js"
import * as Sysvars from "./Sysvars.js"
import type { TransactionError } from "./TransactionErrors.js"

/** The result of a submitted transaction: its record in a block, or an error that costs no fee. */
export type Submission = Either.Either<TransactionRecord, TransactionError>

const MOVING_SYSVARS = [Sysvars.CLOCK, Sysvars.SLOT_HASHES]

/** A chain's complete state. Only the chain that made it can restore it. */
export interface ChainSnapshot {
  readonly slot: number
  readonly machine: Uint8Array
  readonly state: ChainState
}

/** One chain. */
export class Chain {
  readonly #state: ChainState
  readonly #genesis: Block
  /** The last blockhash given to a client. */
  #given: Blockhash | undefined
  /** Monotonic time of the newest transaction. */
  #now: number

  readonly #machines: SvmFactory
  readonly #events: Events
  #start: Moment
  /** Stores each input before any effect of it is visible. */
  #keep: ((input: Input, nowMillis: number) => void) | undefined
  #isStored = true

  constructor(
    readonly settings: Settings,
    machines: SvmFactory,
    listener: ChainListener,
    start: Moment,
    seed: Uint8Array
  ) {
    this.#machines = machines
    this.#start = start
    this.#now = start.monotonic
    const svm = machines.make(seed)
    const blockhash = svm.blockhash()
    const time = settings.genesisTime ?? BigInt(Math.floor(start.wall / 1000))
    const genesis: Block = {
      slot: 0,
      parentSlot: 0,
      height: 0,
      previousBlockhash: blockhash,
      blockhash,
      time,
      records: []
    }
    this.#genesis = genesis
    this.#state = {
      svm,
      accounts: new Accounts(svm, settings.blockMode === "interval"),
      ledger: new Ledger(settings),
      blockhashes: new Blockhashes(settings.blockhashLifetime),
      slotHashes: new Sysvars.SlotHashes(),
      slotHashReaders: new SlotHashReaders(),
      shownTime: genesis,
      last: genesis,
      open: undefined,
      recent: [genesis],
      epochStart: time,
      aheadMillis: 0,
      transactionCount: 0,
      lamports: 0n,
      samples: [],
      sampled: { time, slot: 0, transactions: 0 }
    }
    this.#events = new Events(this.#state, listener)
    for (const owner of Loaders.GENESIS_OWNERS) {
      const owned = svm.ownedBy(owner).map(({ address }) => address)
      this.#state.accounts.addWritten(owned.toSorted())
    }
    this.#complete(genesis)
    if (settings.blockMode === "interval") this.#enter(start.monotonic, 0)
  }

  // Reading

  get ledger(): Ledger {
    return this.#state.ledger
  }

  get genesisHash(): Blockhash {
    return this.#genesis.blockhash
  }

  get transactionCount(): number {
    return this.#state.transactionCount
  }

  /** All lamports except those of the runtime's own accounts. */
  get lamports(): bigint {
    return this.#state.lamports
  }

  /** Newest first. */
  get samples(): ReadonlyArray<PerformanceSample> {
    return this.#state.samples
  }

  /** Whether all inputs are stored. Otherwise the state is ahead of them and must not be shown. */
  get isStored(): boolean {
    return this.#isStored
  }

  /** The time that the chain shows, in milliseconds since genesis on the Clock, rounded down to a second. */
  get elapsed(): number {
    const { aheadMillis, shownTime } = this.#state
    return Number(shownTime.time - this.#genesis.time) * 1000 - aheadMillis
  }

  bank(commitment: Commitment): Bank {
    const { recent, last } = this.#state
    const newest = recent.at(-1) ?? last
    if (commitment === "processed" || this.settings.blockMode === "instant") return newest
    return (commitment === "confirmed" ? recent.at(-2) : recent[0]) ?? newest
  }

  /** Slots from the newest bank to the bank of the next transaction. */
  get slotsUntilExecution(): number {
    return this.#state.open === undefined ? 1 : 0
  }

  /** The slot of the block that still accepts transactions. */
  get openSlot(): number | undefined {
    return this.#state.open?.slot
  }

  /** The highest commitment that the slot has reached. */
  commitmentOf(slot: number): Commitment {
    if (slot <= this.bank("finalized").slot) return "finalized"
    return slot <= this.bank("confirmed").slot ? "confirmed" : "processed"
  }

  account(address: Address, slot: number): StoredAccount | undefined {
    if (Sysvars.is(address)) ShownSysvars.write(this.#state)
    return this.#state.accounts.at(address, slot)
  }

  /** The lamports of the account. It copies no data out of the machine. */
  balance(address: Address, slot: number): bigint {
    if (Sysvars.is(address)) ShownSysvars.write(this.#state)
    return this.#state.accounts.balanceAt(address, slot)
  }

  /** The bytes that a transaction loads with the account. */
  loadedSize(address: Address, slot: number): LoadedSize | undefined {
    if (Sysvars.is(address)) ShownSysvars.write(this.#state)
    return this.#state.accounts.loadedSizeAt(address, slot)
  }

  ownedBy(owner: Address, slot: number): ReadonlyArray<OwnedAccount> {
    if (owner === Sysvars.OWNER) ShownSysvars.write(this.#state)
    return this.#state.accounts.ownedBy(owner, slot)
  }

  /** The addresses of all accounts that were ever written, including closed ones. */
  get addresses(): Iterable<Address> {
    return this.#state.accounts.addresses
  }

  minimumBalance(space: number): bigint {
    return this.#state.svm.minimumBalance(space)
  }

  /**
   * Call it before giving a client the newest blockhash. In instant mode only transactions make blocks. A client that
   * signed with this blockhash would wait for ever for another one, so a repeated request makes an empty block.
   */
  takeBlockhash(nowMillis: number): void {
    if (this.settings.blockMode === "interval") return
    if (this.#given === this.#state.last.blockhash) this.advance(1, nowMillis)
    this.#given = this.#state.last.blockhash
  }

  latestBlockhash({ slot }: Bank): BlockhashEntry {
    return this.#state.blockhashes.latest(slot) ?? this.#state.last
  }

  isBlockhashValid(blockhash: Blockhash, bank: Bank): boolean {
    return Execution.isRecent(this.#state, blockhash, bank)
  }

  /** Returns the error with which the bank refuses the transaction before execution, if any. */
  refusal(transaction: LoadedTransaction, bank: Bank): TransactionError | undefined {
    return Execution.refusal(this.#state, transaction, bank)
  }

  /** Runs the transaction on the bank's accounts, without a blockhash check, and discards all writes. */
  simulate(transaction: LoadedTransaction, bank: Bank, nowMillis: number, verify: boolean): Simulation {
    return this.#at(transaction, bank, () => {
      ShownSysvars.writeTime(this.#state, this.#executionTime(nowMillis))
      return Execution.run(this.#state, transaction, verify, this.#state.svm.simulate)
    })
  }

  /** Calls `run` with the transaction's accounts as the bank has them. */
  #at<A>(transaction: LoadedTransaction, bank: Bank, run: () => A): A {
    if (bank.slot === this.bank("processed").slot) return run()
    const tables = transaction.message.lookups.map(({ table }) => table)
    return this.#state.accounts.rewound([...transaction.addresses, ...tables], bank.slot, run)
  }

  // Writing

  /** From now on, the chain calls `keep` with each input. `elapsed` is the time since genesis in milliseconds. */
  record(keep: (input: TimedInput) => void, now: Moment, elapsed: number): void {
    const start = now.monotonic - elapsed
    this.#start = { ...this.#start, monotonic: start }
    this.#now = now.monotonic
    this.#keep = (input, nowMillis) => {
      this.#isStored = false
      keep({ elapsed: nowMillis - start, input })
      this.#isStored = true
    }
  }

  /** Executes a transaction in a block: the open block, or a new one in instant mode. */
  submit(transaction: LoadedTransaction, nowMillis: number, verify: boolean): Submission {
    const refusal = this.refusal(transaction, this.bank("processed"))
    return refusal === undefined
      ? Either.mapLeft(this.#land(transaction, nowMillis, { verify, landsFailed: true }), ({ err }) => err)
      : Either.left(refusal)
  }

  /**
   * Executes a transaction that the newest bank does not refuse, and returns its outcome. It lands only if it succeeds:
   * the result of a simulation and a submission, for one execution.
   */
  attempt(transaction: LoadedTransaction, nowMillis: number, verify: boolean): Outcome {
    const landed = this.#land(transaction, nowMillis, { verify, landsFailed: false })
    return Either.merge(landed).outcome
  }

  #land(
    transaction: LoadedTransaction,
    nowMillis: number,
    landing: Execution.Landing
  ): Either.Either<TransactionRecord, Execution.NotLanded> {
    this.#now = nowMillis
    const open = this.#state.open
    const block = open ?? this.#openBlock(nowMillis, 0)
    ShownSysvars.writeTime(this.#state, this.#executionTime(nowMillis))
    const landed = Execution.land(this.#state, transaction, block, landing)
    if (Either.isLeft(landed)) return Either.left(landed.left)
    const { record, written } = landed.right
    // Its signatures are verified now: a replay need not.
    this.#keep?.({ kind: "submit", wire: transaction.wire, verify: false }, nowMillis)
    if (this.settings.blockMode === "interval") {
      this.#events.reached(["processed"], record, written)
      return Either.right(record)
    }
    if (open === undefined) this.#enterOpened(block)
    if (block.records.length >= this.settings.transactionsPerBlock) this.#closeBlock(block)
    this.#state.recent = [this.#state.open ?? this.#state.last]
    if (open === undefined) this.#announceSlot()
    this.#events.landed(record, written)
    return Either.right(record)
  }

  /** Makes empty blocks, as the passing of time does in interval mode. */
  advance(count: number, nowMillis: number): void {
    this.#keep?.({ kind: "advance", count }, nowMillis)
    const blocks = Math.min(count, this.settings.maxBlocks)
    for (let made = 0; made < blocks; made++) this.#enter(nowMillis, made === 0 ? count - blocks : 0)
  }

  /** Moves the Unix time, as far as a number can count milliseconds. */
  advanceTime(wanted: number, nowMillis: number): void {
    const millis = Math.min(wanted, Number.MAX_SAFE_INTEGER - this.#state.aheadMillis)
    this.#keep?.({ kind: "advanceTime", millis }, nowMillis)
    this.#state.aheadMillis += millis
    const { slot } = this.#state.open ?? this.#state.last
    this.#state.shownTime = { slot, time: this.#unixTime(nowMillis) }
  }

  /** Expires all known blockhashes. It raises the height by one lifetime, because blockhashes expire by height. */
  expireBlockhashes(nowMillis: number): void {
    const { blockhashLifetime } = this.settings
    this.#keep?.({ kind: "expireBlockhashes" }, nowMillis)
    this.#enter(nowMillis, blockhashLifetime, blockhashLifetime)
    this.#state.blockhashes.expireBelow(this.#state.last.height)
  }

  /** Writes an account without checks, in the newest bank and at all commitments. Left: the runtime's reason. */
  setAccount(address: Address, account: StoredAccount | undefined): Either.Either<void, string> {
    const { svm, accounts } = this.#state
    const before = svm.account(address)
    const { slot } = this.bank("processed")
    return Either.map(svm.setAccount(address, account), () => {
      this.#keep?.({ kind: "setAccount", address, account }, this.#now)
      this.#state.lamports += (account?.lamports ?? 0n) - (before?.lamports ?? 0n)
      accounts.overwrite(address, account)
      accounts.written(address)
      if (account?.executable === true) this.#state.slotHashReaders.written(address)
      this.#events.overwritten(address, slot)
    })
  }

  addProgram(address: Address, elf: Uint8Array): Either.Either<void, string> {
    return Either.map(this.#state.svm.addProgram(address, elf), () => {
      this.#keep?.({ kind: "addProgram", address, elf }, this.#now)
      this.#state.accounts.writtenUnseen()
      this.#state.slotHashReaders.loaded(address, elf)
    })
  }

  // Snapshots

  snapshot(): ChainSnapshot {
    const { svm } = this.#state
    ShownSysvars.write(this.#state)
    return { slot: this.bank("processed").slot, machine: svm.toBytes(), state: copyOf(this.#state, svm) }
  }

  restore({ machine, state }: ChainSnapshot): void {
    Object.assign(this.#state, copyOf(state, this.#machines.fromBytes(machine)))
  }

  /** The state as bytes. A chain of the same genesis that loads them continues in the same state. */
  image(): Uint8Array {
    ShownSysvars.write(this.#state)
    return Image.encode({ genesis: this.genesisHash, state: this.#state, given: this.#given })
  }

  /** Continues from an image. Returns false if the bytes are not an image of this chain. */
  load(bytes: Uint8Array): boolean {
    const image = Image.decode(bytes, this.settings, this.genesisHash, this.#state, this.#machines.fromBytes)
    if (image === undefined) return false
    this.#given = image.given
    Object.assign(this.#state, image.state)
    return true
  }

  // Making blocks

  #enter(nowMillis: number, skip: number, uncounted = 0): void {
    const { open, recent } = this.#state
    if (open !== undefined) this.#closeBlock(open)
    const entered = this.#openBlock(nowMillis, skip, uncounted)
    if (this.settings.blockMode === "instant") {
      this.#enterOpened(entered)
      this.#closeBlock(entered)
      this.#state.recent = [this.#state.last]
      this.#announceSlot()
      return
    }
    ShownSysvars.write(this.#state)
    for (const sysvar of MOVING_SYSVARS) {
      this.#state.accounts.remember(sysvar, entered.slot, this.#state.svm.account(sysvar))
    }
    this.#enterOpened(entered)
    recent.push(entered)
    const finalizes = recent.length > FINALITY_SLOTS + 1
    if (finalizes) recent.shift()
    this.#announceSlot()
    this.#events.blockReached("confirmed", recent.at(-2))
    if (finalizes) this.#events.blockReached("finalized", recent[0])
    this.#state.accounts.forget(this.bank("finalized").slot)
  }

  /** Opens a block after `skip` empty slots. `uncounted` of these still count in the height. */
  #openBlock(nowMillis: number, skip: number, uncounted = 0): OpenBlock {
    const { last } = this.#state
    const slot = last.slot + 1 + skip
    const time = this.#unixTime(nowMillis)
    if (ShownSysvars.epochOf(slot) !== ShownSysvars.epochOf(last.slot)) this.#state.epochStart = time
    return { slot, height: last.height + 1 + uncounted, parentSlot: last.slot, time, records: [] }
  }

  #enterOpened(block: OpenBlock): void {
    this.#state.open = block
    this.#state.shownTime = block
    this.#events.opened(block)
  }

  #closeBlock(open: OpenBlock): void {
    const previousBlockhash = this.#state.last.blockhash
    this.#complete({ ...open, previousBlockhash, blockhash: this.#state.svm.nextBlockhash() })
    this.#events.completed(open)
  }

  #complete(block: Block): void {
    const state = this.#state
    state.open = undefined
    state.last = block
    state.ledger.addBlock(block)
    state.blockhashes.push(block)
    state.slotHashes.push(block.slot, block.blockhash)
    sample(state, block)
  }

  /** The time of the next transaction. */
  #executionTime(nowMillis: number): ShownTime {
    const { last, open, shownTime } = this.#state
    return open === undefined ? { slot: last.slot + 1, time: this.#unixTime(nowMillis) } : shownTime
  }

  #unixTime(nowMillis: number): bigint {
    const passed = BigInt(Math.floor((nowMillis - this.#start.monotonic + this.#state.aheadMillis) / 1000))
    const time = this.#genesis.time + passed
    return time > this.#state.last.time ? time : this.#state.last.time
  }

  #announceSlot(): void {
    const root = this.bank("finalized").slot
    const { slot, parentSlot } = this.#state.open ?? this.#state.last
    this.#events.entered(slot, parentSlot, root)
    if (this.settings.blockMode === "interval") return
    this.#events.confirmed(slot)
    this.#events.rooted(root)
  }
}
