/**
 * The program's rules, checked before a transaction costs a fee.
 *
 * The program returns one code for many faults; each check here fails with `InvalidInput` that states the rule. A check
 * returns its input, so checks can be chained.
 *
 * The published program accepts some values that later fail. Examples are a name that is too long for a seed, channel
 * texts that exceed the account, and an update that registration would refuse. The checks refuse these.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Check from "../internal/check.js"
import { model } from "../internal/jsonable.js"
import * as Utf8 from "../internal/Utf8.js"
import { InvalidInput } from "../InvalidInput.js"
import type { ChannelParticipant } from "./Account.js"
import * as Program from "./Program.js"

const HASH_SIZE = 32

/** Returns the rule that a text breaks, if any. */
type TextRule = (text: string) => string | undefined

const wellFormed: TextRule = (text) => (Utf8.isWellFormed(text) ? undefined : "must not hold half of a surrogate pair")

// Unicode's White_Space, which Rust's trim uses: unlike JavaScript's trim, with U+0085 and without U+FEFF.
const notBlank: TextRule = (text) => (/^\p{White_Space}*$/u.test(text) ? "must not be blank" : undefined)

const trimmed: TextRule = (text) =>
  /^\p{White_Space}|\p{White_Space}$/u.test(text) ? "must not begin or end with white space" : undefined

const atLeast =
  (min: number): TextRule =>
  (text) =>
    Utf8.byteLength(text) < min ? `must be at least ${min} bytes of UTF-8` : undefined

const atMost =
  (max: number): TextRule =>
  (text) =>
    Utf8.byteLength(text) > max ? `must be at most ${max} bytes of UTF-8` : undefined

/** Refuses a text that contains one of the lower-case patterns, ignoring case. */
const without =
  (patterns: ReadonlyArray<string>): TextRule =>
  (text) => {
    const lower = text.toLowerCase()
    const found = patterns.find((pattern) => lower.includes(pattern))
    return found === undefined ? undefined : `must not contain ${JSON.stringify(found)}, in upper or lower case`
  }

const noControl =
  (allowed: ReadonlyArray<string>, names: string): TextRule =>
  (text) => {
    const found = text.match(/\p{Cc}/gu)?.find((character) => !allowed.includes(character))
    if (found === undefined) return undefined
    const point = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
    const except = allowed.length === 0 ? "" : ` except ${names}`
    return `must not contain a control character${except}, contains U+${point}`
  }

/** Characters that change the writing direction or end a line. With them, different names look alike. */
const TURNS_DIRECTION = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

const noDirectionChange: TextRule = (text) =>
  TURNS_DIRECTION.test(text) ? "must not contain characters that change the writing direction or end a line" : undefined

const checkText =
  (field: string, rules: ReadonlyArray<TextRule>) =>
  (text: string): Either.Either<string, InvalidInput> => {
    for (const rule of rules) {
      const broken = rule(text)
      if (broken !== undefined) {
        return Either.left(new InvalidInput({ field, rule: broken, size: Utf8.byteLength(text) }))
      }
    }
    return Either.right(text)
  }

/**
 * Checks the URI of an agent's metadata: `http://` or `https://`, 10–200 bytes, without control characters, `..` and
 * the patterns that the program treats as attacks. Some ordinary URIs match a pattern: `https://metadata:8443/`
 * contains `data:`.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkMetadataUri: (uri: string) => Either.Either<string, InvalidInput> = checkText("metadataUri", [
  wellFormed,
  notBlank,
  atMost(Program.MAX_METADATA_URI_BYTES),
  atLeast(Program.MIN_METADATA_URI_BYTES),
  (uri) => (/^https?:\/\//.test(uri) ? undefined : "must begin with https:// or http://"),
  without([
    "javascript:",
    "data:",
    "file:",
    "ftp:",
    "vbscript:",
    "about:",
    "chrome:",
    "<script",
    "onerror",
    "onload",
    "onclick"
  ]),
  noControl(["\t"], "TAB"),
  (uri) => (uri.includes("..") ? 'must not contain ".."' : undefined)
])

/**
 * Checks an agent's capabilities: at most 63 bits.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkCapabilities: (capabilities: bigint) => Either.Either<bigint, InvalidInput> = (capabilities) =>
  Check.bigInteger("capabilities", capabilities, 0n, Program.MAX_CAPABILITIES)

/**
 * Checks a channel's name: 1–32 bytes, without white space at its ends, control characters (NUL included) and
 * characters that change the writing direction. The program accepts the last two, so names from the chain may contain
 * them: show them with `SafeText.make`.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkChannelName: (name: string) => Either.Either<string, InvalidInput> = checkText("name", [
  wellFormed,
  notBlank,
  trimmed,
  atMost(Program.MAX_CHANNEL_NAME_BYTES),
  noControl([], ""),
  noDirectionChange
])

/**
 * Checks a channel's description: at most 200 bytes, with the same forbidden characters as {@link checkChannelName},
 * except that TAB, LF and CR are allowed.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkChannelDescription: (description: string) => Either.Either<string, InvalidInput> = checkText(
  "description",
  [
    wellFormed,
    atMost(Program.MAX_CHANNEL_DESCRIPTION_BYTES),
    noControl(["\t", "\n", "\r"], "TAB, LF and CR"),
    noDirectionChange
  ]
)

/**
 * Checks name and description together: at most 226 bytes, the room in a channel's account.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkChannelTexts = <A extends { readonly name: string; readonly description: string }>(
  texts: A
): Either.Either<A, InvalidInput> => {
  const size = Utf8.byteLength(texts.name) + Utf8.byteLength(texts.description)
  return size <= Program.MAX_CHANNEL_TEXT_BYTES
    ? Either.right(texts)
    : Either.left(
        new InvalidInput({
          field: "description",
          rule: `must be at most ${Program.MAX_CHANNEL_TEXT_BYTES} bytes of UTF-8 together with the name`,
          size
        })
      )
}

/**
 * Checks a channel's maximum of participants: 1–1000.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkMaxParticipants: (count: number) => Either.Either<number, InvalidInput> = (count) =>
  Check.integer("maxParticipants", count, 1, Program.MAX_PARTICIPANTS)

/**
 * Checks a channel's fee: at most 1 SOL.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkFeePerMessage: (fee: bigint) => Either.Either<bigint, InvalidInput> = (fee) =>
  Check.bigInteger("feePerMessage", fee, 0n, Program.MAX_FEE_PER_MESSAGE)

/**
 * Checks the input of a new channel: name, description, both together, participants and fee.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkCreateChannel = <
  A extends {
    readonly name: string
    readonly description: string
    readonly maxParticipants: number
    readonly feePerMessage: bigint
  }
>(
  input: A
): Either.Either<A, InvalidInput> =>
  Either.map(
    Either.all([
      checkChannelName(input.name),
      checkChannelDescription(input.description),
      checkChannelTexts(input),
      checkMaxParticipants(input.maxParticipants),
      checkFeePerMessage(input.feePerMessage)
    ]),
    () => input
  )

/**
 * Checks an escrow deposit: 1 lamport to 10 SOL.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkDeposit: (amount: bigint) => Either.Either<bigint, InvalidInput> = (amount) =>
  Check.bigInteger("amount", amount, 1n, Program.MAX_ESCROW_DEPOSIT)

/**
 * Whether one character fills more than half of the bytes. It must be ASCII, since a longer character cannot occur more
 * than half as often as there are bytes.
 */
const repetitive: TextRule = (content) => {
  const size = Utf8.byteLength(content)
  if (size < 10) return undefined
  const counts = new Map<string, number>()
  for (const character of content) counts.set(character, (counts.get(character) ?? 0) + 1)
  for (const [character, count] of counts) {
    if (count > Math.floor(size / 2)) {
      return `must not repeat ${JSON.stringify(character)} in more than half of its bytes`
    }
  }
  return undefined
}

const contentFilter: ReadonlyArray<TextRule> = [
  noControl(["\t", "\n", "\r"], "TAB, LF and CR"),
  without([
    "javascript:",
    "<script",
    "</script>",
    "onerror",
    "onload",
    "onclick",
    "data:text/html",
    "vbscript:",
    "about:",
    "file:",
    "eval("
  ]),
  without(["drop table", "delete from", "update set", "insert into", "union select", "' or 1=1", "'; --", "/*", "*/"]),
  repetitive
]

/**
 * Checks the content of a broadcast. It must not be blank, and it must not match the program's filter. The filter refuses
 * control characters except TAB, LF and CR, and fragments of scripts and SQL. It also refuses 10 or more bytes if one
 * character makes up more than half of them. Ordinary text often matches the filter: "profile: x" contains `file:`.
 *
 * `maxBytes` is the available room, at most the program's 1000. Default 874, which fits a legacy transaction with one
 * signature and no other instruction. A value too low refuses content that would fit; a value too high leads to a
 * transaction that is too large.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkContent = (
  content: string,
  maxBytes: number = Program.MAX_BROADCAST_BYTES
): Either.Either<string, InvalidInput> =>
  checkText("content", [wellFormed, atMost(Math.min(maxBytes, Program.MAX_CONTENT_BYTES)), notBlank, ...contentFilter])(
    content
  )

/**
 * Checks the content of a compressed broadcast: 1–10,000 bytes. The published program applies no filter; a corrected
 * one applies that of {@link checkContent}, and so does this check. A legacy transaction holds about 633 bytes.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkCompressedContent: (content: string) => Either.Either<string, InvalidInput> = checkText("content", [
  wellFormed,
  atMost(Program.MAX_COMPRESSED_CONTENT_BYTES),
  atLeast(1),
  ...contentFilter
])

/**
 * Checks the IPFS hash of a compressed broadcast: 1–100 bytes, letters and digits of any script.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkIpfsHash: (hash: string) => Either.Either<string, InvalidInput> = checkText("ipfsHash", [
  atLeast(1),
  atMost(Program.MAX_IPFS_HASH_BYTES),
  (hash) => (/^[\p{Alphabetic}\p{N}]+$/u.test(hash) ? undefined : "must consist of letters and digits")
])

/**
 * Checks the hashes of a batch: at most 100 of 32 bytes, none all zeros. A legacy transaction holds 22.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkMessageHashes = (
  hashes: ReadonlyArray<Uint8Array>
): Either.Either<ReadonlyArray<Uint8Array>, InvalidInput> => {
  if (hashes.length > Program.MAX_BATCH_HASHES) {
    return Either.left(
      new InvalidInput({
        field: "messageHashes",
        rule: `must be at most ${Program.MAX_BATCH_HASHES}`,
        size: hashes.length
      })
    )
  }
  for (const [position, hash] of hashes.entries()) {
    const field = `messageHashes[${position}]`
    if (hash.length !== HASH_SIZE) {
      return Either.left(new InvalidInput({ field, rule: `must be ${HASH_SIZE} bytes`, size: hash.length }))
    }
    if (hash.every((byte) => byte === 0)) {
      return Either.left(new InvalidInput({ field, rule: "must not be all zeros" }))
    }
  }
  return Either.right(hashes)
}

/**
 * Checks the time of a batch in Unix seconds: within an hour of `now`, the chain's time.
 *
 * @since 0.1.0
 * @category checks
 */
export const checkSyncTimestamp = (timestamp: bigint, now: bigint): Either.Either<bigint, InvalidInput> =>
  Check.bigInteger(
    "syncTimestamp",
    timestamp,
    now - Program.MAX_BATCH_SKEW_SECONDS,
    now + Program.MAX_BATCH_SKEW_SECONDS
  )

/**
 * The rate-limit state of a participant.
 *
 * @since 0.1.0
 * @category models
 */
export type RateState = Pick<ChannelParticipant, "lastMessageAt" | "messagesSent">

const WINDOW_SECONDS = 60n

/**
 * The earliest time of the next broadcast, in Unix seconds of the chain's time; `now` if it is allowed already.
 *
 * The limit is one message per second; from 10 messages on, one per 10 seconds; after 60, none until a pause of 60
 * seconds. Only a pause of 60 seconds resets the count, however slow the messages were. The 10-second rule does not
 * apply to compressed broadcasts.
 *
 * @since 0.1.0
 * @category rate limit
 */
export const nextBroadcast = (
  participant: RateState,
  now: bigint,
  options?: { readonly isCompressed?: boolean | undefined }
): bigint => {
  const { lastMessageAt, messagesSent } = participant
  if (lastMessageAt <= 0n) return now
  const isBurst = messagesSent >= 10n && options?.isCompressed !== true
  const at = lastMessageAt + (messagesSent >= 60n ? WINDOW_SECONDS : isBurst ? 10n : 1n)
  return at > now ? at : now
}

/**
 * The rate-limit state after a broadcast at `now`, as the program counts it.
 *
 * @since 0.1.0
 * @category rate limit
 */
export const afterBroadcast = (participant: RateState, now: bigint): RateState =>
  model({
    messagesSent:
      participant.lastMessageAt > 0n && now - participant.lastMessageAt < WINDOW_SECONDS
        ? participant.messagesSent + 1n
        : 1n,
    lastMessageAt: now
  })
