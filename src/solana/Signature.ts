/**
 * Transaction signatures: 64 bytes as base58 text, under Kit's `Signature` brand. The first signature of a
 * transaction is also its id.
 *
 * @since 0.1.0
 */
import type { Signature, SignatureBytes } from "@solana/kit"
import type * as Either from "effect/Either"
import * as EffectSchema from "effect/Schema"
import { InvalidInput } from "../InvalidInput.js"
import { bytes64 } from "./internal/base58Fixed.js"
import * as FixedText from "./internal/fixedText.js"

/**
 * Bytes in a signature.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 64

/** The only places that apply the brands: any 64 bytes are a signature. */
const brand = (text: string): Signature => text as Signature

const brandBytes = (bytes: Uint8Array): SignatureBytes => bytes as SignatureBytes

/**
 * Encodes the 64 bytes at `offset` (default 0). The caller has checked that there are 64; missing bytes count as zeros.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromBytes = (bytes: Uint8Array, offset = 0): Signature => brand(bytes64.encode(bytes, offset))

/**
 * The 64 bytes of a signature. A text that got the brand without a check is a defect and throws `InvalidInput`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytes = (signature: Signature): SignatureBytes =>
  brandBytes(FixedText.bytesOf(bytes64, SIZE, "signature", signature))

/**
 * Whether the text is base58 of 64 bytes.
 *
 * @since 0.1.0
 * @category guards
 */
export const is = (text: string): text is Signature => bytes64.is(text)

const parseText = FixedText.parse(SIZE, is)

/**
 * Checks that the text is a signature; fails with `InvalidInput` on `field`, by default `signature`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string, field = "signature"): Either.Either<Signature, InvalidInput> =>
  parseText(text, field)

/**
 * Whether the bytes have the length of a signature, 64.
 *
 * @since 0.1.0
 * @category guards
 */
export const isBytes = (bytes: Uint8Array): bytes is SignatureBytes => bytes.length === SIZE

/**
 * Applies the brand to signature bytes from a trusted source. Another length is a defect and throws `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bytes = (signature: Uint8Array): SignatureBytes => {
  if (isBytes(signature)) return signature
  throw new InvalidInput({ field: "signature", rule: `must be ${SIZE} bytes`, size: signature.length })
}

/**
 * A signature in a model: base58 text in JSON, Kit's brand in memory.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Schema: EffectSchema.Schema<Signature, string> = EffectSchema.String.pipe(
  EffectSchema.filter(is, {
    identifier: "Signature",
    message: () => `a signature ${FixedText.rule(SIZE)}`,
    arbitrary: () => (fc) => fc.uint8Array({ minLength: SIZE, maxLength: SIZE }).map((bytes) => fromBytes(bytes))
  })
)
