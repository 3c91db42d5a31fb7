/** Makes the package's errors safe to print, to log, to write as JSON and to clone. */
import * as Encoding from "effect/Encoding"
import * as Predicate from "effect/Predicate"

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

/**
 * Makes errors of a class printable, loggable, JSON-encodable and cloneable across threads. Its fields from outside are
 * `SafeText.Schema`, `Outside.Value` or `Outside.Cause`.
 *
 * - JSON holds the message beside the fields, bigints as decimal texts and bytes as base64.
 * - `message` becomes an own property, because `structuredClone` copies only own properties. A clone has no `_tag`, but
 *   the first line of its stack shows the tag. The class's Schema encodes an error completely.
 */
export const printable = <C extends new (...args: never) => Error>(Base: C): C => {
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
  return new Proxy(Base, {
    construct: (target, args, newTarget) => {
      const error: Error = Reflect.construct(target, args, newTarget)
      return Object.defineProperty(error, "message", { value: error.message, configurable: true, writable: true })
    }
  })
}
