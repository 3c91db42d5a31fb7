/**
 * How a transaction can fail.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ProgramError } from "../../src/protocol/ProgramError.js"
import { withoutBigInts } from "../../src/internal/withoutBigInts.js"
import * as Signature from "../../src/solana/Signature.js"
import { SignedTransaction } from "../SignedTransaction.js"

/**
 * A transaction did not do what it was to do.
 *
 * - `Simulation`: the node ran it without landing it and it failed; nothing was paid.
 * - `Rejected`: it landed in `slot`, failed there, and paid its fee.
 * - `Expired`: the transaction's lifetime is over (the cluster's block height went past it, or its nonce was used) and a
 *   last look-up did not find it: it cannot land any more, and signing anew cannot do the work twice.
 * - `Unconfirmed`: the caller's deadline came first, or the node could not be asked, or it is so old that the node's
 *   ledger does not reach back to it. It may still land, or have landed: hand `signed` or this error to
 *   `Transactions.resume` to go on with the same bytes.
 * - `Unrecorded`: the journal that was provided could not write it down, so it was not sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransactionError extends Schema.TaggedError<TransactionError>("@pod-protocol/effect/TransactionError")(
  "TransactionError",
  {
    reason: Schema.Literal("Expired", "Rejected", "Simulation", "Unconfirmed", "Unrecorded"),
    /** What went wrong, in one sentence. */
    detail: Schema.String,
    /** Absent where nothing was signed. */
    signature: Schema.optional(Signature.Schema),
    /** The slot in which it landed or was simulated. */
    slot: Schema.optional(Schema.BigInt),
    /** The runtime's log, empty where the node did not give it. */
    logs: Schema.Array(Schema.String),
    /** The program's own refusal, where it was one. `instructionIndex` counts the caller's instructions. */
    programError: Schema.optional(ProgramError),
    /** The cluster's `err`, as JSON. Where the transaction lives by a nonce, its first instruction advances that. */
    err: Schema.optional(Schema.Unknown),
    /** The transaction itself, once it is signed: what to resume with. */
    signed: Schema.optional(SignedTransaction),
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    const what = this.signature === undefined ? "transaction" : `transaction ${this.signature}`
    return `${what}: ${this.programError?.message ?? this.detail}`
  }

  /**
   * Whether the same instructions, signed anew, may succeed without doing their work twice: after `Expired` or
   * `Unrecorded`, and where the blockhash was too old or not known yet to the node that simulated.
   */
  get isRetryable(): boolean {
    if (this.reason === "Unrecorded") return true
    return this.reason === "Expired" || (this.reason === "Simulation" && this.err === "BlockhashNotFound")
  }

  override toJSON(): unknown {
    return withoutBigInts({ ...this, message: this.message })
  }
}
