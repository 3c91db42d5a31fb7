/**
 * Blockhashes (and durable nonces): 32 bytes as base58 text, under Kit's `Blockhash` brand.
 *
 * @since 0.1.0
 */
import type { Blockhash } from "@solana/kit"
import type * as Either from "effect/Either"
import * as EffectSchema from "effect/Schema"
import { BoundedCache } from "../internal/BoundedCache.js"
import type { InvalidInput } from "../InvalidInput.js"
import { bytes32 } from "./internal/base58Fixed.js"
import * as FixedText from "./internal/fixedText.js"

/**
 * Bytes in a blockhash.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 32

/** Blockhashes in one generation of the cache: enough for several commitments, endpoints and nonces. */
const CACHED_BLOCKHASHES = 16

const bytesByBlockhash = new BoundedCache<Blockhash, Uint8Array>(CACHED_BLOCKHASHES)

/** The only place that applies the brand: text encoded from 32 bytes is a blockhash. */
const brand = (text: string): Blockhash => text as Blockhash

/**
 * Encodes the 32 bytes at `offset` (default 0). The caller has checked that there are 32; missing bytes count as zeros.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes = (bytes: Uint8Array, offset = 0): Blockhash => brand(bytes32.encode(bytes, offset))

/**
 * The 32 bytes of a blockhash. A small cache serves messages with the same blockhash. All callers share the array: do
 * not change it. A text that got the brand without a check is a defect and throws `InvalidInput`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytes = (blockhash: Blockhash): Uint8Array => {
  const known = bytesByBlockhash.get(blockhash)
  if (known !== undefined) return known
  const bytes = FixedText.bytesOf(bytes32, SIZE, "blockhash", blockhash)
  bytesByBlockhash.set(blockhash, bytes)
  return bytes
}

/**
 * Whether the text is base58 of 32 bytes.
 *
 * @since 0.1.0
 * @category guards
 */
export const is = (text: string): text is Blockhash => bytes32.is(text)

const parseText = FixedText.parse(SIZE, is)

/**
 * Checks that the text is a blockhash; fails with `InvalidInput` on `field`, by default `blockhash`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string, field = "blockhash"): Either.Either<Blockhash, InvalidInput> =>
  parseText(text, field)

/**
 * A blockhash in a model: base58 text in JSON, Kit's brand in memory.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Schema: EffectSchema.Schema<Blockhash, string> = EffectSchema.String.pipe(
  EffectSchema.filter(is, {
    identifier: "Blockhash",
    message: () => `a blockhash ${FixedText.rule(SIZE)}`,
    arbitrary: () => (fc) => fc.uint8Array({ minLength: SIZE, maxLength: SIZE }).map((bytes) => fromBytes(bytes))
  })
)
