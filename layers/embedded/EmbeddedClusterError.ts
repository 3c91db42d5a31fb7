/** What can go wrong when an embedded cluster starts, is served, or is handed a program. */
import * as Schema from "effect/Schema"
import { printable } from "../../src/internal/printable.js"
import * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"

/**
 * The embedded cluster cannot start, serve or take a program.
 *
 * - `LiteSvmMissing`: the optional peer `litesvm` is not installed or has no build for this machine.
 * - `ProgramMissing`: a program file cannot be read.
 * - `ProgramInvalid`: the bytes are not a program that the runtime loads.
 * - `PortTaken`: somebody else listens on the port.
 * - `Listen`: the address cannot be listened on for another reason.
 */
export class EmbeddedClusterError extends printable(
  Schema.TaggedError<EmbeddedClusterError>("@pod-protocol/effect/EmbeddedClusterError")("EmbeddedClusterError", {
    reason: Schema.Literal("LiteSvmMissing", "ProgramMissing", "ProgramInvalid", "PortTaken", "Listen"),
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True where waiting can help: another process may give the port back. */
  get isRetryable(): boolean {
    return this.reason === "PortTaken"
  }

  override get message(): string {
    return this.detail
  }
}
