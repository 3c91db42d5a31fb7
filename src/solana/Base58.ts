/**
 * Base58 with Bitcoin's alphabet, the text form of Solana's keys, hashes and signatures.
 *
 * Accepts and refuses the same texts as Kit's base58 codec. Each leading `1` is a zero byte; characters outside the
 * alphabet are refused.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { InvalidInput } from "../InvalidInput.js"
import { bytes32, bytes64 } from "./internal/base58Fixed.js"
import * as Radix from "./internal/base58Radix.js"

/**
 * Default limit of {@link decode}: the size of the largest Solana transaction.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_DECODED_BYTES = 1232

/** Base58 characters per byte: log 256 / log 58, rounded up. */
const CHARACTERS_PER_BYTE = 1.3658

/**
 * Encodes bytes as base58. 32 bytes (keys, hashes) and 64 bytes (signatures) take a fast path. For other sizes the time
 * grows with the square of the size.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (bytes: Uint8Array): string => {
  switch (bytes.length) {
    case 32:
      return bytes32.encode(bytes, 0)
    case 64:
      return bytes64.encode(bytes, 0)
    default:
      return Radix.encode(bytes)
  }
}

/**
 * Decodes base58 text of up to `maxBytes` bytes (default {@link MAX_DECODED_BYTES}). Refuses longer text before any
 * work, because decoding time grows with the square of the length. 32 and 64 bytes take a fast path.
 *
 * Fails with `InvalidInput` on field `base58` when a character is outside the alphabet or the text is too long.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (text: string, maxBytes = MAX_DECODED_BYTES): Either.Either<Uint8Array, InvalidInput> => {
  if (text.length > Math.ceil(maxBytes * CHARACTERS_PER_BYTE)) return Either.left(tooLong(maxBytes, text.length))
  const bytes = bytes32.decode(text) ?? bytes64.decode(text) ?? Radix.decode(text)
  if (bytes === undefined) {
    return Either.left(new InvalidInput({ field: "base58", rule: "holds a character outside the base58 alphabet" }))
  }
  return bytes.length > maxBytes ? Either.left(tooLong(maxBytes, text.length)) : Either.right(bytes)
}

const tooLong = (maxBytes: number, size: number): InvalidInput =>
  new InvalidInput({ field: "base58", rule: `encodes at most ${maxBytes} bytes`, size })
