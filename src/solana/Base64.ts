/**
 * Base64 (RFC 4648 §4, padded), the form in which the RPC carries transactions, account data and log events.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { InvalidInput } from "../InvalidInput.js"
import { codec } from "../internal/base64.js"

/**
 * Writes bytes as padded base64.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (bytes: Uint8Array): string => codec.encode(bytes)

/**
 * Reads padded base64, strictly: no white space, no URL alphabet, no missing or excess padding, no bits left over. A
 * text is accepted exactly when {@link encode} would write it.
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
