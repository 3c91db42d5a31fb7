/**
 * JSON with 64-bit integers, as Solana's RPC writes it. `JSON.parse` would round them.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"
import * as BigIntegers from "./internal/jsonBigIntegers.js"
import * as LongString from "./internal/jsonLongString.js"
import * as Shape from "./internal/jsonShape.js"

/**
 * The text is not JSON.
 *
 * @since 0.1.0
 * @category errors
 */
export class JsonError extends printable(
  Schema.TaggedError<JsonError>("@pod-protocol/effect/JsonError")("JsonError", {
    /** The parser's message, with a short piece of the text. */
    detail: SafeText.Schema(),
    /** Characters in the text. */
    size: Schema.Number
  }),
  { stack: false }
) {
  /** Always false: the same text stays wrong. */
  readonly isRetryable = false

  override get message(): string {
    return `The text of ${this.size} characters is not JSON (${this.detail}): check its source`
  }
}

/**
 * Parses JSON as `JSON.parse` does, which rounds integers beyond ±(2^53 - 1). Use it where the reader refuses or
 * ignores such integers. It takes half the time of {@link parse}.
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
 * Parses JSON. An integer beyond ±(2^53 - 1), written without fraction or exponent and of at most 1000 digits, becomes
 * an exact bigint. Every other value is as from `JSON.parse`. Digits inside strings stay unchanged. If one string of at
 * least 64 KiB is almost the whole text, its value shares the memory of the text.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (text: string): Either.Either<unknown, JsonError> => {
  const cut = LongString.cut(text)
  if (cut !== undefined) {
    const parsed = parseExact(cut.frame)
    if (Either.isRight(parsed) && LongString.restore(parsed.right, cut)) return parsed
  }
  return parseExact(text)
}

const parseExact = (text: string): Either.Either<unknown, JsonError> => {
  const marked = BigIntegers.mark(text)
  if (marked === undefined) return parseRounded(text)
  // Invalid JSON stays invalid when marked. Parse the original text again, so that the error quotes it.
  return Either.orElse(Either.map(parseRounded(marked), BigIntegers.unmark), () => parseRounded(text))
}

/**
 * Returns why a text from outside must not be parsed, or `undefined` if it may be. Arrays and objects nested more than
 * 256 deep overflow the stack of recursive functions. More than 1024 of them, plus one for each 16 characters, take
 * many times the memory of the text. The check takes about a nanosecond per character outside of strings.
 *
 * @since 0.1.0
 * @category decoding
 */
export const excess = (text: string): JsonError | undefined => {
  const detail = Shape.excess(text)
  return detail === undefined ? undefined : new JsonError({ detail, size: text.length })
}

/**
 * As {@link parse}, for a text from outside. Fails without parsing if {@link excess} finds a reason.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parseBounded = (text: string): Either.Either<unknown, JsonError> => {
  const error = excess(text)
  return error === undefined ? parse(text) : Either.left(error)
}

/**
 * Encodes a value as `JSON.stringify` does, and a bigint as an integer literal. A top-level value that JSON cannot
 * express (undefined, functions, symbols) becomes `null`. A cyclic value is a defect.
 *
 * @since 0.1.0
 * @category encoding
 */
export const stringify = (value: unknown): string =>
  (isNative(value) ? JSON.stringify(value) : write(value, "")) ?? "null"

/** Whether `JSON.stringify` can encode the value: no bigint in it, and no value whose encoding could produce one. */
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
