/**
 * The options of calls to a node.
 *
 * @since 0.1.0
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"

/**
 * The commitment of a read.
 *
 * @since 0.1.0
 * @category models
 */
export interface CommitmentOptions {
  /** Default: the pool's. Too low: the read may see state that is rolled back. Too high: the read sees older state. */
  readonly commitment?: Commitment | undefined
}

/**
 * The commitment of a read, and the oldest slot that may answer it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions extends CommitmentOptions {
  /** A node that has not reached this slot answers with the retryable error -32016. Default: none. */
  readonly minContextSlot?: Slot | undefined
}

/**
 * Options of a read of accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountOptions extends ReadOptions {
  /** The bytes of the data to read. A slice past the end of the data is shorter. Default: all. */
  readonly dataSlice?: { readonly offset: number; readonly length: number } | undefined
}

/**
 * A filter of a program's accounts: the size of the data in bytes, or the bytes (at most 128) at an offset in the data.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountFilter =
  | { readonly dataSize: number }
  | { readonly memcmp: { readonly offset: number; readonly bytes: Uint8Array } }

/**
 * Options of a read of a program's accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramAccountsOptions extends AccountOptions {
  /** At most 4 filters, all of which an account must pass. Default: none. */
  readonly filters?: ReadonlyArray<AccountFilter> | undefined
}

/**
 * A page of an address's history, newest first.
 *
 * @since 0.1.0
 * @category models
 */
export interface HistoryOptions extends ReadOptions {
  /** Starts with the transaction that precedes this one. Default: the newest transaction. */
  readonly before?: Signature | undefined
  /** Stops before this transaction. Default: the oldest transaction. */
  readonly until?: Signature | undefined
  /** Maximum signatures of the page, 1 to 1000. Default: 1000. */
  readonly limit?: number | undefined
}

/**
 * Options of submitting a transaction to a node.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendOptions {
  /** Skips the simulation, which saves its time. A transaction that fails then pays its fee. Default: false. */
  readonly skipPreflight?: boolean | undefined
  /** The commitment of the simulation. Default: the pool's. */
  readonly preflightCommitment?: Commitment | undefined
  /**
   * How often the node resends the transaction. Default: until the blockhash expires. Too low: a dropped transaction
   * does not land. Too high: no effect beyond the default.
   */
  readonly maxRetries?: number | undefined
  /** As in `ReadOptions`. */
  readonly minContextSlot?: Slot | undefined
}

/**
 * Options of a simulation.
 *
 * @since 0.1.0
 * @category models
 */
export interface SimulateOptions extends ReadOptions {
  /** Verifies the signatures. Excludes `replaceRecentBlockhash`. Default: false. */
  readonly sigVerify?: boolean | undefined
  /** Simulates with the newest blockhash instead of the transaction's own. Default: false. */
  readonly replaceRecentBlockhash?: boolean | undefined
  /** Accounts to return in their state after the transaction. Default: none. */
  readonly accounts?: ReadonlyArray<Address> | undefined
}

/**
 * Options of a read of a block.
 *
 * @since 0.1.0
 * @category models
 */
export interface BlockOptions {
  /** `confirmed` or `finalized`. Default: the pool's; `confirmed` if that is `processed`. */
  readonly commitment?: Exclude<Commitment, "processed"> | undefined
  /** Which part of the block's transactions to return. Default: `full`. */
  readonly transactionDetails?: "full" | "signatures" | "none" | undefined
}
