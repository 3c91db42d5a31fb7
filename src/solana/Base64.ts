/**
 * Base64 (RFC 4648 §4, padded), in which the RPC encodes transactions, account data and log events.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { codec } from "../internal/base64.js"
import { InvalidInput } from "../InvalidInput.js"

/**
 * Encodes bytes as padded base64.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (bytes: Uint8Array): string => codec.encode(bytes)

/**
 * Decodes padded base64 strictly: no white space, no URL alphabet, exact padding, no leftover bits. It accepts exactly
 * the texts that {@link encode} writes.
 *
 * Fails with `InvalidInput` on field `base64`.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (text: string): Either.Either<Uint8Array, InvalidInput> => {
  const bytes = codec.decode(text)
  return bytes === undefined
    ? Either.left(new InvalidInput({ field: "base64", rule: "is not canonical, padded base64", size: text.length }))
    : Either.right(bytes)
}
