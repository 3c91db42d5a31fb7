/**
 * The shared upstream of all consumers at a commitment. It reads each new slot once and delivers it to each consumer.
 *
 * A log subscription and the poll interval start its reads. They are only hints: new slots are read from the history.
 * So a lost or duplicate notification, or a lost subscription, changes only the delay.
 *
 * Invariants:
 * - `position` and the queues of the consumers change in one synchronous step. A consumer that joins at `position` gets
 *   every later slot once.
 * - After each read, a consumer with an empty queue is notified that the history has no more events.
 * - A full queue ends only its own consumer, with the cursor behind the queued events. The feed and the other consumers
 *   continue.
 * - The feed fails if another cluster replaces its own.
 * - A failed feed ends each consumer with its failure. The next consumer starts a new feed.
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

/** Milliseconds between a wake and its read, to combine several wakes. */
const COALESCE = 20

const otherCluster = new RpcError({
  reason: "Node",
  method: "getGenesisHash",
  detail: "the endpoint now belongs to another cluster. Start again without a cursor"
})

/** The history was read to its end, and all its events were delivered. */
export interface End {
  readonly _tag: "End"
  readonly position: Slot
}

/** The queue of one consumer. It bounds the number of events and the number of parts. */
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
  /**
   * An entry before the newest one that was read. A page that ends with it proves that no entry between them is
   * missing.
   */
  #until: Signature | undefined
  #last: Signature | undefined
  /** The history was read up to this slot. */
  #known = -1n
  #cause: Cause.Cause<RpcError> | undefined

  constructor(history: History, binding: Binding, options: { readonly pollInterval: number; readonly buffer: number }) {
    this.#history = history
    this.#binding = binding
    this.#pollInterval = options.pollInterval
    this.#buffer = options.buffer
  }

  /** The newest delivered slot with transactions of the program; -1 before the first. */
  get position(): Slot {
    return this.#position
  }

  /** Marks the history up to now as delivered. A reply may claim any slot, so an entry above the head is not counted. */
  get begin(): Effect.Effect<void, RpcError> {
    return Effect.flatMap(this.#history.head, (head) => {
      this.#known = head
      const page = this.#history.pageFrom(head, { limit: 2 }, (current) => {
        this.#known = current
      })
      return Effect.map(page, ([newest, older]) => {
        this.#position = newest?.slot ?? -1n
        if (this.#position > this.#known) {
          this.#position = this.#known
          return
        }
        this.#last = newest?.signature
        this.#until = older?.signature
      })
    })
  }

  /** Makes a queue that receives each slot above `position`. */
  join(): Inbox {
    // One more than the parts, for an `End`, which only an empty queue receives.
    const inbox: Inbox = new BoundedQueue({ items: this.#buffer + 1, bytes: this.#buffer })
    if (this.#cause === undefined) {
      this.#inboxes.add(inbox)
      // Starts a read, whose end the consumer is waiting for.
      this.#woken.unsafeOpen()
    } else inbox.end(Option.none())
    return inbox
  }

  leave(inbox: Inbox): void {
    this.#inboxes.delete(inbox)
  }

  /** The cause that ended the feed and its queues. */
  get cause(): Cause.Cause<RpcError> | undefined {
    return this.#cause
  }

  /** Runs until it fails or is interrupted. A failure ends its queues. */
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

  /** Reads the new slots and delivers them. */
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

  /** A node below its earlier slot lags, or belongs to another cluster now. */
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
          // Lets consumers take parts during a burst, so that their buffers fill only if they are slow.
          yield* Effect.yieldNow()
        }
        this.#remember(reader.last)
      }
      this.#known = reader.to
    })
  }

  /** Remembers the last two entries. The reader has returned at least one since the last call. */
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

  /** Starts reads on notifications. A subscription that ends is made again. */
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
