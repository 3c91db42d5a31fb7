/**
 * Instructions in, receipts out: compiles, signs, submits and confirms.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Commitment, Instruction, Signature } from "@solana/kit"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { RpcError } from "./RpcTransport.js"
import type { SignedTransaction } from "./transactions/SignedTransaction.js"
import type { TransactionError } from "./transactions/TransactionError.js"
import type { Wallet, WalletError } from "./Wallet.js"

export { BlockhashLifetime, SignedTransaction } from "./transactions/SignedTransaction.js"
export { TransactionError } from "./transactions/TransactionError.js"

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
  /** Compute units consumed. */
  readonly units: bigint
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
 * How a transaction is compiled and signed.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignOptions {
  /** Version of the message. Default 0; `"legacy"` for signers that know no other. */
  readonly version?: "legacy" | 0
  /**
   * Compute units that the transaction may consume, 1 … 1,400,000. Default: the cluster's, 200,000 for each
   * instruction. Too low: it fails having paid its fee. Too high: it pays for units that it does not use where a price
   * is set, and is scheduled later.
   */
  readonly computeUnitLimit?: number
  /**
   * Price of a compute unit, in millionths of a lamport (u64). Default 0. It needs a limit, since the fee is their
   * product. Too low: the transaction waits or expires when blocks are full. Too high: it costs what it says.
   */
  readonly computeUnitPrice?: bigint
  /** Who pays the fee, where it is not the `Wallet`. The `Wallet` then signs only what an instruction asks for. */
  readonly feePayer?: Wallet["Type"]
  /** Further signers that the instructions name, e.g. the key of an account to be made. At most 11. */
  readonly signers?: ReadonlyArray<Wallet["Type"]>
}

/**
 * How a signed transaction is sent and watched.
 *
 * @since 0.1.0
 * @category models
 */
export interface SubmitOptions {
  /**
   * How sure the receipt is. Default: the layer's. `processed` may be undone by a fork, `finalized` takes 32 slots
   * (13 s) longer than `confirmed`.
   */
  readonly commitment?: Commitment
  /**
   * Whether the node simulates the transaction before it forwards it. Default true. Without it a transaction that
   * cannot succeed lands and pays, and is reported `Rejected` instead of `Simulation`.
   */
  readonly preflight?: boolean
  /**
   * How long to wait for the outcome, from the start of sending. Default: the layer's. Too low: transactions that land
   * are reported `Unconfirmed`. Too high: a cluster that stands still holds the caller.
   */
  readonly timeout?: Duration.DurationInput
}

/**
 * @since 0.1.0
 * @category models
 */
export interface SendOptions extends SignOptions, SubmitOptions {}

/**
 * Everything that sending instructions can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type SendError = InvalidInput | WalletError | RpcError | TransactionError

/**
 * Sends transactions and says truly what became of them.
 *
 * @since 0.1.0
 * @category tags
 */
export class Transactions extends Context.Tag("@pod-protocol/effect/Transactions")<
  Transactions,
  {
    /**
     * Signs and submits. What breaks a rule of the wire (no instruction, a signer missing, named twice or not needed,
     * more than 1232 bytes) is `InvalidInput` before any I/O.
     */
    readonly send: (
      instructions: ReadonlyArray<Instruction>,
      options?: SendOptions
    ) => Effect.Effect<Receipt, SendError, Wallet>
    /** Compiles and signs with a recent blockhash; sends nothing. */
    readonly sign: (
      instructions: ReadonlyArray<Instruction>,
      options?: SignOptions
    ) => Effect.Effect<SignedTransaction, InvalidInput | WalletError | RpcError, Wallet>
    /**
     * Sends signed bytes and waits for their outcome. Submitting the same bytes again is safe: they land once, and the
     * second caller gets the receipt of the first.
     */
    readonly submit: (
      signed: SignedTransaction,
      options?: SubmitOptions
    ) => Effect.Effect<Receipt, RpcError | TransactionError>
    /** Runs the instructions on the node's state; signs, sends and pays nothing. */
    readonly simulate: (
      instructions: ReadonlyArray<Instruction>,
      options?: Omit<SignOptions, "signers"> & Pick<SubmitOptions, "commitment">
    ) => Effect.Effect<Simulation, InvalidInput | RpcError | TransactionError, Wallet>
    /** What the cluster recorded; `None` where it does not know the signature. */
    readonly details: (signature: Signature) => Effect.Effect<Option.Option<TransactionDetails>, RpcError>
  }
>() {}
