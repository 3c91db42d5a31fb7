/** A position in the stream of events, and the errors that contain one. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { printable } from "../../src/internal/printable.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import type { ProtocolEvent } from "../../src/protocol/ProtocolEvent.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as Signatures from "../../src/solana/Signature.js"

const MAX_SLOT = 2n ** 64n - 1n

const Slot = Schema.BigInt.pipe(Schema.betweenBigInt(0n, MAX_SLOT))

/**
 * A position in the stream: every event before it was emitted, and no event after it. It is plain JSON, bound to one
 * program on one cluster. Without `position`, all events up to `slot` were emitted, including that slot. With
 * `position`, the events before `slot` were emitted, and in `slot` those up to `position`.
 *
 * @since 0.1.0
 * @category models
 */
export class Cursor extends Schema.Class<Cursor>("@pod-protocol/effect/ProtocolEvents/Cursor")({
  program: Addresses.Schema,
  /** Hash of the cluster's genesis block. */
  genesis: Blockhashes.Schema,
  slot: Slot,
  position: Schema.optional(Schema.Struct({ signature: Signatures.Schema, path: Schema.String }))
}) {
  toJSON(): typeof Cursor.Encoded {
    return Schema.encodeSync(Cursor)(this)
  }
}

/**
 * The nodes no longer keep the transactions of the slots `from` to `to`. Their events cannot be read.
 *
 * @since 0.1.0
 * @category errors
 */
export class HistoryLost extends printable(
  Schema.TaggedError<HistoryLost>("@pod-protocol/effect/HistoryLost")("HistoryLost", {
    from: Slot,
    to: Slot
  })
) {
  /** Always false: a node does not restore a pruned ledger. Another endpoint may have a longer one. */
  readonly isRetryable = false

  override get message(): string {
    return `The nodes no longer have the transactions of slots ${this.from} to ${this.to}. Use an endpoint with a longer history, or \`onGap: "skip"\`.`
  }
}

/**
 * The consumer was slower than the events, and its buffer was full. All buffered events were emitted first.
 *
 * @since 0.1.0
 * @category errors
 */
export class Overflow extends printable(
  Schema.TaggedError<Overflow>("@pod-protocol/effect/ProtocolEvents/Overflow")("Overflow", {
    /** The position behind the last emitted event. A stream from here misses no event. */
    cursor: Cursor
  })
) {
  /** Always true: a stream from `cursor` continues. */
  readonly isRetryable = true

  override get message(): string {
    return `The consumer was slower than the events and its buffer was full. Start again from the cursor at slot ${this.cursor.slot}, or raise \`buffer\`.`
  }
}

/** A program on a cluster. */
export interface Binding {
  readonly program: Cursor["program"]
  readonly genesis: Cursor["genesis"]
}

const TRUSTED = { disableValidation: true }

/** The position behind all events of a slot. */
export const afterSlot = ({ genesis, program }: Binding, slot: bigint): Cursor =>
  new Cursor({ program, genesis, slot }, TRUSTED)

/** The position behind one event of a slot. */
export const afterEvent = (
  { genesis, program }: Binding,
  { path, signature, slot }: Pick<ProtocolEvent, "path" | "signature" | "slot">
): Cursor => new Cursor({ program, genesis, slot, position: { signature, path } }, TRUSTED)

/** The last slot with all its events emitted; -1 before the first slot. */
export const wholeSlot = ({ position, slot }: Cursor): bigint => (position === undefined ? slot : slot - 1n)

/** The events of a slot behind the cursor. All of them, if the slot no longer contains the cursor's position. */
export const rest = (
  { position, slot }: Cursor,
  at: bigint,
  events: ReadonlyArray<ProtocolEvent>
): ReadonlyArray<ProtocolEvent> => {
  if (position === undefined || at !== slot) return events
  const index = events.findIndex(({ path, signature }) => signature === position.signature && path === position.path)
  return events.slice(index + 1)
}

const refuse = (rule: string) => Either.left(new InvalidInput({ field: "from", rule }))

const decode = Schema.decodeUnknownEither(Cursor)

/** Decodes and checks a caller's cursor. It must belong to this program on this cluster. */
export const check = (given: unknown, { genesis, program }: Binding): Either.Either<Cursor, InvalidInput> => {
  const cursor = Schema.is(Cursor)(given) ? Either.right(given) : decode(given)
  if (Either.isLeft(cursor)) return refuse("must be a cursor that this service emitted")
  if (cursor.right.program !== program) return refuse("must be of this program")
  return cursor.right.genesis === genesis ? Either.right(cursor.right) : refuse("must be of this cluster")
}
