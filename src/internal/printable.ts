import * as Encoding from "effect/Encoding"
import * as Predicate from "effect/Predicate"

const PRINTABLE = Symbol.for("@pod-protocol/effect/Printable")

/** Whether it is an error of this package, whose fields were made safe when it was made. */
export const isPrintable = (value: unknown): value is Error => value instanceof Error && PRINTABLE in value

const inJson = (_: string, value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString()
  if (value instanceof Uint8Array) return Encoding.encodeBase64(value)
  return value instanceof Error && !Predicate.hasProperty(value, "toJSON")
    ? { ...value, name: value.name, message: value.message, cause: value.cause }
    : value
}

/**
 * A class of errors that can be printed, logged, written as JSON and cloned across threads. Its fields that come from
 * outside are texts of `SafeText.Schema`, and the values and causes of `Outside`.
 *
 * - JSON has the message beside the fields, bigints as decimal texts and bytes as base64.
 * - `message` becomes a property of the error itself: `structuredClone` copies no other. A clone has no `_tag`; it stands
 *   in the first line of its stack. The class's Schema encodes an error whole.
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
