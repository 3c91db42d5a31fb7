/**
 * The inputs and results of `Transactions`.
 *
 * @since 0.1.0
 */
import type { Address, Commitment, Instruction, Signature } from "@solana/kit"
import type * as Duration from "effect/Duration"
import type * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { RpcError } from "../RpcTransport.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import type { Service as Wallet, WalletError } from "../Wallet.js"
import type { CompileOptions, SignOptions } from "./compile/UnsignedTransaction.js"
import type { TransactionError } from "./TransactionError.js"

/**
 * The receipt of a transaction that landed and succeeded.
 *
 * @since 0.1.0
 * @category models
 */
export interface Receipt {
  readonly signature: Signature
  /** The slot in which it landed. */
  readonly slot: bigint
  /** Lamports paid: 5000 per signature, plus the price of a compute unit times the limit. */
  readonly fee: bigint
}

/**
 * The result of a successful simulation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Simulation {
  /** The slot whose state it used. */
  readonly slot: bigint
  readonly logs: ReadonlyArray<string>
  /** Compute units consumed. `None` if the node does not report them. */
  readonly units: Option.Option<bigint>
}

/**
 * The cluster's record of a landed transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionDetails {
  readonly signature: Signature
  readonly slot: bigint
  /** Unix seconds, as the cluster estimates them. `None` if the node does not report them. */
  readonly blockTime: Option.Option<bigint>
  /** Lamports paid, as in {@link Receipt}. */
  readonly fee: bigint
  readonly logs: ReadonlyArray<string>
  /** Compute units consumed. `None` if the node does not report them. */
  readonly units: Option.Option<bigint>
  /** The error of a failed transaction, always with reason `Rejected`. `None` if it succeeded. */
  readonly error: Option.Option<TransactionError>
}

/**
 * Options of a simulation.
 *
 * @since 0.1.0
 * @category models
 */
export interface SimulateOptions extends CompileOptions {
  /** The commitment of the state that the simulation uses. Default: the layer's. */
  readonly commitment?: Commitment | undefined
}

/**
 * Options of sending and confirming a signed transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface SubmitOptions {
  /**
   * The commitment that the transaction must reach. Default: the layer's. Too low: a fork may undo a `processed`
   * transaction. Too high: `finalized` takes 32 slots (13 s) longer than `confirmed`.
   */
  readonly commitment?: Commitment | undefined
  /**
   * Whether the node simulates the transaction before it forwards it. Default true; false for bytes that were sent
   * before. Without it, a transaction that cannot succeed lands, pays its fee, and fails with `Rejected` instead of
   * `Simulation`.
   */
  readonly preflight?: boolean | undefined
  /**
   * Maximum duration of the call: waiting for a permit (`maxInFlight`), fetching a blockhash, signing, sending and
   * confirming. If it passes after the send, the call fails with `Unconfirmed`. If it passes before, or a step before
   * the send cannot end in time, the call fails with `RpcError`, mostly `Timeout`. In `sendPacked`, it applies to each
   * transaction, from the start of that transaction. Default: the layer's `timeout` for each possible signing
   * (`retryExpired`). Too low: transactions that land are reported `Unconfirmed`. Too high: a stopped cluster delays the
   * caller.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * Callbacks during a send.
 *
 * @since 0.1.0
 * @category models
 */
export interface SigningObserver {
  /**
   * Called with each signed transaction before any node receives it, and with the addresses of the accounts that it
   * creates. No other transaction of the call can land. An exception is a defect of the send. Default: none.
   */
  readonly onSigned?: ((signed: SignedTransaction, creates: ReadonlyArray<Address>) => void) | undefined
}

/**
 * Options of repeating a write.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryOptions {
  /**
   * Whether an earlier process may have done this write already. Default false. With true, the call first looks up the
   * account that the write `creates`, and returns the receipt of an existing one. Only a `Journal` finds a transaction
   * that another process left in flight. If the look-up fails (`RpcError`), it is unknown whether the write was done.
   */
  readonly resend?: boolean | undefined
  /**
   * How often to sign again, with another blockhash or nonce, after `Expired`. Only `Expired` proves that the earlier
   * bytes can no longer land, so the work is not done twice. Default 0. Too low: transactions that congestion drops fail.
   * Too high: the caller waits long, up to 90 seconds for each signing.
   */
  readonly retryExpired?: number | undefined
}

/**
 * Options of compiling, signing, sending and confirming instructions.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendOptions extends SignOptions, SubmitOptions, RetryOptions, SigningObserver {
  /**
   * The account that only these instructions create. Its existence proves that an earlier transaction did their work.
   * The service looks it up before it signs again, and after a refusal that follows an unknown outcome. If it exists,
   * the call returns the receipt of the transaction that created it. Default: none, so a repeated call does the work
   * again.
   */
  readonly creates?: Address | undefined
}

/**
 * Options of estimating the compute limit and price of transactions that have none.
 *
 * A simulation gives the limit, which is kept for transactions with the same programs, instructions and numbers of
 * accounts. Another transaction may need more tries than the simulated one to find the bumps of its addresses. The
 * limit therefore includes eight more tries for each instruction, at 1500 units per try.
 *
 * @since 0.1.0
 * @category models
 */
export interface FeeOptions {
  /**
   * Margin over the simulated units, as a share of them from 0 to 10. Default 0.1. Too low: transactions run out of
   * units when accounts grow. Too high: transactions pay for unused units.
   */
  readonly margin?: number | undefined
  /**
   * The price to pay, as a percentile (0 to 100) of the prices for the same accounts in the last 150 blocks. Default 75.
   * Too low: transactions wait while blocks are full. Too high: the price follows outliers.
   */
  readonly percentile?: number | undefined
  /**
   * The lowest price of a compute unit, in millionths of a lamport. Default 0. Too low: after quiet blocks, a sudden
   * congestion delays transactions. Too high: each transaction pays more than necessary.
   */
  readonly minPrice?: bigint | undefined
  /**
   * The highest price of a compute unit, bumps included, in millionths of a lamport. Default 1,000,000: one lamport per
   * unit. Too low: transactions do not land during congestion. Too high: a wrong estimate is expensive.
   */
  readonly maxPrice?: bigint | undefined
  /**
   * Maximum fee of the compute units of a transaction (price times limit), in lamports. It bounds the damage of a false
   * estimate, because one endpoint gives both factors. A higher product lowers the price. Default 100,000, 20 times the
   * fee of a signature, but not less than the fee at `minPrice`. With a given `maxPrice`, the default is 1,400,000 units
   * at that price. Too low: transactions do not land during congestion. Too high: a false estimate is expensive.
   */
  readonly maxFee?: bigint | undefined
  /**
   * The factor of the price each time a transaction is signed again, from 1 to 10. Default 1.5. Too low: the transaction
   * expires again. Too high: the second signing already pays `maxPrice`.
   */
  readonly bump?: number | undefined
}

/**
 * Instructions that stay together in one transaction, which may hold others too.
 *
 * @since 0.1.0
 * @category models
 */
export interface PackedItem {
  readonly instructions: ReadonlyArray<Instruction>
  /** As in {@link SendOptions}. */
  readonly creates?: Address | undefined
  /** As in {@link SignOptions}. */
  readonly signers?: ReadonlyArray<Wallet> | undefined
  /** As in {@link RetryOptions}, for this item only. Default: the `resend` of {@link PackedOptions}. */
  readonly resend?: boolean | undefined
  /** Spans of the item's work. They and the span of the transaction link to each other. Default: none. */
  readonly spans?: ReadonlyArray<Tracer.AnySpan> | undefined
}

/**
 * Options of `sendPacked`. They apply to each transaction, as in {@link SendOptions}.
 *
 * @since 0.1.0
 * @category models
 */
export interface PackedOptions extends CompileOptions, SubmitOptions, RetryOptions, SigningObserver {
  /**
   * Maximum transactions of the call in flight. Default 16. Too low: transactions wait for the confirmation of earlier
   * ones. Too high: the call reaches the endpoint's rate limit.
   */
  readonly concurrency?: number | undefined
}

/**
 * The errors of sending instructions.
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = InvalidInput | WalletError | RpcError | TransactionError

/**
 * The outcome of a transaction from the journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recovered {
  readonly signed: SignedTransaction
  /** The accounts that it creates, if its sender named them in `creates`. */
  readonly creates: ReadonlyArray<Address>
  readonly outcome: Either.Either<Receipt, RpcError | TransactionError>
}
