/**
 * The formats of a sealed channel: broadcasts that only its participants can open, and the keys that open them.
 *
 * A channel has epochs, numbered from 1, each with a random key of 32 bytes. The channel's creator wraps the key of an
 * epoch to the wallet of each participant. The wraps form a *package*, which a `PayloadStore` keeps. The creator
 * announces its SHA-256 by a broadcast. The address of the broadcast follows from channel, creator and epoch, so nobody
 * else can make it.
 *
 * | text | what |
 * |---|---|
 * | `PoD2.` and 64 digits | a sealed broadcast: epoch (u32, little-endian), nonce (12 bytes), ciphertext, tag (16) |
 * | `PoD2k` and 64 digits | the announcement of an epoch: SHA-256 of its package |
 *
 * A digit has 6 bits. The digits are those of base64url with `.` and `~` in place of `O` and `o`. So they cannot form a
 * word that the program's filter refuses (`onload`, `onclick`, `onerror`).
 *
 * | package | what |
 * |---|---|
 * | 0–3 | `PoD` and the version, 3 |
 * | 4–7 | the epoch, u32, little-endian |
 * | 8– | for each participant 113 bytes: wallet (32), kind of key (1), ephemeral key (32), wrapped key with its tag (48) |
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Check from "../internal/check.js"
import * as Utf8 from "../internal/Utf8.js"
import { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "../solana/Address.js"
import * as Hash from "../solana/Hash.js"
import * as Pda from "./Pda.js"
import * as Program from "./Program.js"
import * as Sealed from "./Sealed.js"

const DIGITS = "ABCDEFGHIJKLMN.PQRSTUVWXYZabcdefghijklmn~pqrstuvwxyz0123456789-_"

const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]))

const toText = (bytes: Uint8Array): string => {
  let text = ""
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    for (; bits >= 6; bits -= 6) text += DIGITS.charAt((held >> (bits - 6)) & 63)
  }
  return bits === 0 ? text : text + DIGITS.charAt((held << (6 - bits)) & 63)
}

/** `undefined` if a character is not a digit, or if bits are left over. */
const fromText = (text: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8))
  let held = 0
  let bits = 0
  let at = 0
  for (const digit of text) {
    const value = VALUES.get(digit)
    if (value === undefined) return undefined
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >> bits
    }
  }
  return bits < 6 && (held & ((1 << bits) - 1)) === 0 ? bytes : undefined
}

const BROADCAST = "PoD2."
const ANNOUNCEMENT = "PoD2k"

const EPOCH_SIZE = 4

/** Nonce and tag. */
const CIPHER_SIZE = 12 + 16

/**
 * The largest epoch.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_EPOCH = 2 ** 32 - 1

const plaintextIn = (characters: number): number =>
  Math.floor(((characters - BROADCAST.length) * 6) / 8) - EPOCH_SIZE - CIPHER_SIZE

/** One byte of the plaintext begins the padding. */
const PADDING = 1

/**
 * Maximum bytes of UTF-8 in a sealed broadcast.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CONTENT_BYTES: number = plaintextIn(Program.MAX_BROADCAST_BYTES) - PADDING

/**
 * As {@link MAX_CONTENT_BYTES}, for a broadcast that replies to another message.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_REPLY_BYTES: number = plaintextIn(Program.MAX_REPLY_BYTES) - PADDING

/** The padding hides the exact length. */
const STEP = 32

/**
 * The plaintext of a broadcast: its content, padded to a multiple of 32 bytes or to the maximum. Fails if the content
 * is too long or has a lone surrogate.
 *
 * @since 0.1.0
 * @category encoding
 */
export const pad = (content: string, isReply: boolean): Either.Either<Uint8Array, InvalidInput> => {
  const max = isReply ? MAX_REPLY_BYTES : MAX_CONTENT_BYTES
  if (!Utf8.isWellFormed(content)) {
    return Either.left(new InvalidInput({ field: "content", rule: "must not hold half of a surrogate pair" }))
  }
  const bytes = Utf8.encode(content)
  if (bytes.length > max) {
    const rule = `must be at most ${max} bytes of UTF-8 in a sealed broadcast${isReply ? " that is a reply" : ""}`
    return Either.left(new InvalidInput({ field: "content", rule, size: bytes.length }))
  }
  const size = Math.ceil((bytes.length + PADDING) / STEP) * STEP
  return Either.right(Sealed.padTo([bytes], Math.min(size, max + PADDING)))
}

/**
 * The content of a plaintext; `undefined` if the padding or the UTF-8 is invalid.
 *
 * @since 0.1.0
 * @category decoding
 */
export const unpad = (plaintext: Uint8Array): string | undefined => {
  const bytes = Sealed.unpad(plaintext)
  return bytes === undefined ? undefined : Utf8.decode(bytes, 0, bytes.length)
}

/**
 * The ciphertext of a broadcast and the epoch whose key opens it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SealedBroadcast {
  readonly epoch: number
  /** Nonce, ciphertext and tag. */
  readonly sealed: Uint8Array
}

/**
 * The text of a sealed broadcast.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = ({ epoch, sealed }: SealedBroadcast): string => {
  const bytes = new Uint8Array(EPOCH_SIZE + sealed.length)
  bytes.set(u32(epoch))
  bytes.set(sealed, EPOCH_SIZE)
  return BROADCAST + toText(bytes)
}

/**
 * The kind of a channel message's content: open text, a sealed broadcast, or the announcement of an epoch. `Malformed` is
 * damaged text of one of the last two. `hash` is the SHA-256 of the epoch's package.
 *
 * @since 0.1.0
 * @category models
 */
export type Content =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Announcement"; readonly hash: Uint8Array }
  | { readonly _tag: "Malformed" }
  | ({ readonly _tag: "Sealed" } & SealedBroadcast)

const MALFORMED: Content = { _tag: "Malformed" }

/**
 * Reads the content of a channel message.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (content: string): Content => {
  const isSealed = content.startsWith(BROADCAST)
  if (!isSealed && !content.startsWith(ANNOUNCEMENT)) return { _tag: "Open" }
  const bytes = fromText(content.slice(BROADCAST.length))
  if (bytes === undefined) return MALFORMED
  if (!isSealed) return bytes.length === Addresses.SIZE ? { _tag: "Announcement", hash: bytes } : MALFORMED
  const epoch = bytes.length < EPOCH_SIZE + CIPHER_SIZE ? 0 : epochAt(bytes, 0)
  return epoch === 0 ? MALFORMED : { _tag: "Sealed", epoch, sealed: bytes.subarray(EPOCH_SIZE) }
}

/**
 * The content of the announcement of a package.
 *
 * @since 0.1.0
 * @category encoding
 */
export const announcement = (packageHash: Uint8Array): string => ANNOUNCEMENT + toText(packageHash)

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(EPOCH_SIZE)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

const epochAt = (bytes: Uint8Array, offset: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset, true)

const utf8 = new TextEncoder()
const EPOCH_LABEL = utf8.encode("PoD channel epoch 1")
const WRAP_LABEL = utf8.encode("PoD channel key 1")
const MESSAGE_LABEL = utf8.encode("PoD channel message 1")

const joined = (label: Uint8Array, epoch: number, addresses: ReadonlyArray<Address>): Uint8Array =>
  Uint8Array.from(
    [label, u32(epoch), ...addresses.map((address) => Addresses.toBytes(address))].flatMap((part) => [...part])
  )

/**
 * The nonce of the broadcast that announces an epoch.
 *
 * @since 0.1.0
 * @category addresses
 */
export const announcementNonce = (channel: Address, epoch: number): bigint =>
  new DataView(Hash.sha256(joined(EPOCH_LABEL, epoch, [channel])).slice(0, 8).buffer).getBigUint64(0, true)

/**
 * The address of the announcement of an epoch. Fails for an epoch out of range.
 *
 * @since 0.1.0
 * @category addresses
 */
export const announcementAddress = (
  channel: Address,
  creator: Address,
  epoch: number,
  programId: Address = Program.PROGRAM_ID
): Either.Either<Address, InvalidInput> =>
  Either.flatMap(Check.integer("epoch", epoch, 1, MAX_EPOCH), () =>
    Either.map(
      Pda.channelMessage(channel, creator, announcementNonce(channel, epoch), programId),
      ({ address }) => address
    )
  )

/**
 * The context to which a wrapped key is bound. The key does not open for another program, channel, epoch, creator or
 * participant. Creator and participant are wallets.
 *
 * @since 0.1.0
 * @category models
 */
export interface WrapBinding {
  readonly programId: Address
  readonly channel: Address
  readonly epoch: number
  readonly creator: Address
  readonly participant: Address
}

/**
 * The binding of a wrapped key as bytes: the `info` of HPKE.
 *
 * @since 0.1.0
 * @category encoding
 */
export const wrapInfo = ({ channel, creator, epoch, participant, programId }: WrapBinding): Uint8Array =>
  joined(WRAP_LABEL, epoch, [programId, channel, creator, participant])

/**
 * The context to which a sealed broadcast is bound, as bytes. The address of the message determines channel, sender and
 * program, and no other message has it.
 *
 * @since 0.1.0
 * @category encoding
 */
export const messageInfo = (message: Address, epoch: number): Uint8Array => joined(MESSAGE_LABEL, epoch, [message])

/**
 * The key of an epoch for one participant.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wrap extends Sealed.Addressed {
  /** The participant's wallet. */
  readonly participant: Address
}

/**
 * The wraps of an epoch.
 *
 * @since 0.1.0
 * @category models
 */
export interface Package {
  readonly epoch: number
  readonly wraps: ReadonlyArray<Wrap>
}

/**
 * Bytes of the key of an epoch.
 *
 * @since 0.1.0
 * @category constants
 */
export const KEY_SIZE = 32

const PACKAGE = Uint8Array.of(0x50, 0x6f, 0x44, 3)
const PACKAGE_HEADER = PACKAGE.length + EPOCH_SIZE
const WRAPPED_SIZE = KEY_SIZE + Sealed.TAG_SIZE
const KIND_AT = Addresses.SIZE
const ENC_AT = KIND_AT + 1
const WRAPPED_AT = ENC_AT + 32
const WRAP_SIZE = WRAPPED_AT + WRAPPED_SIZE

const KINDS: ReadonlyArray<Sealed.KeyKind> = ["wallet", "published"]

/**
 * Joins the wraps of an epoch.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encodePackage = ({ epoch, wraps }: Package): Uint8Array => {
  const bytes = new Uint8Array(PACKAGE_HEADER + wraps.length * WRAP_SIZE)
  bytes.set(PACKAGE)
  bytes.set(u32(epoch), PACKAGE.length)
  wraps.forEach(({ ciphertext, enc, keyKind, participant }, index) => {
    const at = PACKAGE_HEADER + index * WRAP_SIZE
    bytes.set(Addresses.toBytes(participant), at)
    bytes[at + KIND_AT] = KINDS.indexOf(keyKind)
    bytes.set(enc, at + ENC_AT)
    bytes.set(ciphertext, at + WRAPPED_AT)
  })
  return bytes
}

/**
 * Reads a package. `undefined` if the bytes are not a package, or if it has another epoch, an unknown kind of key, or
 * more than {@link Program.MAX_PARTICIPANTS} wraps. The wraps are views.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodePackage = (bytes: Uint8Array, epoch: number): Package | undefined => {
  const count = (bytes.length - PACKAGE_HEADER) / WRAP_SIZE
  if (!Number.isInteger(count) || count < 0 || count > Program.MAX_PARTICIPANTS) return undefined
  if (PACKAGE.some((byte, at) => bytes[at] !== byte) || epochAt(bytes, PACKAGE.length) !== epoch) return undefined
  const wraps: Array<Wrap> = []
  for (let at = PACKAGE_HEADER; at < bytes.length; at += WRAP_SIZE) {
    const keyKind = KINDS[bytes[at + KIND_AT] ?? KINDS.length]
    if (keyKind === undefined) return undefined
    wraps.push({
      participant: Addresses.fromBytes(bytes, at),
      keyKind,
      enc: bytes.subarray(at + ENC_AT, at + WRAPPED_AT),
      ciphertext: bytes.subarray(at + WRAPPED_AT, at + WRAP_SIZE)
    })
  }
  return { epoch, wraps }
}
