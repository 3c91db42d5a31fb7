/**
 * Models that hold 64-bit integers, and that `JSON.stringify` can write: integers as decimal texts and bytes as base64, as
 * their Schemas do; an absent option is `null`.
 *
 * `toJSON` is in the prototype, so it costs the making of a model nothing. A model has no own properties but its fields,
 * and its constructor is `Object`: it equals, spreads and prints as an object literal does. What is spread from it is a
 * plain object again.
 */
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

/** A value that `JSON.stringify` can write. */
export const toJson = (value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString()
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Uint8Array) return Encoding.encodeBase64(value)
  if (Option.isOption(value)) return toJson(Option.getOrNull(value))
  if (Array.isArray(value)) return value.map(toJson)
  if (Predicate.hasProperty(value, "toJSON") && typeof value.toJSON === "function") return toJson(value.toJSON())
  return membersOf(value)
}

const membersOf = (value: object): unknown =>
  Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member)]))

const jsonMembers: PropertyDescriptorMap = {
  constructor: { value: Object, configurable: true, writable: true },
  toJSON: {
    value(this: object): unknown {
      return membersOf(this)
    },
    configurable: true,
    writable: true
  }
}

/** Makes the instances of a class of fields models. For models that are made often: all have one hidden class. */
export const jsonable = <C extends abstract new (...args: never) => object>(Class: C): C => {
  Object.defineProperties(Class.prototype, jsonMembers)
  return Class
}

/** The prototype of a model without a class. */
export const prototype: object = Object.create(Object.prototype, jsonMembers)

/** A model of these fields. */
export const model = <A extends object>(fields: A): A => Object.assign(Object.create(prototype), fields)

/** The model of an object literal. Anything else stays what it is. */
export const fromLiteral = <A>(value: A): A =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? model(value)
    : value
