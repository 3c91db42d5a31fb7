/**
 * What the first level keeps under a name: bytes, their version and age, and what they were decoded to.
 */
import type * as Clock from "../internal/clock.js"

/** Accounts are versioned by slot, values of applications by milliseconds. The two are never compared. */
export type Space = "account" | "value"

export interface Entry {
  /** The kind of account, or the namespace. */
  readonly kind: string
  /** The slot at which it was read, or the stamp at which reading it began. */
  readonly version: bigint
  readonly readAt: Clock.Moment
  /** How long it is fresh, in milliseconds. */
  readonly ttl: number
  /** The account's data, or the encoded value; `undefined` where there is none. */
  readonly bytes: Uint8Array | undefined
  /** Names whose fences count for it too. */
  readonly groups: ReadonlyArray<string>
  /** Whether a feed of changes tells when it changes: an account, or a value with tags. */
  readonly isTracked: boolean
  /** It is older than an invalidation of its own name. */
  isFenced: boolean
  /** What the bytes were decoded to, by the decoder that did it. */
  decoded: Decoded<unknown> | undefined
}

/** Makes an answer of an entry. Two decoders that are one object give answers of one type. */
export interface Decoder<Answer> {
  readonly decode: (name: string, entry: Entry) => Answer
}

interface Decoded<Answer> {
  readonly by: Decoder<Answer>
  readonly answer: Answer
}

const isBy = <Answer>(decoded: Decoded<unknown>, decoder: Decoder<Answer>): decoded is Decoded<Answer> =>
  decoded.by === decoder

/** The entry's answer, which is made once. */
export const answer = <Answer>(name: string, entry: Entry, decoder: Decoder<Answer>): Answer => {
  const { decoded } = entry
  if (decoded !== undefined && isBy(decoded, decoder)) return decoded.answer
  const made = decoder.decode(name, entry)
  entry.decoded = { by: decoder, answer: made }
  return made
}

/** Milliseconds since the entry was read. A time in the future, which another process's clock may give, is infinitely old. */
export const age = (now: Clock.Moment, { readAt }: Entry): number => {
  const age = Math.max(now.monotonic - readAt.monotonic, now.wall - readAt.wall)
  return age >= 0 ? age : Infinity
}

/** Bytes of an entry beside its data: its objects, its name and its place in the list. */
const ENTRY_BYTES = 600
const GROUP_BYTES = 100

/** The data counts twice: as bytes and decoded. */
export const sizeOf = ({ bytes, groups }: Entry): number =>
  ENTRY_BYTES + 2 * (bytes?.length ?? 0) + GROUP_BYTES * groups.length
