/**
 * The mutable state of a chain, in one type so that it can be copied, and written to an image.
 *
 * Invariants: a copy shares only what never changes (records, complete blocks, accounts as they were). `recent` names the
 * open block itself, not a copy, also after a copy: its records go on growing. What is added here is added to `Image` too.
 */
import type { Accounts } from "./Accounts.js"
import type { Blockhashes } from "./Blockhashes.js"
import type { Block, Ledger, TransactionRecord } from "./Ledger.js"
import { SlotHashReaders } from "./SlotHashReaders.js"
import type { Svm } from "./Svm.js"
import * as Sysvars from "./Sysvars.js"

/** A bank: its slot and its block height. */
export interface Bank {
  readonly slot: number
  readonly height: number
}

/** A performance sample: activity within a minute. */
export interface PerformanceSample {
  readonly slot: number
  readonly slots: number
  readonly transactions: number
}

/** A block that still accepts transactions. */
export interface OpenBlock extends Bank {
  readonly parentSlot: number
  readonly time: bigint
  readonly records: Array<TransactionRecord>
}

/** A block that has not reached every commitment. */
export interface RecentBlock extends Bank {
  readonly records: ReadonlyArray<TransactionRecord>
}

/** The time that the machine shows between executions. */
export interface ShownTime {
  readonly slot: number
  /** Unix seconds. */
  readonly time: bigint
}

/** The mutable state of a chain. */
export interface ChainState {
  svm: Svm
  accounts: Accounts
  ledger: Ledger
  blockhashes: Blockhashes
  slotHashes: Sysvars.SlotHashes
  slotHashReaders: SlotHashReaders
  shownTime: ShownTime
  /** The newest complete block. */
  last: Block
  /**
   * The block that accepts transactions: always present in interval mode; in instant mode, present while it has fewer than
   * `transactionsPerBlock`.
   */
  open: OpenBlock | undefined
  /** Blocks from the finalized one to the newest, which may be open. Never empty. */
  recent: Array<RecentBlock>
  epochStart: bigint
  /** Milliseconds by which the chain is ahead of the Clock. */
  aheadMillis: number
  transactionCount: number
  lamports: bigint
  samples: Array<PerformanceSample>
  sampled: { readonly time: bigint; readonly slot: number; readonly transactions: number }
}

/** Returns an independent copy over another machine with the same accounts. */
export const copyOf = (state: ChainState, svm: Svm): ChainState => {
  const open = state.open === undefined ? undefined : { ...state.open, records: Array.from(state.open.records) }
  return {
    ...state,
    svm,
    accounts: state.accounts.over(svm),
    ledger: state.ledger.copy(),
    blockhashes: state.blockhashes.copy(),
    slotHashes: new Sysvars.SlotHashes(state.slotHashes),
    slotHashReaders: new SlotHashReaders(state.slotHashReaders.addresses),
    open,
    recent: state.recent.map((block) => (open !== undefined && block.slot === open.slot ? open : block)),
    samples: Array.from(state.samples)
  }
}

/** Agave takes one performance sample per minute and keeps 720. */
const SAMPLE_SECONDS = 60n
const MAX_SAMPLES = 720

/** Takes a performance sample after the block, if one is due. */
export const sample = (state: ChainState, { slot, time }: Block): void => {
  const { sampled, transactionCount } = state
  if (time - sampled.time < SAMPLE_SECONDS) return
  const newest = { slot, slots: slot - sampled.slot, transactions: transactionCount - sampled.transactions }
  state.samples = [newest, ...state.samples.slice(0, MAX_SAMPLES - 1)]
  state.sampled = { time, slot, transactions: transactionCount }
}
