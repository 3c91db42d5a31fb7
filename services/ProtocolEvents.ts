/**
 * The events of the program as one stream: each event once, in the order of the chain, across restarts, lost
 * connections and lagging nodes.
 *
 * Every element has a cursor. Store it in the same transaction as the effect of its event, and start from it after a
 * restart: then each event is applied once. Events are read from the history of the program's address. A log
 * subscription only shortens the wait, so a lost, duplicate or late notification neither loses nor repeats an event. If
 * a node does not return a transaction that the history lists, the stream waits for it. All streams of a commitment
 * share one upstream.
 *
 * An event is emitted at `confirmed` or `finalized`. Nodes must list the transactions of an address in block order, as
 * Agave does since 1.18.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Check from "../src/internal/check.js"
import { model } from "../src/internal/jsonable.js"
import { InvalidInput } from "../src/InvalidInput.js"
import { PROGRAM_ID } from "../src/protocol/Program.js"
import * as ProtocolEvent from "../src/protocol/ProtocolEvent.js"
import * as Blockhash from "../src/solana/Blockhash.js"
import { tracedStream } from "./internal/traced.js"
import * as Metrics from "./Metrics.js"
import { ProgramId } from "./ProgramId.js"
import * as Cursors from "./protocolEvents/Cursor.js"
import * as Feeds from "./protocolEvents/Feeds.js"
import { type Part, Reader, type Settled } from "./protocolEvents/History.js"
import { RpcPool } from "./RpcPool.js"
import type { RpcError } from "./RpcTransport.js"

export { Cursor, HistoryLost, Overflow } from "./protocolEvents/Cursor.js"

/**
 * An event, and the cursor behind it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Item {
  readonly event: ProtocolEvent.ProtocolEvent
  readonly cursor: Cursors.Cursor
}

/**
 * The events of a slot, or a report that the history has no more events for now.
 *
 * @since 0.1.0
 * @category models
 */
export interface Batch {
  /** The events in order. Empty if the slot has no event of the requested kinds, and at the end of the history. */
  readonly items: ReadonlyArray<Item>
  /** The cursor behind the events. */
  readonly cursor: Cursors.Cursor
  /** Whether the history was just read to its end and all its events were emitted. */
  readonly isCurrent: boolean
}

/**
 * The errors of a stream of events.
 *
 * @since 0.1.0
 * @category errors
 */
export type EventsError = Cursors.HistoryLost | Cursors.Overflow | InvalidInput | RpcError

/**
 * Options of a stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamOptions {
  /**
   * Where to start: behind a cursor, `"now"` (default), or at the `"beginning"` of the program's history.
   * `InvalidInput` on `from` for a cursor of another program or cluster, or one that is more than 150 slots ahead of
   * the node.
   */
  readonly from?: Cursors.Cursor | "beginning" | "now" | undefined
  /**
   * `confirmed` (default): two thirds of the stake have voted for the event. `finalized`: the event cannot be rolled
   * back, and comes about 13 seconds later.
   */
  readonly commitment?: Settled | undefined
  /** The kinds to emit. Default: all. */
  readonly kinds?: ReadonlyArray<ProtocolEvent.Kind> | undefined
  /**
   * How to handle transactions that the nodes no longer keep: `"fail"` (default) with `HistoryLost`, `"skip"` with a
   * warning in the log, or run an effect and continue after the gap.
   */
  readonly onGap?: "fail" | "skip" | ((lost: Cursors.HistoryLost) => Effect.Effect<void>) | undefined
}

/**
 * The operations of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Emits each event once, in the order of the chain. Ends only with an error. */
  readonly stream: (options?: StreamOptions) => Stream.Stream<Item, EventsError>
  /**
   * As `stream`, one slot at a time. A read of the history without new events gives a batch without events that is
   * current. So a consumer can verify that it has not fallen behind: such a batch comes at least every `pollInterval`
   * while endpoints answer.
   */
  readonly batches: (options?: StreamOptions) => Stream.Stream<Batch, EventsError>
}

/**
 * Streams the events of the program.
 *
 * @example
 * ```ts
 * import { ProtocolEvents } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * export const payOut = (
 *   from: ProtocolEvents.Cursor | "beginning",
 *   apply: (item: ProtocolEvents.Item) => Effect.Effect<void>
 * ) =>
 *   Stream.unwrap(
 *     Effect.map(ProtocolEvents.ProtocolEvents, (events) =>
 *       events.stream({ from, commitment: "finalized", kinds: ["EscrowDeposited"] })
 *     )
 *   ).pipe(Stream.runForEach(apply))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class ProtocolEvents extends Context.Tag("@pod-protocol/effect/ProtocolEvents")<ProtocolEvents, Service>() {}

/**
 * Options of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Time between two reads of the history without a notification. Default: 2 seconds. Each read is two calls. Too low:
   * it uses up the endpoints' rate limits. Too high: events with a lost notification are emitted late.
   */
  readonly pollInterval?: Duration.DurationInput | undefined
  /**
   * Transactions that are fetched concurrently. Default: 8. Too low: long histories take long. Too high: endpoints
   * refuse calls.
   */
  readonly concurrency?: number | undefined
  /**
   * Maximum events that wait for a slow consumer. Default: 4096. With more, the consumer fails with `Overflow`. Too
   * low: bursts end the stream. Too high: memory, at most about 10 KB for each event.
   */
  readonly buffer?: number | undefined
}

/** Slots, about a minute, that a cursor may be ahead of a lagging node. */
const MAX_AHEAD = 150n

const isSettled = (commitment: unknown): commitment is Settled =>
  commitment === "confirmed" || commitment === "finalized"

const checkCommitment = (commitment: Settled): Either.Either<Settled, InvalidInput> =>
  isSettled(commitment)
    ? Either.right(commitment)
    : Either.left(new InvalidInput({ field: "commitment", rule: "must be confirmed or finalized" }))

const checkKinds = (
  kinds: ReadonlyArray<ProtocolEvent.Kind> = ProtocolEvent.kinds
): Either.Either<ReadonlySet<string>, InvalidInput> => {
  const index = kinds.findIndex((kind) => !ProtocolEvent.kinds.includes(kind))
  if (kinds.length === 0) return Either.left(new InvalidInput({ field: "kinds", rule: "must name at least one kind" }))
  return index === -1
    ? Either.right(new Set(kinds))
    : Either.left(new InvalidInput({ field: `kinds[${index}]`, rule: "must be a kind of event" }))
}

const checkOnGap = (
  onGap: NonNullable<StreamOptions["onGap"]>
): Either.Either<NonNullable<StreamOptions["onGap"]>, InvalidInput> =>
  onGap === "fail" || onGap === "skip" || typeof onGap === "function"
    ? Either.right(onGap)
    : Either.left(new InvalidInput({ field: "onGap", rule: "must be fail, skip or a function" }))

/** Continues after a gap, or fails with `HistoryLost`. */
const afterGap = (
  onGap: NonNullable<StreamOptions["onGap"]>,
  lost: Cursors.HistoryLost
): Effect.Effect<void, Cursors.HistoryLost> => {
  if (onGap === "fail") return Effect.fail(lost)
  return onGap === "skip" ? Effect.logWarning(lost.message) : onGap(lost)
}

/** The cursor behind a slot. It is never before the start. */
const placeOf = (binding: Cursors.Binding, start: Cursors.Cursor | undefined, slot: bigint): Cursors.Cursor =>
  start !== undefined && slot <= Cursors.wholeSlot(start) ? start : Cursors.afterSlot(binding, slot < 0n ? 0n : slot)

/** The items of a slot behind the start. */
const itemsOf = (
  binding: Cursors.Binding,
  start: Cursors.Cursor | undefined,
  kinds: ReadonlySet<string>,
  { events, slot }: Extract<Part, { readonly _tag: "Slot" }>
): ReadonlyArray<Item> => {
  const last = events.at(-1)
  const items: Array<Item> = []
  for (const event of start === undefined ? events : Cursors.rest(start, slot, events)) {
    if (!kinds.has(event._tag)) continue
    const cursor = event === last ? Cursors.afterSlot(binding, slot) : Cursors.afterEvent(binding, event)
    items.push(model({ event, cursor }))
  }
  return items
}

/**
 * Builds the service from the `RpcPool` in context, for the current `ProgramId`. It reads nothing before the first
 * stream.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, InvalidInput, RpcPool | Scope.Scope> =>
  Effect.gen(function* () {
    const pool = yield* RpcPool
    const program = yield* ProgramId
    const pollInterval = yield* Check.millis("pollInterval", options.pollInterval ?? "2 seconds")
    const concurrency = yield* Check.integer("concurrency", options.concurrency ?? 8, 1, 1000)
    const buffer = yield* Check.integer("buffer", options.buffer ?? 4096, 1)
    const feeds = yield* Feeds.make(pool, program, { pollInterval, concurrency, buffer })

    const batches = ({ commitment = "confirmed", from = "now", kinds, onGap = "fail" }: StreamOptions) =>
      Effect.gen(function* () {
        const settled = yield* checkCommitment(commitment)
        const wanted = yield* checkKinds(kinds)
        yield* checkOnGap(onGap)
        const { binding, feed, history } = yield* feeds.acquire(settled)
        const start = from === "now" || from === "beginning" ? undefined : yield* Cursors.check(from, binding)
        if (start !== undefined) {
          const head = yield* history.head
          if (start.slot > head + MAX_AHEAD) {
            const rule = `must not be ahead of the cluster, which has reached slot ${head}`
            return yield* new InvalidInput({ field: "from", rule, size: start.slot })
          }
        }
        let after = start === undefined ? (from === "now" ? feed.position : -1n) : Cursors.wholeSlot(start)
        let reader: Reader | undefined
        let inbox: Feeds.Inbox | undefined
        yield* Effect.addFinalizer(() => Effect.sync(() => inbox !== undefined && feed.leave(inbox)))

        /** Reads up to the feed's position, then joins the feed there. */
        const missed: Effect.Effect<ReadonlyArray<Part>, Option.Option<RpcError>> = Effect.suspend(() => {
          if (reader === undefined && after >= feed.position) {
            inbox = feed.join()
            return Effect.fail(Option.none())
          }
          const current = (reader ??= new Reader(history, { after, to: feed.position }))
          return Effect.flatMap(Effect.mapError(current.next(), Option.some), (parts) => {
            if (parts !== undefined) return Effect.succeed(parts)
            reader = undefined
            after = current.to
            return missed
          })
        })

        const emit = (part: Feeds.Given): Effect.Effect<Batch, Cursors.HistoryLost> => {
          const batch = (slot: bigint, items: ReadonlyArray<Item> = []): Batch => ({
            items,
            cursor: placeOf(binding, start, slot),
            isCurrent: part._tag === "End"
          })
          if (part._tag === "End") return Effect.succeed(batch(part.position))
          if (part._tag === "Lost") {
            return Effect.as(afterGap(onGap, new Cursors.HistoryLost({ from: part.from, to: part.to })), batch(part.to))
          }
          const isBefore = start !== undefined && part.slot <= Cursors.wholeSlot(start)
          return Effect.succeed(batch(part.slot, isBefore ? [] : itemsOf(binding, start, wanted, part)))
        }
        /** The feed may be behind the start, if its node lags behind that of the cursor. */
        const overflow = ({ cursor }: Cursors.Overflow) =>
          new Cursors.Overflow({ cursor: placeOf(binding, start, cursor.slot) })
        const live = Stream.suspend(() => Stream.mapError(inbox?.stream ?? Stream.empty, overflow))
        const ended = Stream.suspend(() => (feed.cause === undefined ? Stream.empty : Stream.failCause(feed.cause)))
        return Stream.repeatEffectChunkOption(Effect.map(missed, Chunk.unsafeFromArray)).pipe(
          Stream.concat(live),
          Stream.concat(ended),
          Stream.mapEffect(emit)
        )
      })

    const counted = (options: StreamOptions = {}) =>
      Stream.unwrapScoped(
        Effect.zipRight(
          Effect.acquireRelease(Metric.incrementBy(Metrics.eventConsumers, 1), () =>
            Metric.incrementBy(Metrics.eventConsumers, -1)
          ),
          batches(options)
        )
      )

    return ProtocolEvents.of({
      stream: (options) =>
        Stream.mapConcat(counted(options), ({ items }) => items).pipe(tracedStream("ProtocolEvents.stream")),
      batches: (options) => tracedStream("ProtocolEvents.batches")(counted(options))
    })
  })

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<ProtocolEvents, InvalidInput, RpcPool> =>
  Layer.scoped(ProtocolEvents, make(options))

/**
 * As {@link layer}, with options from a `Config` with the application's own names, such as
 * `{ pollInterval: Config.duration("EVENTS_POLL_INTERVAL") }`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<ProtocolEvents, ConfigError.ConfigError | InvalidInput, RpcPool> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * A stream of given events for tests. It emits the events of the requested kinds behind the cursor, then ends. An event
 * is the last one of its slot if the next one has another slot. The last batch is current and has no events. The
 * cluster's genesis hash is all zeros.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (events: Iterable<ProtocolEvent.ProtocolEvent>): Layer.Layer<ProtocolEvents> =>
  Layer.sync(ProtocolEvents, () => {
    const binding = { program: PROGRAM_ID, genesis: Blockhash.fromBytes(new Uint8Array(Blockhash.SIZE)) }
    const bySlot = new Map<bigint, Array<ProtocolEvent.ProtocolEvent>>()
    for (const event of events) {
      const known = bySlot.get(event.slot)
      if (known === undefined) bySlot.set(event.slot, [event])
      else known.push(event)
    }
    const slots = Array.from(bySlot, ([slot, events]) => ({ _tag: "Slot" as const, slot, events }))
    const batches = ({ commitment = "confirmed", from = "now", kinds }: StreamOptions = {}) =>
      Stream.unwrap(
        Effect.gen(function* () {
          yield* checkCommitment(commitment)
          const wanted = yield* checkKinds(kinds)
          const start = from === "now" || from === "beginning" ? undefined : yield* Cursors.check(from, binding)
          const after = start === undefined ? -1n : Cursors.wholeSlot(start)
          const given = slots
            .filter(({ slot }) => slot > after)
            .map((part): Batch => {
              const cursor = Cursors.afterSlot(binding, part.slot)
              return { items: itemsOf(binding, start, wanted, part), cursor, isCurrent: false }
            })
          const cursor = given.at(-1)?.cursor ?? placeOf(binding, start, after)
          return Stream.fromIterable<Batch>([...given, { items: [], cursor, isCurrent: true }])
        })
      )
    return { batches, stream: (options) => Stream.mapConcat(batches(options), ({ items }) => items) }
  })
