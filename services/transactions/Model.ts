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
 * A transaction that landed and succeeded.
 *
 * @since 0.1.0
 * @category models
 */
export interface Receipt {
  readonly signature: Signature
  /** The slot in which it landed. */
  readonly slot: bigint
  /** Lamports paid for it: 5000 a signature, and compute-unit price times limit. */
  readonly fee: bigint
}

/**
 * What a simulated transaction did.
 *
 * @since 0.1.0
 * @category models
 */
export interface Simulation {
  /** The slot at whose state it ran. */
  readonly slot: bigint
  readonly logs: ReadonlyArray<string>
  /** Compute units consumed, where the node says it. */
  readonly units: Option.Option<bigint>
}

/**
 * What the cluster recorded of a landed transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionDetails {
  readonly signature: Signature
  readonly slot: bigint
  /** Seconds since 1970, as estimated by the cluster. */
  readonly blockTime: Option.Option<bigint>
  /** Lamports paid. */
  readonly fee: bigint
  readonly logs: ReadonlyArray<string>
  /** Compute units consumed. */
  readonly units: Option.Option<bigint>
  /** Why it failed: always of reason `Rejected`. */
  readonly error: Option.Option<TransactionError>
}

/**
 * How a simulation is run.
 *
 * @since 0.1.0
 * @category models
 */
export interface SimulateOptions extends CompileOptions {
  /** On which state. Default: the layer's. */
  readonly commitment?: Commitment | undefined
}

/**
 * How a signed transaction is sent and watched.
 *
 * @since 0.1.0
 * @category models
 */
export interface SubmitOptions {
  /**
   * How sure the receipt is. Default: the layer's. `processed` may be undone by a fork; `finalized` takes 32 slots
   * (13 s) longer than `confirmed`.
   */
  readonly commitment?: Commitment | undefined
  /**
   * Whether the node simulates the transaction before it forwards it. Default true. Without it, a transaction that
   * cannot succeed lands and pays, and is `Rejected` instead of `Simulation`. For bytes that were sent before, false.
   */
  readonly preflight?: boolean | undefined
  /**
   * How long the call may take, from its first step: its turn among those in flight, the blockhash, signing, sending and
   * the outcome. What was not sent by then is `RpcError` `Timeout`, or at once the reason why it cannot be sent in time;
   * what was sent is `Unconfirmed`. Of many items, each transaction has this long from its turn on. Default: the layer's,
   * for each time that it may be signed (`retryExpired`). Too low: transactions that land are reported `Unconfirmed`. Too
   * high: a cluster that stands still holds the caller.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * What is called while transactions are sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface SigningObserver {
  /**
   * Called with each transaction after it is signed and before a node gets it, with the accounts that it makes. Only what
   * was given here can land. An exception is a defect of the send.
   */
  readonly onSigned?: ((signed: SignedTransaction, creates: ReadonlyArray<Address>) => void) | undefined
}

/**
 * How a write is tried again.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryOptions {
  /**
   * Whether an earlier process may have sent this already. Default false. With true, the account that it `creates` is
   * looked up first. A transaction that a dead process left in flight is found only with a journal. If the look-up fails
   * (`RpcError`), it is unknown whether that process did the work.
   */
  readonly resend?: boolean | undefined
  /**
   * How often to sign again, with another blockhash or nonce, after `Expired`. It never signs again earlier, so the work
   * is not done twice: a node that does not know the blockhash may lag, and another may have the bytes. Default 0. Too
   * low: transactions that congestion drops fail. Too high: the caller waits, at most a minute and a half each time.
   */
  readonly retryExpired?: number | undefined
}

/**
 * How instructions are compiled, signed, sent and watched.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendOptions extends SignOptions, SubmitOptions, RetryOptions, SigningObserver {
  /**
   * The account that these instructions create, and that no other instructions create. It shows whether their work was
   * done by an unknown transaction. It is looked up before they are signed again, and when they are refused after an
   * unknown outcome. If it exists, the receipt is that of the transaction that created it.
   */
  readonly creates?: Address | undefined
}

/**
 * How compute limits and prices are estimated, for transactions without their own.
 *
 * The limit comes from a simulation, and is kept for transactions with the same programs, instructions and numbers of
 * accounts. Each of them may need up to eight more tries to find the bumps of its addresses, at 1500 units per try, than
 * the simulated one.
 *
 * @since 0.1.0
 * @category models
 */
export interface FeeOptions {
  /**
   * Margin over the simulated units, as a share of them. Default 0.1. Too low: transactions run out of units when
   * accounts grow. Too high: unused units are paid for.
   */
  readonly margin?: number | undefined
  /**
   * The percentile of the prices of the last 150 blocks, for the same accounts, that is paid. Default 75. Too low:
   * transactions wait while blocks are full. Too high: the price follows outliers.
   */
  readonly percentile?: number | undefined
  /** The lowest price of a compute unit, in millionths of a lamport. Default 0. */
  readonly minPrice?: bigint | undefined
  /**
   * The highest price of a compute unit, bumps included, in millionths of a lamport. Default 1,000,000, a lamport a unit.
   * Too low: nothing lands in congestion. Too high: a wrong estimate is expensive.
   */
  readonly maxPrice?: bigint | undefined
  /**
   * The maximum of price times limit, in lamports for each transaction, because both come from one endpoint. A higher
   * product lowers the price. Default 100,000, 20 times the fee of a signature, but not less than the fee at `minPrice`.
   * With a given `maxPrice`, the default is 1,400,000 units at that price. Too low: nothing lands in congestion. Too high:
   * a false answer is expensive.
   */
  readonly maxFee?: bigint | undefined
  /**
   * The factor of the price each time a transaction is signed again. Default 1.5. Too low: it expires again. Too high:
   * `maxPrice` is reached at once.
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
  /** As in {@link RetryOptions}, of this item alone. Default: as the options of all say. */
  readonly resend?: boolean | undefined
  /** The spans of the work that the item is for. They link to the span of its transaction, and it links to them. Default none. */
  readonly spans?: ReadonlyArray<Tracer.AnySpan> | undefined
}

/**
 * How packed transactions are sent: each as {@link SendOptions} say.
 *
 * @since 0.1.0
 * @category models
 */
export interface PackedOptions extends CompileOptions, SubmitOptions, RetryOptions, SigningObserver {
  /**
   * Transactions on their way at the same time. Default 16. Too low: confirmations are waited for one after another. Too
   * high: the endpoint's rate limit is met.
   */
  readonly concurrency?: number | undefined
}

/**
 * Everything that sending instructions can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = InvalidInput | WalletError | RpcError | TransactionError

/**
 * What became of a transaction that a process left behind.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recovered {
  readonly signed: SignedTransaction
  /** The accounts that it makes, where its sender said so. */
  readonly creates: ReadonlyArray<Address>
  readonly outcome: Either.Either<Receipt, RpcError | TransactionError>
}
