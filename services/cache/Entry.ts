/**
 * An entry of the first level: bytes, their version and age, and their decoded value.
 */
import type * as Clock from "../internal/clock.js"

/** Accounts have slots as versions, application values have milliseconds. The two are never compared. */
export type Space = "account" | "value"

export interface Entry {
  /** The kind of account, or the namespace. */
  readonly kind: string
  /** The slot at which it was read, or the stamp taken when its read began. */
  readonly version: bigint
  readonly readAt: Clock.Moment
  /** How long the entry is fresh, in milliseconds. */
  readonly ttl: number
  /** The account's data, or the encoded value; `undefined` if the account does not exist. */
  readonly bytes: Uint8Array | undefined
  /** Names whose fences also apply to the entry. */
  readonly groups: ReadonlyArray<string>
  /** Whether a feed reports its changes: an account, or a value with tags. */
  readonly isTracked: boolean
  /** Whether an invalidation of its own name is later than the entry. */
  isFenced: boolean
  /** The decoded value, with its decoder. */
  decoded: Decoded<unknown> | undefined
}

/** Decodes an entry to an answer. Answers of the same decoder object have the same type. */
export interface Decoder<Answer> {
  readonly decode: (name: string, entry: Entry) => Answer
}

interface Decoded<Answer> {
  readonly by: Decoder<Answer>
  readonly answer: Answer
}

const isBy = <Answer>(decoded: Decoded<unknown>, decoder: Decoder<Answer>): decoded is Decoded<Answer> =>
  decoded.by === decoder

/** The entry's answer. It is decoded once. */
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

/** Bytes of an entry in addition to its data: its objects, its name and its place in the list. */
const ENTRY_BYTES = 600
const GROUP_BYTES = 100

/** The data counts twice, as bytes and as decoded value. */
export const sizeOf = ({ bytes, groups }: Entry): number =>
  ENTRY_BYTES + 2 * (bytes?.length ?? 0) + GROUP_BYTES * groups.length
