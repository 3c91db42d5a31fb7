/**
 * Why bytes are no Solana message or transaction.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"

/**
 * The bytes are not what the runtime would accept as a message or transaction. `offset` is where, in bytes from the
 * start of the input.
 *
 * - `Truncated`: the bytes end inside a field, or a count promises more than there are bytes.
 * - `TrailingBytes`: bytes are left over after the last field.
 * - `NonCanonicalLength`: a compact length is not in its shortest form or is over 65535.
 * - `UnsupportedVersion`: the message version is neither legacy nor 0.
 * - `InvalidHeader`: the header's counts contradict each other or the number of accounts.
 * - `IndexOutOfRange`: an instruction names an account that is not there, or a program that can not be one.
 * - `InvalidLookup`: a table lookup takes nothing, or the message would load more than 256 accounts.
 * - `SignatureCount`: there are not as many signatures as the message requires.
 * - `TooLarge`: the transaction is over 1232 bytes.
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
    return `${this.reason} at byte ${this.offset}: ${this.detail}`
  }
}
