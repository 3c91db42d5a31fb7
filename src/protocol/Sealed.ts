/**
 * The layout of a sealed payload, which only its recipient can open.
 *
 * | bytes | what |
 * |---|---|
 * | 0–3 | `PoD` and the version, 2: readers of version 1 refuse it |
 * | 4 | suite: 1 is HPKE (RFC 9180) in base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305 |
 * | 5 | the key that it is sealed to: 0 is the recipient's wallet, 1 a key that the recipient published |
 * | 6–7 | 0 |
 * | 8–39 | the sender's ephemeral X25519 key |
 * | 40– | the ciphertext of an envelope with padding, and its tag of 16 bytes |
 *
 * The padding is one byte 0x80 and zeros, up to a multiple of 256 bytes, or of 4096 bytes above 4096. It hides the exact
 * length.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "../solana/Address.js"
import * as Hash from "../solana/Hash.js"
import { type MessageType, seed } from "./MessageType.js"

/**
 * Bytes before the ciphertext.
 *
 * @since 0.1.0
 * @category constants
 */
export const HEADER_SIZE = 40

/**
 * Bytes of the tag that ends the ciphertext.
 *
 * @since 0.1.0
 * @category constants
 */
export const TAG_SIZE = 16

const ENC_AT = 8

const KEY_KIND_AT = 5

/** `PoD`, version 2, suite 1, kind of key, reserved. */
const PREFIX = Uint8Array.of(0x50, 0x6f, 0x44, 2, 1, 0, 0, 0)
const VERSIONED = 4

/**
 * The key that a payload is sealed to: that of the recipient's wallet, or one that the recipient published.
 *
 * @since 0.1.0
 * @category models
 */
export type KeyKind = "wallet" | "published"

const KEY_KINDS: ReadonlyArray<KeyKind> = ["wallet", "published"]

/**
 * A sealed payload in its parts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sealed {
  /** The sender's ephemeral X25519 key, 32 bytes. */
  readonly enc: Uint8Array
  /** The ciphertext with its tag. */
  readonly ciphertext: Uint8Array
}

/**
 * A sealed payload, and the kind of key that opens it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Addressed extends Sealed {
  readonly keyKind: KeyKind
}

const holds = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (bytes.length < end) return false
  for (let at = start; at < end; at++) if (bytes[at] !== PREFIX[at]) return false
  return true
}

/**
 * Whether the bytes claim to be a sealed payload.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSealed = (bytes: Uint8Array): boolean => holds(bytes, 0, VERSIONED)

/**
 * Joins the header and the ciphertext. Default: sealed to the recipient's wallet.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = ({ ciphertext, enc }: Sealed, keyKind: KeyKind = "wallet"): Uint8Array => {
  const bytes = new Uint8Array(HEADER_SIZE + ciphertext.length)
  bytes.set(PREFIX)
  bytes[KEY_KIND_AT] = KEY_KINDS.indexOf(keyKind)
  bytes.set(enc, ENC_AT)
  bytes.set(ciphertext, HEADER_SIZE)
  return bytes
}

/**
 * The parts, as views. `Malformed` if the bytes are too short or do not begin as a sealed payload. `Unsupported` if this
 * version does not know the suite or the kind of key.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Addressed, "Malformed" | "Unsupported"> => {
  if (!isSealed(bytes) || bytes.length < HEADER_SIZE + TAG_SIZE) return Either.left("Malformed")
  const keyKind = KEY_KINDS[bytes[KEY_KIND_AT] ?? KEY_KINDS.length]
  return keyKind !== undefined && holds(bytes, 0, KEY_KIND_AT) && holds(bytes, KEY_KIND_AT + 1, PREFIX.length)
    ? Either.right({ keyKind, enc: bytes.subarray(ENC_AT, HEADER_SIZE), ciphertext: bytes.subarray(HEADER_SIZE) })
    : Either.left("Unsupported")
}

const SMALL_STEP = 256
const LARGE_STEP = 4096
const MARK = 0x80

/**
 * Joins the arrays and pads them.
 *
 * @since 0.1.0
 * @category encoding
 */
export const pad = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  const step = size + 1 > LARGE_STEP ? LARGE_STEP : SMALL_STEP
  return padTo(parts, Math.ceil((size + 1) / step) * step)
}

/**
 * Joins the arrays and pads them to `size`, which must exceed their joint length.
 *
 * @since 0.1.0
 * @category encoding
 */
export const padTo = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const padded = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    padded.set(part, at)
    at += part.length
  }
  padded[at] = MARK
  return padded
}

/**
 * The bytes without their padding, as a view; `undefined` if they have no valid padding.
 *
 * @since 0.1.0
 * @category decoding
 */
export const unpad = (padded: Uint8Array): Uint8Array | undefined => {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  return end >= 0 && padded[end] === MARK ? padded.subarray(0, end) : undefined
}

/**
 * The context to which a sealed payload is bound. The payload does not open for another sender, recipient, type or
 * program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Binding {
  readonly programId: Address
  /** The sender's agent. */
  readonly sender: Address
  /** The recipient's wallet. */
  readonly recipient: Address
  readonly type: MessageType
}

const LABEL = new TextEncoder().encode("PoD sealed 1")

/**
 * The binding as bytes: the `info` of HPKE.
 *
 * @since 0.1.0
 * @category encoding
 */
export const info = ({ programId, recipient, sender, type }: Binding): Either.Either<Uint8Array, InvalidInput> =>
  Either.map(seed(type), (type) => {
    const addresses = [programId, sender, recipient].map((address) => Addresses.toBytes(address))
    return Uint8Array.from([...[LABEL, ...addresses].flatMap((part) => [...part]), type])
  })

const EPHEMERAL = new TextEncoder().encode("PoD sealed ephemeral 1")

/**
 * The context of a derived ephemeral key: a hash of the recipient's X25519 key, the `info` and the plaintext. Equal
 * input gives equal bytes. Different plaintexts never share an ephemeral key, so they never share key and nonce.
 *
 * @since 0.1.0
 * @category encoding
 */
export const ephemeralContext = (recipientKey: Uint8Array, info: Uint8Array, plaintext: Uint8Array): Uint8Array =>
  Hash.sha256Parts([EPHEMERAL, recipientKey, Hash.sha256(info), Hash.sha256(plaintext)])
