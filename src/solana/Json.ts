/**
 * JSON as Solana's RPC speaks it: with 64-bit integers, which `JSON.parse` would round.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as BigIntegers from "./internal/jsonBigIntegers.js"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"
import * as Shape from "./internal/jsonShape.js"

/**
 * The text is not JSON.
 *
 * @since 0.1.0
 * @category errors
 */
export class JsonError extends printable(
  Schema.TaggedError<JsonError>("@pod-protocol/effect/JsonError")("JsonError", {
    /** What the parser says, with a short piece of the text. */
    detail: SafeText.Schema(),
    /** Characters in the text. */
    size: Schema.Number
  })
) {
  /** Always false: the same text stays wrong. */
  readonly isRetryable = false

  override get message(): string {
    return `not JSON (${this.size} characters): ${this.detail}`
  }
}

/**
 * Reads JSON as `JSON.parse` does, which rounds integers beyond ±(2^53 - 1): for a text whose reader refuses or passes
 * over such. It takes half the time of {@link parse}.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseRounded = (text: string): Either.Either<unknown, JsonError> =>
  Either.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) =>
      new JsonError({ detail: cause instanceof Error ? cause.message : String(cause), size: text.length })
  })

/**
 * Reads JSON. An integer beyond ±(2^53 - 1), written without fraction and exponent, becomes a bigint of exactly that
 * value, up to 1000 digits; everything else is what `JSON.parse` makes of it. Digits inside strings are left alone.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (text: string): Either.Either<unknown, JsonError> => {
  const marked = BigIntegers.mark(text)
  if (marked === undefined) return parseRounded(text)
  // A text that is not JSON is not either when marked; the error is to speak of the text as it came.
  return Either.orElse(Either.map(parseRounded(marked), BigIntegers.unmark), () => parseRounded(text))
}

/**
 * Why a text from outside must not be parsed, if so: more than 256 arrays and objects inside one another overflow the
 * stack of functions that call themselves, and more than 1024 plus one for each 16 characters take many times the memory of
 * the text. It takes about a nanosecond for each character outside of strings.
 *
 * @since 0.1.0
 * @category decoding
 */
export const excess = (text: string): JsonError | undefined => {
  const detail = Shape.excess(text)
  return detail === undefined ? undefined : new JsonError({ detail, size: text.length })
}

/**
 * As {@link parse}, for a text from outside: what {@link excess} speaks against is not parsed.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseBounded = (text: string): Either.Either<unknown, JsonError> => {
  const error = excess(text)
  return error === undefined ? parse(text) : Either.left(error)
}

/**
 * Writes a value as `JSON.stringify` does, and a bigint as an integer literal. What JSON has no word for (undefined,
 * functions, symbols) becomes `null` at the top. A value that contains itself is a defect.
 *
 * @since 0.1.0
 * @category encoding
 */
export const stringify = (value: unknown): string =>
  (isNative(value) ? JSON.stringify(value) : write(value, "")) ?? "null"

/** Whether `JSON.stringify` can write it: it holds no bigint, and nothing that might make one of itself. */
const isNative = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return typeof value !== "bigint"
  if (Array.isArray(value)) return value.every(isNative)
  if ("toJSON" in value) return false
  return Object.values(value).every(isNative)
}

const write = (value: unknown, key: string): string | undefined => {
  if (typeof value === "bigint") return value.toString()
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if ("toJSON" in value && typeof value.toJSON === "function") return write(value.toJSON(key), key)
  if (Array.isArray(value)) return `[${value.map((item, index) => write(item, String(index)) ?? "null").join(",")}]`
  const members: Array<string> = []
  for (const [name, member] of Object.entries(value)) {
    const text = write(member, name)
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`)
  }
  return `{${members.join(",")}}`
}
