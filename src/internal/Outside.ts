/**
 * Makes values and causes from outside safe to keep in an error.
 *
 * Invariants: the result is bounded in depth, members and characters; it has no cycle; bigints are decimal texts; texts
 * have passed `SafeText`. It can be printed, written as JSON and cloned. Reading a foreign object never throws.
 */
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SafeText from "../SafeText.js"
import { isPrintable } from "./printable.js"

/** Maximum depth of a value and of a chain of causes. A transaction's `err` and a simulation need 8. */
const MAX_DEPTH = 16

/** Maximum characters of a value. The log of a transaction has 10,000. */
const MAX_SIZE = 128 * 1024

/** Maximum members of a value, over all levels. The time of Effect's loggers grows with their square. */
const MAX_MEMBERS = 2000

/** Maximum characters of one text in a value. */
const MAX_TEXT = 16 * 1024

const MAX_FRAMES = 20

const CUT = "…"

/** Makes a text safe to show: `SafeText.make`, or one of its redactors. */
export type Show = (text: string, maxLength?: number) => string

/** Reads a property of a foreign object, whose getters may throw. */
const orUnreadable = (read: () => unknown): unknown => {
  try {
    return read()
  } catch {
    return "[unreadable]"
  }
}

const isBytes = (value: unknown): value is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer

/** Returns a safe copy of the value. */
export const value = (input: unknown, show: Show = SafeText.make): unknown => {
  let left = MAX_SIZE
  let members = MAX_MEMBERS
  const above = new Set<object>()

  const text = (input: string): string => {
    const shown = show(input, Math.min(MAX_TEXT, Math.max(left, 1)))
    left -= shown.length
    return shown
  }

  const isFull = (): boolean => left <= 0 || members <= 0

  const membersOf = (input: object): unknown => {
    if (Array.isArray(input)) {
      const items: Array<unknown> = []
      for (const item of input) {
        if (isFull()) break
        items.push(copy(item))
      }
      return items.length < input.length ? [...items, CUT] : items
    }
    const entries: Array<readonly [string, unknown]> = []
    for (const key of Object.keys(input)) {
      if (isFull()) break
      entries.push([text(key), copy(Reflect.get(input, key))])
    }
    return Object.fromEntries(entries)
  }

  const object = (input: object): unknown => {
    if (isBytes(input)) return `[${input.byteLength} bytes]`
    if (Redacted.isRedacted(input)) return "<redacted>"
    if (above.has(input)) return "[circular]"
    if (above.size >= MAX_DEPTH) return CUT
    above.add(input)
    const copied = orUnreadable(() =>
      input instanceof Error ? { name: text(input.name), message: text(input.message) } : membersOf(input)
    )
    above.delete(input)
    return copied
  }

  const copy = (input: unknown): unknown => {
    members--
    switch (typeof input) {
      case "string":
        return text(input)
      case "bigint":
        return text(input.toString())
      case "object":
        return input === null ? null : object(input)
      case "function":
      case "symbol":
        return `[${typeof input}]`
      default:
        return input
    }
  }
  return orUnreadable(() => copy(input))
}

/** Properties of system errors and of Effect's errors, besides their message. None of them holds bytes of a reply. */
const KEPT = [
  "_tag",
  "address",
  "code",
  "description",
  "errno",
  "method",
  "module",
  "path",
  "pathOrDescriptor",
  "port",
  "reason",
  "status",
  "syscall"
]

const OWN: ReadonlySet<PropertyKey> = new Set([...KEPT, "cause", "message", "name", "stack"])

const isShown = (text: unknown, show: Show): boolean => typeof text === "string" && show(text) === text

const isSafeStack = (stack: unknown, show: Show): boolean =>
  stack === undefined ||
  (typeof stack === "string" && stack.length <= MAX_TEXT && stack.split("\n").every((line) => isShown(line, show)))

/** Whether an error can be kept unchanged. */
const isSafe = (error: Error, show: Show, depth: number): boolean =>
  depth < MAX_DEPTH &&
  Reflect.ownKeys(error).every((key) => typeof key === "symbol" || OWN.has(key)) &&
  KEPT.every((key) => {
    const value: unknown = Reflect.get(error, key)
    return typeof value === "string" ? isShown(value, show) : !Predicate.isObject(value) && typeof value !== "bigint"
  }) &&
  isShown(error.name, show) &&
  isShown(error.message, show) &&
  isSafeStack(error.stack, show) &&
  (error.cause === undefined ||
    (error.cause instanceof Error ? isSafe(error.cause, show, depth + 1) : isShown(error.cause, show)))

/** The message of an error. Node reports all failed addresses in an `AggregateError` without a message of its own. */
const messageOf = (error: Error): string =>
  error.message === "" && error instanceof AggregateError
    ? error.errors.map((one: unknown) => (one instanceof Error ? one.message : "")).join("; ")
    : String(error.message)

const framesOf = (stack: unknown): ReadonlyArray<string> =>
  typeof stack === "string"
    ? stack
        .slice(0, MAX_TEXT)
        .split("\n")
        .filter((line) => /^\s+at /.test(line))
        .slice(0, MAX_FRAMES)
    : []

const copyOf = (error: Error, show: Show, depth: number): Error => {
  const name = show(String(error.name), 100)
  const message = show(messageOf(error))
  const frames = framesOf(error.stack).map((line) => `    ${show(line).trim()}`)
  const copy = new Error(message)
  Object.defineProperties(copy, {
    name: { value: name, configurable: true, writable: true },
    stack: { value: [`${name}: ${message}`, ...frames].join("\n"), configurable: true, writable: true }
  })
  for (const key of KEPT) {
    const value: unknown = Reflect.get(error, key)
    if (typeof value === "string") Object.assign(copy, { [key]: show(value) })
    else if (typeof value === "number" || typeof value === "boolean") Object.assign(copy, { [key]: value })
  }
  if (error.cause !== undefined && depth < MAX_DEPTH) copy.cause = causeAt(error.cause, show, depth + 1)
  return copy
}

const isShort = (error: Error, depth: number): boolean =>
  depth < MAX_DEPTH && (error.cause instanceof Error ? isShort(error.cause, depth + 1) : true)

const causeAt = (input: unknown, show: Show, depth: number): unknown =>
  orUnreadable(() => {
    if (!(input instanceof Error)) return value(input, show)
    return (isPrintable(input) ? isShort(input, depth) : isSafe(input, show, depth))
      ? input
      : copyOf(input, show, depth)
  })

/**
 * Returns the cause unchanged if it is safe. Otherwise returns a copy of its name, message, codes, frames and causes. A
 * value that is not an error is copied by {@link value}.
 */
export const cause = (input: unknown, show: Show = SafeText.make): unknown => causeAt(input, show, 0)

/** Schema of a field that holds a value from outside. */
export const Value = Schema.declare(
  [],
  { decode: () => (input) => ParseResult.succeed(value(input)), encode: () => (input) => ParseResult.succeed(input) },
  { identifier: "OutsideValue", jsonSchema: {}, arbitrary: () => (fc) => fc.jsonValue() }
)

/**
 * Schema of a field that holds the cause of an error. It encodes the cause as `Schema.Defect` does, by name and
 * message.
 */
export const Cause = Schema.compose(
  Schema.Defect,
  Schema.declare(
    [],
    { decode: () => (input) => ParseResult.succeed(cause(input)), encode: () => (input) => ParseResult.succeed(input) },
    { identifier: "OutsideCause", jsonSchema: {}, arbitrary: () => (fc) => fc.string().map((text) => new Error(text)) }
  )
)
