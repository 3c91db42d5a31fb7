/** How a transaction can fail. */
import * as Schema from "effect/Schema"
import * as Outside from "../../src/internal/Outside.js"
import { printable } from "../../src/internal/printable.js"
import { ProgramError } from "../../src/protocol/ProgramError.js"
import * as SafeText from "../../src/SafeText.js"
import * as Signature from "../../src/solana/Signature.js"
import { SignedTransaction } from "../SignedTransaction.js"

/**
 * A transaction did not succeed, or its outcome is unknown.
 *
 * - `Simulation`: it failed in a node's simulation. After `Transactions.simulate`, nothing was signed or paid. After a
 *   send (`mayHaveLanded`), every asked endpoint refused to forward it, and a later look-up did not find it. It may still
 *   land if a load balancer forwarded it in spite of its refusal.
 * - `Rejected`: it landed in `slot`, failed there, and paid its fee.
 * - `Expired`: its lifetime is over, by block height or because its nonce was used, and a last look-up did not find it. It
 *   can no longer land, so signing again cannot do the work twice.
 * - `Unconfirmed`: its outcome is unknown. The caller's deadline came first, the node did not answer or refused it
 *   (`cause`), or it is older than the node's ledger. It may have landed, or may still land. To continue with the same
 *   bytes, pass `signed` or this error to `Transactions.resume`. That call fails so too if the journal could not store
 *   the bytes, or if the service is closed.
 * - `Unrecorded`: the journal could not store it, so it was not sent.
 * - `Unsent`: the service was closed before it was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransactionError extends printable(
  Schema.TaggedError<TransactionError>("@pod-protocol/effect/TransactionError")("TransactionError", {
    reason: Schema.Literal("Expired", "Rejected", "Simulation", "Unconfirmed", "Unrecorded", "Unsent"),
    /** The failure in one sentence. */
    detail: SafeText.Schema(),
    /** Absent if nothing was signed. */
    signature: Schema.optional(Signature.Schema),
    /** The slot in which it landed or was simulated. */
    slot: Schema.optional(Schema.BigInt),
    /** The runtime's log; empty if the node did not return it. */
    logs: Schema.Array(SafeText.Schema(16 * 1024)),
    /** The error of the program, if it is one. `instructionIndex` counts the caller's instructions. */
    programError: Schema.optional(ProgramError),
    /** The cluster's `err`, as JSON. With a durable nonce, the first instruction of the transaction advances it. */
    err: Schema.optional(Outside.Value),
    /**
     * Whether the bytes may have landed, or may still land. That is so after `Unconfirmed`, and after the `Simulation`
     * error of a send, because a node's refusal is no proof. Signing the same work again may then do it twice;
     * `Transactions.resume` with this error determines the outcome. Absent in all other cases.
     */
    mayHaveLanded: Schema.optional(Schema.Boolean),
    /** The signed transaction, for `Transactions.resume`. Absent if nothing was signed. */
    signed: Schema.optional(SignedTransaction),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    const what = this.signature === undefined ? "transaction" : `transaction ${this.signature}`
    return `${what}: ${this.programError?.message ?? this.detail}`
  }

  /**
   * Whether the same instructions, signed again, may succeed without doing their work twice. That is so after `Expired`,
   * `Unrecorded` or `Unsent`. It is also so after a simulation with a blockhash that the node did not know.
   */
  get isRetryable(): boolean {
    switch (this.reason) {
      case "Expired":
      case "Unrecorded":
      case "Unsent":
        return true
      case "Simulation":
        return this.mayHaveLanded !== true && this.err === "BlockhashNotFound"
      case "Rejected":
      case "Unconfirmed":
        return false
    }
  }
}
