/**
 * The error for bytes that are not a Solana message or transaction.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"

/**
 * The runtime would not accept the bytes as a message or transaction. `offset` is the position in bytes from the start
 * of the input.
 *
 * - `Truncated`: the bytes end inside a field, or a count exceeds the remaining bytes.
 * - `TrailingBytes`: bytes follow the last field.
 * - `NonCanonicalLength`: a compact length is not in its shortest form or is over 65535.
 * - `UnsupportedVersion`: the message version is neither legacy nor 0.
 * - `InvalidHeader`: the header's counts contradict each other or the number of accounts.
 * - `IndexOutOfRange`: an instruction refers to a missing account, or to a program that cannot be one.
 * - `InvalidLookup`: a table lookup has no account, or the message would load more than 256 accounts.
 * - `SignatureCount`: the number of signatures differs from the number that the message requires.
 * - `TooLarge`: the transaction exceeds 1232 bytes.
 *
 * @since 0.1.0
 * @category errors
 */
export class WireError extends printable(
  Schema.TaggedError<WireError>("@pod-protocol/effect/WireError")("WireError", {
    reason: Schema.Literal(
      "Truncated",
      "TrailingBytes",
      "NonCanonicalLength",
      "UnsupportedVersion",
      "InvalidHeader",
      "IndexOutOfRange",
      "InvalidLookup",
      "SignatureCount",
      "TooLarge"
    ),
    offset: Schema.Number,
    detail: SafeText.Schema()
  })
) {
  /** Always false: the same bytes stay wrong. */
  readonly isRetryable = false

  override get message(): string {
    const todo =
      this.reason === "TooLarge"
        ? "use fewer accounts or instructions"
        : "check that the bytes are one whole transaction"
    return `${this.reason} at byte ${this.offset}: ${this.detail}; ${todo}`
  }
}
