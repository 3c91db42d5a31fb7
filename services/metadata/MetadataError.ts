import * as Schema from "effect/Schema"
import { printable } from "../../src/internal/printable.js"
import * as SafeText from "../../src/SafeText.js"

/**
 * An agent's metadata could not be read. The error shows the host of the URI, never its path or query.
 *
 * - `Uri`: the URI, or that of a redirect, may not be fetched, because of its scheme, credentials or characters.
 * - `Address`: the host is or resolves to an address of this machine or of a private network. Nothing was sent to it.
 * - `Redirect`: more redirects than `maxRedirects`, or a redirect without a target.
 * - `Status`: the server answered with a status other than 200.
 * - `ContentType`: the `content-type` is not a type of JSON.
 * - `TooLarge`: the document exceeds `maxBytes`.
 * - `Json`: the body is not JSON in UTF-8, or is nested too deeply.
 * - `Schema`: the JSON does not match the schema; `detail` names the field.
 * - `Timeout`: the document did not arrive within `timeout`.
 * - `Unavailable`: the connection failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class MetadataError extends printable(
  Schema.TaggedError<MetadataError>("@pod-protocol/effect/MetadataError")("MetadataError", {
    reason: Schema.Literal(
      "Uri",
      "Address",
      "Redirect",
      "Status",
      "ContentType",
      "TooLarge",
      "Json",
      "Schema",
      "Timeout",
      "Unavailable"
    ),
    /** Host of the URI, with the port if the URI names one. Absent if the URI has no host. */
    host: Schema.optional(SafeText.Schema()),
    /** The cause, as a clause. */
    detail: SafeText.Schema(),
    /** The HTTP status, with `Status`. */
    status: Schema.optional(Schema.Number)
  })
) {
  /** Whether the same call may succeed later: a timeout, a lost connection, HTTP 408, 425, 429 or 5xx. */
  get isRetryable(): boolean {
    if (this.reason === "Timeout" || this.reason === "Unavailable") return true
    const { status = 0 } = this
    return status >= 500 || status === 408 || status === 425 || status === 429
  }

  override get message(): string {
    const where = this.host === undefined ? "The agent's metadata" : `The agent's metadata at ${this.host}`
    const advice = this.isRetryable ? "try again later" : "the agent's owner must fix it, or publish it elsewhere"
    return `${where} cannot be read: ${this.detail}. To read it, ${advice}`
  }
}
