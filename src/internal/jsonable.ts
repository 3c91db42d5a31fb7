/**
 * Models with 64-bit integers that `JSON.stringify` can write. As in their Schemas, integers become decimal texts and
 * bytes become base64; an absent option is `null`.
 *
 * `toJSON` is in the prototype, so it adds nothing to the cost of making a model. The fields are a model's only own
 * properties, and its constructor is `Object`: it compares, spreads and prints like an object literal. A spread copy of
 * a model is a plain object without `toJSON`.
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

/** Makes the instances of a class models. Use it for models that are made often: they share one hidden class. */
export const jsonable = <C extends abstract new (...args: never) => object>(Class: C): C => {
  Object.defineProperties(Class.prototype, jsonMembers)
  return Class
}

/** The prototype of a model without a class. */
export const prototype: object = Object.create(Object.prototype, jsonMembers)

/** Makes a model from fields. */
export const model = <A extends object>(fields: A): A => Object.assign(Object.create(prototype), fields)

/** Turns an object literal into a model. Returns any other value unchanged. */
export const fromLiteral = <A>(value: A): A =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? model(value)
    : value
