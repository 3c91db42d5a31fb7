/**
 * The one upstream of all consumers at a commitment: reads each new slot once, and hands it to each of them.
 *
 * A log subscription wakes it; so does the poll interval. Both are hints only: what is new is read from the history, so a
 * lost notification, a doubled one or a lost subscription changes nothing but the delay.
 *
 * Invariants:
 * - `position` and the consumers' queues change in one synchronous step. A consumer that joins at `position` gets every
 *   later slot once.
 * - After each read a consumer that has taken everything is told that the history holds no more.
 * - A full queue ends its own consumer, with the place behind what it holds. The others and the feed go on.
 * - A cluster that was replaced by another one fails the feed.
 * - A failed feed ends each consumer with the failure. The next consumer starts a new one.
 */
import type { Signature, Slot } from "@solana/kit"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { fullJitter } from "../internal/backoff.js"
import { BoundedQueue } from "../internal/BoundedQueue.js"
import { persist } from "../internal/persist.js"
import * as Metrics from "../Metrics.js"
import { RpcError } from "../RpcTransport.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"
import { afterSlot, type Binding, Overflow } from "./Cursor.js"
import { type History, type Part, Reader } from "./History.js"

/** Bounds of the random wait before subscribing again, in milliseconds. */
const BASE = 250
const CAP = 30_000

/** Milliseconds from a wake to the read, in which more wakes may come. */
const COALESCE = 20

const otherCluster = new RpcError({
  reason: "Node",
  method: "getGenesisHash",
  detail: "the endpoint is of another cluster than before. Start again without a cursor"
})

/** The history was read to its end, and all that it holds was given. */
export interface End {
  readonly _tag: "End"
  readonly position: Slot
}

/** One consumer's parts. Its bounds are the events of the parts, and the parts. */
export type Inbox = BoundedQueue<Part | End, Overflow>

const eventsOf = (part: Part): number => (part._tag === "Slot" ? part.events.length : 0)

export class Feed {
  readonly #history: History
  readonly #binding: Binding
  readonly #pollInterval: number
  readonly #buffer: number
  readonly #inboxes = new Set<Inbox>()
  readonly #woken = Effect.unsafeMakeLatch(false)
  #position = -1n
  /** An older entry than the newest that was read: a page that ends there shows that nothing between is missing. */
  #until: Signature | undefined
  #last: Signature | undefined
  /** The history up to this slot was read. */
  #known = -1n
  #cause: Cause.Cause<RpcError> | undefined

  constructor(history: History, binding: Binding, options: { readonly pollInterval: number; readonly buffer: number }) {
    this.#history = history
    this.#binding = binding
    this.#pollInterval = options.pollInterval
    this.#buffer = options.buffer
  }

  /** The newest slot with transactions of the program that was handed out: -1 before the first. */
  get position(): Slot {
    return this.#position
  }

  /** Takes the history up to now as handed out. */
  get begin(): Effect.Effect<void, RpcError> {
    return Effect.flatMap(this.#history.head, (head) => {
      this.#known = head
      const page = this.#history.pageFrom(head, { limit: 2 }, (current) => {
        this.#known = current
      })
      return Effect.map(page, ([newest, older]) => {
        this.#position = newest?.slot ?? -1n
        this.#last = newest?.signature
        this.#until = older?.signature
      })
    })
  }

  /** An inbox for each slot above `position`. */
  join(): Inbox {
    // One more than the parts, for an `End`: it is given to an empty inbox only.
    const inbox: Inbox = new BoundedQueue({ items: this.#buffer + 1, bytes: this.#buffer })
    if (this.#cause === undefined) {
      this.#inboxes.add(inbox)
      // The read that follows tells it soon that it is at the end.
      this.#woken.unsafeOpen()
    } else inbox.end(Option.none())
    return inbox
  }

  leave(inbox: Inbox): void {
    this.#inboxes.delete(inbox)
  }

  /** What ended the feed, and its inboxes with it. */
  get cause(): Cause.Cause<RpcError> | undefined {
    return this.#cause
  }

  /** Runs until it is interrupted or cannot go on; then its inboxes end. */
  get run(): Effect.Effect<void> {
    return Effect.catchAllCause(Effect.raceFirst(this.#reads, this.#wakes), (cause) =>
      Effect.sync(() => {
        this.#cause = cause
        for (const inbox of this.#inboxes) inbox.end(Option.none())
        this.#inboxes.clear()
      })
    )
  }

  get #reads(): Effect.Effect<never, RpcError> {
    return this.#read.pipe(
      Effect.zipRight(Effect.raceFirst(this.#woken.await, Effect.sleep(this.#pollInterval))),
      Effect.zipRight(Effect.sleep(Math.min(COALESCE, this.#pollInterval))),
      Effect.forever
    )
  }

  /** Reads and hands out what is new. */
  get #read(): Effect.Effect<void, RpcError> {
    return Effect.gen(this, function* () {
      this.#woken.unsafeClose()
      const head = yield* this.#history.head
      if (head > this.#position) yield* this.#readTo(head)
      if (head < this.#position) return yield* this.#checkCluster
      const end: End = { _tag: "End", position: this.#position }
      for (const inbox of this.#inboxes) if (inbox.size === 0) inbox.offer(end, 0)
    })
  }

  /** A node that is behind what it has said lags, or is of another cluster now. */
  get #checkCluster(): Effect.Effect<void, RpcError> {
    return Effect.flatMap(persist(this.#history.pool.getGenesisHash), (genesis) =>
      genesis === this.#binding.genesis ? Effect.void : otherCluster
    )
  }

  #readTo(head: Slot): Effect.Effect<void, RpcError> {
    return Effect.gen(this, function* () {
      const range = { after: this.#position, known: this.#known, to: head, until: this.#until }
      const reader = new Reader(this.#history, range)
      for (let parts = yield* reader.next(); parts !== undefined; parts = yield* reader.next()) {
        for (const part of parts) {
          yield* this.#publish(part)
          // Consumers take a burst as it comes, so that their buffers hold only what they are slow with.
          yield* Effect.yieldNow()
        }
        this.#remember(reader.last)
      }
      this.#known = reader.to
    })
  }

  /** The reader gave at least one entry since the last time. */
  #remember(last: ReadonlyArray<Signature>): void {
    const newest = last.at(-1)
    if (newest === undefined || newest === this.#last) return
    this.#until = last.at(-2) ?? this.#last
    this.#last = newest
  }

  #publish(part: Part): Effect.Effect<void> {
    return Effect.suspend(() => {
      const isEmpty = part._tag === "Slot" && part.events.length === 0
      for (const inbox of isEmpty ? [] : this.#inboxes) {
        if (inbox.offer(part, eventsOf(part))) continue
        this.#inboxes.delete(inbox)
        inbox.end(Option.some(new Overflow({ cursor: afterSlot(this.#binding, this.#position) })))
      }
      const slot = part._tag === "Slot" ? part.slot : part.to
      if (slot > this.#position) this.#position = slot
      return part._tag === "Lost"
        ? Metric.increment(Metrics.eventsLost)
        : Effect.forEach(part.events, ({ _tag }) => Metric.increment(Metrics.protocolEventsOf(_tag)), { discard: true })
    })
  }

  /** Wakes the reads. A subscription that ends is made again. */
  get #wakes(): Effect.Effect<never> {
    const wake = Effect.sync(() => this.#woken.unsafeOpen())
    let losses = 0
    const { commitment, pool, program } = this.#history
    return pool.logsSubscribe({ mentions: program }, { commitment }).pipe(
      Stream.runForEach(() => wake),
      Effect.provideService(SubscriptionObserver, {
        established: () =>
          Effect.zipRight(
            Effect.sync(() => {
              losses = 0
            }),
            wake
          ),
        interrupted: () => Effect.void
      }),
      Effect.ignore,
      Effect.zipRight(Effect.suspend(() => fullJitter(BASE, CAP, losses++))),
      Effect.flatMap((wait) => Effect.sleep(wait)),
      Effect.forever
    )
  }
}
