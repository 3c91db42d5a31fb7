/**
 * The bytes that a direct message's hash covers: a header that makes each message unique, and the payload.
 *
 * The address of a direct message derives from sender, recipient, hash and type. Without an envelope, the same text can
 * be sent to the same recipient only once.
 *
 * | bytes | what |
 * |---|---|
 * | 0–3 | `PoD` and the version, 1 |
 * | 4–7 | flags, u32, little-endian |
 * | 8–15 | creation time, Unix **milliseconds**, u64, little-endian; 0 if the sender gave an id and no time |
 * | 16–31 | 16 random bytes, or the sender's `MessageId` |
 * | 32– | the payload |
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as Utf8 from "../internal/Utf8.js"
import type { InvalidInput } from "../InvalidInput.js"
import * as Hash from "../solana/Hash.js"
import * as Borsh from "./internal/Borsh.js"

/**
 * Bytes before the payload.
 *
 * @since 0.1.0
 * @category constants
 */
export const HEADER_SIZE = 32

const MAGIC = "506f44"
const VERSION = "01"

const headerFields = {
  /** Reserved, u32: 0 for now. Readers ignore unknown flags. */
  flags: Borsh.u32,
  /** Unix milliseconds, u64; 0 if the sender gave an id and no time. */
  createdAt: Borsh.u64,
  /** 16 random bytes, or the sender's `MessageId`. */
  id: Borsh.bytes16
}

/**
 * A header and its payload. JSON: 64-bit integers as decimal strings, bytes as base64.
 *
 * @since 0.1.0
 * @category models
 */
export class Envelope extends Schema.TaggedClass<Envelope>("@pod-protocol/effect/Envelope")("Envelope", {
  ...Borsh.schemas(headerFields),
  payload: Schema.Uint8ArrayFromBase64
}) {
  toJSON(): typeof Envelope.Encoded {
    return Schema.encodeSync(Envelope)(this)
  }
}

const layout = Borsh.layout({ tag: "Envelope", discriminator: MAGIC + VERSION, fields: headerFields })

/**
 * The bytes are not an envelope.
 *
 * - `TooShort`: the bytes end inside the header.
 * - `Magic`: the bytes do not begin with the magic number. The sender may have sent bare bytes, as other clients do.
 * - `Version`: this library does not know the version of the envelope.
 * - `Text`: the payload was read as text and is not UTF-8.
 *
 * @since 0.1.0
 * @category errors
 */
export class EnvelopeDecodeError extends printable(
  Schema.TaggedError<EnvelopeDecodeError>("@pod-protocol/effect/EnvelopeDecodeError")("EnvelopeDecodeError", {
    reason: Schema.Literal("TooShort", "Magic", "Version", "Text"),
    /** Number of input bytes. */
    size: Schema.Number
  }),
  { stack: false }
) {
  /** Always false: the same bytes stay wrong. */
  readonly isRetryable = false

  override get message(): string {
    switch (this.reason) {
      case "TooShort":
        return `an envelope has at least ${HEADER_SIZE} bytes, not ${this.size}: read the message with raw: true`
      case "Magic":
        return "the payload is not in an envelope: read the message with raw: true"
      case "Version":
        return "the envelope is of an unknown version: update this library"
      case "Text":
        return `the payload of ${this.size} bytes is not UTF-8: read its bytes with payload`
    }
  }
}

/**
 * The fields of a header.
 *
 * @since 0.1.0
 * @category models
 */
export interface HeaderInput {
  /** Unix milliseconds, u64. */
  readonly createdAt: bigint
  /** 16 random bytes, or those of a `MessageId`. */
  readonly id: Uint8Array
  /** u32, default 0. */
  readonly flags?: number | undefined
}

/**
 * Encodes the 32 bytes of a header without copying a payload behind it. Fails if the id is not 16 bytes or a number is
 * out of range.
 *
 * @since 0.1.0
 * @category encoding
 */
export const header = ({ createdAt, flags = 0, id }: HeaderInput): Either.Either<Uint8Array, InvalidInput> =>
  layout.encode({ _tag: "Envelope", flags, createdAt, id })

/**
 * Encodes an envelope: header and payload, copied once.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (
  input: HeaderInput & { readonly payload: Uint8Array }
): Either.Either<Uint8Array, InvalidInput> =>
  Either.map(header(input), (head) => {
    const bytes = new Uint8Array(HEADER_SIZE + input.payload.length)
    bytes.set(head)
    bytes.set(input.payload, HEADER_SIZE)
    return bytes
  })

/**
 * Decodes an envelope. Its payload is a view of the input, not a copy.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Envelope, EnvelopeDecodeError> =>
  Either.map(
    layout.decode(bytes, () => new EnvelopeDecodeError({ reason: reasonOf(bytes), size: bytes.length })),
    (head) =>
      new Envelope(
        {
          ...head,
          payload: new Uint8Array(bytes.buffer, bytes.byteOffset + HEADER_SIZE, bytes.length - HEADER_SIZE)
        },
        true
      )
  )

const magic = Borsh.fromHex(MAGIC)

const reasonOf = (bytes: Uint8Array): EnvelopeDecodeError["reason"] => {
  if (bytes.length < HEADER_SIZE) return "TooShort"
  return Borsh.startsWith(bytes, magic) ? "Version" : "Magic"
}

/**
 * Decodes a payload as UTF-8 text.
 *
 * @since 0.1.0
 * @category decoding
 */
export const text = (payload: Uint8Array): Either.Either<string, EnvelopeDecodeError> => {
  const found = Utf8.decode(payload, 0, payload.length)
  return found === undefined
    ? Either.left(new EnvelopeDecodeError({ reason: "Text", size: payload.length }))
    : Either.right(found)
}

/**
 * The payload hash of a direct message: SHA-256 of the envelope, or of the bare bytes of a message without one.
 *
 * @since 0.1.0
 * @category hashing
 */
export const hash = (bytes: Uint8Array): Uint8Array => Hash.sha256(bytes)
