/**
 * Ids with which a caller names a message, so that the same send is recognised when it runs again.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { InvalidInput } from "../InvalidInput.js"
import * as Hash from "../solana/Hash.js"
import * as Utf8 from "../internal/Utf8.js"

/**
 * Bytes in an id.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 16

/**
 * An id as a caller gives it: 16 bytes, or a text (a request's id, a job's key) that is hashed.
 *
 * @since 0.1.0
 * @category models
 */
export type MessageId = Uint8Array | string

/**
 * The 16 bytes of an id: as they are, or the first 16 of the SHA-256 of a text's UTF-8. Fails for another number of
 * bytes, for an empty text, and for one that is no Unicode.
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
 * The nonce that an id gives a broadcast: its first 8 bytes, little-endian.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toNonce = (id: MessageId): Either.Either<bigint, InvalidInput> =>
  Either.map(toBytes(id), (bytes) => new DataView(bytes.buffer, bytes.byteOffset, SIZE).getBigUint64(0, true))
