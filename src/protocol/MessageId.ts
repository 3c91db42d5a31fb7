/**
 * Ids that callers give to messages. A repeated send with the same id is recognised as the same message.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Utf8 from "../internal/Utf8.js"
import { InvalidInput } from "../InvalidInput.js"
import * as Hash from "../solana/Hash.js"

/**
 * Bytes in an id.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 16

/**
 * An id from the caller: 16 bytes, or a text (such as a request id or a job key), which is hashed.
 *
 * @since 0.1.0
 * @category models
 */
export type MessageId = Uint8Array | string

/**
 * Converts an id to its 16 bytes. Bytes stay as they are; a text becomes the first 16 bytes of the SHA-256 of its
 * UTF-8. Fails for another number of bytes, for an empty text, and for a text with a lone surrogate.
 *
 * @example
 * import * as MessageId from "@pod-protocol/effect/protocol/MessageId"
 *
 * export const id = MessageId.toBytes("request-42")
 *
 * @since 0.1.0
 * @category conversions
 */
export const toBytes = (id: MessageId): Either.Either<Uint8Array, InvalidInput> => {
  if (typeof id !== "string") {
    return id instanceof Uint8Array && id.length === SIZE ? Either.right(id) : refuse(`must be ${SIZE} bytes or a text`)
  }
  if (id === "") return refuse("must not be an empty text")
  if (!Utf8.isWellFormed(id)) return refuse("must not hold half of a surrogate pair")
  return Either.right(Hash.sha256(Utf8.encode(id)).subarray(0, SIZE))
}

const refuse = (rule: string) => Either.left(new InvalidInput({ field: "id", rule }))

/**
 * The nonce of a broadcast with this id: the id's first 8 bytes, little-endian.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toNonce = (id: MessageId): Either.Either<bigint, InvalidInput> =>
  Either.map(toBytes(id), (bytes) => new DataView(bytes.buffer, bytes.byteOffset, SIZE).getBigUint64(0, true))
