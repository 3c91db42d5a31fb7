/**
 * The events of a chain. The chain calls a listener in the middle of its work, after its state has changed: a listener may
 * read the chain, and must neither write it nor throw.
 */
import type { Address, Commitment } from "@solana/kit"
import type { TransactionRecord } from "./Ledger.js"

/** Receives the chain's events. */
export interface ChainListener {
  readonly slotEntered: (slot: number, parent: number, root: number) => void
  readonly rooted: (slot: number) => void
  readonly transactionReached: (commitments: ReadonlyArray<Commitment>, record: TransactionRecord) => void
  readonly accountReached: (commitments: ReadonlyArray<Commitment>, address: Address, slot: number) => void
  readonly slotUpdated: (update: SlotUpdate) => void
}

/** A step in the life of a slot, as `slotsUpdatesSubscribe` shows it. */
export interface SlotUpdate {
  readonly slot: number
  /** Unix milliseconds. */
  readonly timestamp: number
  readonly type: "firstShredReceived" | "createdBank" | "completed" | "frozen" | "optimisticConfirmation" | "root"
  readonly parent?: number
  readonly stats?: {
    readonly numTransactionEntries: number
    readonly numSuccessfulTransactions: number
    readonly numFailedTransactions: number
    readonly maxTransactionsPerEntry: number
  }
}
