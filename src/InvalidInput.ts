/**
 * The error for caller input that breaks a rule. Checks raise it before any I/O.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { printable } from "./internal/printable.js"
import * as SafeText from "./SafeText.js"

/**
 * The caller's input breaks a rule of the protocol or of the wire. Nothing was sent and nothing was stored.
 *
 * `field` is the full path of the input and `rule` states what it must be. `size` is the size of the invalid value:
 * bytes for texts and payloads, items for lists, the value itself for numbers. It is absent if the rule has no size.
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
  /** Drops a `size` that is not a number: the caller may have broken the input's type. */
  // @effect-diagnostics-next-line overriddenSchemaConstructor:off
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
