/** Makes the package's errors safe to print, to log, to write as JSON and to clone. */
import * as Data from "effect/Data"
import * as Encoding from "effect/Encoding"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as ErrorFields from "./errorFields.js"

const PRINTABLE = Symbol.for("@pod-protocol/effect/Printable")

/** Whether the value is an error of this package. The fields of such an error are already safe. */
export const isPrintable = (value: unknown): value is Error => value instanceof Error && PRINTABLE in value

const inJson = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString()
  if (value instanceof Uint8Array) return Encoding.encodeBase64(value)
  return value instanceof Error && !Predicate.hasProperty(value, "toJSON")
    ? { ...value, name: value.name, message: value.message, cause: value.cause }
    : value
}

/** Makes an error without a stack. The stack costs more than the rest of the error. */
const withoutStack = <A>(make: () => A): A => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = limit
  }
}

interface ErrorClass extends ErrorFields.Declared {
  new (...args: never): Error
}

const isChecked = (options: Schema.MakeOptions): boolean =>
  typeof options === "boolean" ? options : (options?.disableValidation ?? false)

export interface Options {
  /**
   * Whether an error records a stack. Default true. Set false for errors that occur in large numbers, such as refused
   * calls and accounts that cannot be decoded: their stack shows only the fiber's run loop, and is most of their cost.
   */
  readonly stack?: boolean
}

/**
 * Makes errors of a tagged class of `Schema` printable, loggable, JSON-encodable and cloneable across threads. The class
 * declares fields from outside as `SafeText.Schema`, `Outside.Value` or `Outside.Cause`.
 *
 * - JSON holds the message beside the fields, bigints as decimal texts and bytes as base64.
 * - `Data.Error` copies the fields, and the constructor of `Base` does not run: it would copy them three times more.
 * - `message` becomes an own property, because `structuredClone` copies only own properties. A clone has no `_tag`, but
 *   the first line of its stack shows the tag. The class's Schema encodes an error completely.
 */
export const printable = <C extends ErrorClass>(Base: C, { stack = true }: Options = {}): C => {
  Object.defineProperties(Base.prototype, {
    [PRINTABLE]: { value: true },
    toJSON: {
      value(this: Error): unknown {
        return JSON.parse(JSON.stringify({ ...this, message: this.message }, inJson))
      },
      configurable: true,
      writable: true
    }
  })
  let check: ErrorFields.Check | undefined
  return new Proxy(Base, {
    construct: (_, [props = {}, options = false], newTarget) => {
      const fields = isChecked(options)
        ? Object.assign({}, props, { _tag: Base._tag })
        : (check ??= ErrorFields.checkOf(Base))(props)
      const make = (): Error => Reflect.construct(Data.Error, [fields], newTarget)
      const error = stack ? make() : withoutStack(make)
      return Object.defineProperty(error, "message", { value: error.message, configurable: true, writable: true })
    }
  })
}
