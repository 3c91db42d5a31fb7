/**
 * Reports the events of a chain to its listener, in the order of a node's notifications: a slot's block is opened, its
 * transactions reach `processed`, it is completed, and later it reaches the other commitments.
 *
 * Invariants: a transaction is reported before the accounts that it wrote. Each reaches each commitment once,
 * `processed` first. An instant block reaches all commitments in one call, after the report of its slot.
 */
import type { Address, Commitment } from "@solana/kit"
import type { ChainListener, SlotUpdate } from "./ChainListener.js"
import type { ChainState, OpenBlock, RecentBlock } from "./ChainState.js"
import type { TransactionRecord } from "./Ledger.js"

const COMMITMENTS: ReadonlyArray<Commitment> = ["processed", "confirmed", "finalized"]

/** The events of one chain. */
export class Events {
  readonly #state: ChainState
  readonly #listener: ChainListener

  constructor(state: ChainState, listener: ChainListener) {
    this.#state = state
    this.#listener = listener
  }

  opened({ slot, parentSlot }: OpenBlock): void {
    this.#update("firstShredReceived", slot)
    this.#update("createdBank", slot, { parent: parentSlot })
  }

  completed({ slot, records }: OpenBlock): void {
    const failed = records.filter(({ outcome }) => outcome.err !== null).length
    this.#update("completed", slot)
    this.#update("frozen", slot, {
      stats: {
        numTransactionEntries: records.length,
        numSuccessfulTransactions: records.length - failed,
        numFailedTransactions: failed,
        maxTransactionsPerEntry: Math.min(1, records.length)
      }
    })
  }

  /** Clients can now read the slot. */
  entered(slot: number, parent: number, root: number): void {
    this.#listener.slotEntered(slot, parent, root)
  }

  confirmed(slot: number): void {
    this.#update("optimisticConfirmation", slot)
  }

  rooted(slot: number): void {
    this.#listener.rooted(slot)
    this.#update("root", slot)
  }

  /** A transaction reached the commitments, and with it the accounts that it wrote. */
  reached(commitments: ReadonlyArray<Commitment>, record: TransactionRecord, written: ReadonlyArray<Address>): void {
    this.#listener.transactionReached(commitments, record)
    for (const address of written) this.#listener.accountReached(commitments, address, record.slot)
  }

  /** A transaction of an instant block reached all commitments. */
  landed(record: TransactionRecord, written: ReadonlyArray<Address>): void {
    this.reached(COMMITMENTS, record, written)
  }

  /** `setAccount` wrote the account. */
  overwritten(address: Address, slot: number): void {
    this.#listener.accountReached(COMMITMENTS, address, slot)
  }

  /** A block of interval mode reached the commitment. */
  blockReached(commitment: "confirmed" | "finalized", block: RecentBlock | undefined): void {
    if (block === undefined) return
    if (commitment === "finalized") this.rooted(block.slot)
    else this.confirmed(block.slot)
    for (const record of block.records) this.#listener.transactionReached([commitment], record)
    for (const address of this.#state.accounts.writtenIn(block.slot)) {
      this.#listener.accountReached([commitment], address, block.slot)
    }
  }

  #update(type: SlotUpdate["type"], slot: number, more?: Pick<SlotUpdate, "parent" | "stats">): void {
    const { time } = this.#state.open ?? this.#state.last
    this.#listener.slotUpdated({ slot, timestamp: Number(time) * 1000, type, ...more })
  }
}
