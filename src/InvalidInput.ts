/**
 * An input that breaks a rule, refused before any I/O.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { printable } from "./internal/printable.js"
import * as SafeText from "./SafeText.js"

/**
 * The caller's input breaks a rule of the protocol or of the wire. Nothing was sent and nothing was stored.
 *
 * `field` is the name of the input, `rule` the sentence it breaks, `size` the offending magnitude in the rule's own
 * unit (bytes for texts and payloads, items for lists, the number itself for numbers), where there is one.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInput extends printable(
  Schema.TaggedError<InvalidInput>("@pod-protocol/effect/InvalidInput")("InvalidInput", {
    field: SafeText.Schema(),
    rule: SafeText.Schema(),
    size: Schema.optional(Schema.Union(Schema.Number, Schema.BigInt))
  })
) {
  /** A `size` that is no number, of an input that its type forbids, is left out. */
  constructor(
    props: { readonly field: string; readonly rule: string; readonly size?: number | bigint | undefined },
    options?: Schema.MakeOptions
  ) {
    const { field, rule, size } = props
    const isNumber = typeof size === "number" || typeof size === "bigint"
    super(isNumber ? { field, rule, size } : { field, rule }, options)
  }

  /** Always false: the same input breaks the same rule again. */
  readonly isRetryable = false

  override get message(): string {
    return this.size === undefined ? `${this.field}: ${this.rule}` : `${this.field}: ${this.rule} (got ${this.size})`
  }
}
