/** The error of an embedded cluster that cannot start, be served, or load a program. */
import * as Schema from "effect/Schema"
import * as Outside from "../../src/internal/Outside.js"
import { printable } from "../../src/internal/printable.js"
import * as SafeText from "../../src/SafeText.js"

/**
 * The embedded cluster cannot start, be served or load a program.
 *
 * - `LiteSvmMissing`: the optional peer `litesvm` is not installed or has no build for this machine.
 * - `ProgramMissing`: a program file cannot be read.
 * - `ProgramInvalid`: the runtime cannot load the bytes as a program.
 * - `PortTaken`: another process listens on the port.
 * - `Ledger`: the ledger folder cannot be used; `detail` has the reason. The folder is unchanged.
 * - `Listen`: listening on the address failed for another reason.
 *
 * @since 0.1.0
 * @category errors
 */
export class EmbeddedClusterError extends printable(
  Schema.TaggedError<EmbeddedClusterError>("@pod-protocol/effect/EmbeddedClusterError")("EmbeddedClusterError", {
    reason: Schema.Literal("LiteSvmMissing", "ProgramMissing", "ProgramInvalid", "PortTaken", "Ledger", "Listen"),
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `PortTaken`: the other process may release the port. */
  get isRetryable(): boolean {
    return this.reason === "PortTaken"
  }

  override get message(): string {
    return this.detail
  }
}
