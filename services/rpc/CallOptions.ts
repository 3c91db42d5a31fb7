/**
 * What a caller can ask of a call.
 *
 * @since 0.1.0
 */
import type { Address, Commitment, Signature, Slot } from "@solana/kit"

/**
 * Which bank answers.
 *
 * @since 0.1.0
 * @category models
 */
export interface CommitmentOptions {
  /** Default: the pool's. Lower is fresher, higher is surer. */
  readonly commitment?: Commitment | undefined
}

/**
 * Which bank answers, and how old it may be.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions extends CommitmentOptions {
  /** A node that has not reached this slot answers with an error (-32016, retryable). Default: none. */
  readonly minContextSlot?: Slot | undefined
}

/**
 * A read of accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountOptions extends ReadOptions {
  /** Only these bytes of the data; past its end the slice is shorter. Default: all. */
  readonly dataSlice?: { readonly offset: number; readonly length: number } | undefined
}

/**
 * Which accounts of a program: those whose data has this size in bytes, or holds these bytes (≤ 128) at this offset.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountFilter =
  | { readonly dataSize: number }
  | { readonly memcmp: { readonly offset: number; readonly bytes: Uint8Array } }

/**
 * A read of a program's accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramAccountsOptions extends AccountOptions {
  /** All must hold (at most 4). Default: none. */
  readonly filters?: ReadonlyArray<AccountFilter> | undefined
}

/**
 * A page of an address's history, newest first.
 *
 * @since 0.1.0
 * @category models
 */
export interface HistoryOptions extends ReadOptions {
  /** Start behind this one. Default: the newest. */
  readonly before?: Signature | undefined
  /** Stop before this one. Default: the oldest. */
  readonly until?: Signature | undefined
  /** 1 to 1000 signatures. Default: 1000. */
  readonly limit?: number | undefined
}

/**
 * How a node takes a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendOptions {
  /** Do not simulate first: faster by a simulation, but a transaction that must fail pays its fee. Default: false. */
  readonly skipPreflight?: boolean | undefined
  /** The bank that simulates. Default: the pool's commitment. */
  readonly preflightCommitment?: Commitment | undefined
  /** How often the node itself sends again. Default: until the blockhash expires. */
  readonly maxRetries?: number | undefined
  /** As in `ReadOptions`. */
  readonly minContextSlot?: Slot | undefined
}

/**
 * How a transaction is simulated.
 *
 * @since 0.1.0
 * @category models
 */
export interface SimulateOptions extends ReadOptions {
  /** Check signatures; not together with `replaceRecentBlockhash`. Default: false. */
  readonly sigVerify?: boolean | undefined
  /** Run with the newest blockhash instead of the transaction's own. Default: false. */
  readonly replaceRecentBlockhash?: boolean | undefined
  /** Accounts to answer with, as they would be after it. Default: none. */
  readonly accounts?: ReadonlyArray<Address> | undefined
}

/**
 * A read of a block.
 *
 * @since 0.1.0
 * @category models
 */
export interface BlockOptions {
  /** `confirmed` or `finalized`. Default: the pool's, where it is not `processed`; else `confirmed`. */
  readonly commitment?: Exclude<Commitment, "processed"> | undefined
  /** What of its transactions. Default: `full`. */
  readonly transactionDetails?: "full" | "signatures" | "none" | undefined
}
