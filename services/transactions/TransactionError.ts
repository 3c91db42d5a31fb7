/** How a transaction can fail. */
import * as Schema from "effect/Schema"
import * as Outside from "../../src/internal/Outside.js"
import { printable } from "../../src/internal/printable.js"
import { ProgramError } from "../../src/protocol/ProgramError.js"
import * as SafeText from "../../src/SafeText.js"
import * as Signature from "../../src/solana/Signature.js"
import { SignedTransaction } from "../SignedTransaction.js"

/**
 * A transaction did not do what it was to do.
 *
 * - `Simulation`: a node ran it without landing it and it failed. Of what was only simulated (`Transactions.simulate`)
 *   nothing was signed or paid. Of what was sent (`mayHaveLanded`) every endpoint that was asked has refused to forward
 *   it, and a look-up after that did not find it; a balancer that forwards what it refuses makes that false.
 * - `Rejected`: it landed in `slot`, failed there, and paid its fee.
 * - `Expired`: the transaction's lifetime is over (the cluster's block height went past it, or its nonce was used) and a
 *   last look-up did not find it: it cannot land any more, and signing anew cannot do the work twice.
 * - `Unconfirmed`: the caller's deadline came first, or the node could not be asked, or refused to take it (`cause`), or
 *   it is so old that the node's ledger does not reach back to it. It may still land, or have landed: hand `signed` or
 *   this error to `Transactions.resume` to go on with the same bytes.
 * - `Unrecorded`: the journal that was provided could not write it down, so it was not sent.
 * - `Unsent`: the service was closed before it was sent.
 */
export class TransactionError extends printable(
  Schema.TaggedError<TransactionError>("@pod-protocol/effect/TransactionError")("TransactionError", {
    reason: Schema.Literal("Expired", "Rejected", "Simulation", "Unconfirmed", "Unrecorded", "Unsent"),
    /** What went wrong, in one sentence. */
    detail: SafeText.Schema(),
    /** Absent where nothing was signed. */
    signature: Schema.optional(Signature.Schema),
    /** The slot in which it landed or was simulated. */
    slot: Schema.optional(Schema.BigInt),
    /** The runtime's log, empty where the node did not give it. */
    logs: Schema.Array(SafeText.Schema(16 * 1024)),
    /** The program's own refusal, where it was one. `instructionIndex` counts the caller's instructions. */
    programError: Schema.optional(ProgramError),
    /** The cluster's `err`, as JSON. Where the transaction lives by a nonce, its first instruction advances that. */
    err: Schema.optional(Outside.Value),
    /**
     * Whether the bytes may have landed, or may land yet: after `Unconfirmed`, and after a `Simulation` of what was sent,
     * where only nodes' words speak against it. Signing the same work anew may then do it twice; `Transactions.resume`
     * with this error finds out. Absent where they cannot land any more, where nothing was sent, and after `Rejected`.
     */
    mayHaveLanded: Schema.optional(Schema.Boolean),
    /** The transaction itself, once it is signed: what to resume with. */
    signed: Schema.optional(SignedTransaction),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    const what = this.signature === undefined ? "transaction" : `transaction ${this.signature}`
    return `${what}: ${this.programError?.message ?? this.detail}`
  }

  /**
   * Whether the same instructions, signed anew, may succeed without doing their work twice: after `Expired`,
   * `Unrecorded` or `Unsent`, and where what was only simulated bore a blockhash that the node did not know.
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
