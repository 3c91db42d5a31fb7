/** The state of a chain, in one place so that it can be copied. */
import type { Accounts } from "./Accounts.js"
import type { Blockhashes } from "./Blockhashes.js"
import type { Block, Ledger, TransactionRecord } from "./Ledger.js"
import type { Svm } from "./Svm.js"

/** A bank, as a commitment names one: its slot and its block height. */
export interface Bank {
  readonly slot: number
  readonly height: number
}

/** How much happened in a minute. */
export interface PerformanceSample {
  readonly slot: number
  readonly slots: number
  readonly transactions: number
}

/** A block that still takes transactions. */
export interface OpenBlock extends Bank {
  readonly parentSlot: number
  readonly time: bigint
  readonly records: Array<TransactionRecord>
}

/** A block that not every commitment has reached. */
export interface RecentBlock extends Bank {
  readonly records: ReadonlyArray<TransactionRecord>
}

/** What changes as a chain goes on. */
export interface ChainState {
  svm: Svm
  accounts: Accounts
  ledger: Ledger
  blockhashes: Blockhashes
  slotHashes: Uint8Array
  /** The newest complete block. */
  last: Block
  /** The block that takes transactions: always there in interval mode, for one transaction in instant mode. */
  open: OpenBlock | undefined
  /** From the finalized block to the newest, which may be open. Never empty. */
  recent: Array<RecentBlock>
  epochStart: bigint
  /** Milliseconds that the chain was moved ahead of the Clock. */
  aheadMillis: number
  transactionCount: number
  lamports: bigint
  samples: Array<PerformanceSample>
  sampled: { readonly time: bigint; readonly slot: number; readonly transactions: number }
}

/** A copy that goes its own way, over another machine that holds the same accounts. */
export const copyOf = (state: ChainState, svm: Svm): ChainState => {
  const open = state.open === undefined ? undefined : { ...state.open, records: Array.from(state.open.records) }
  return {
    ...state,
    svm,
    accounts: state.accounts.over(svm),
    ledger: state.ledger.copy(),
    blockhashes: state.blockhashes.copy(),
    open,
    recent: state.recent.map((block) => (open !== undefined && block.slot === open.slot ? open : block)),
    samples: Array.from(state.samples)
  }
}
