/**
 * Makes one Stream from a subscription and from the reads that find missed changes.
 *
 * - Each established subscription starts a read of what changed before it.
 * - While the subscription is open, a read at an interval finds lost notifications.
 *
 * Invariants:
 * - One permit serialises all changes of the follower's state, so updates are emitted in the order of these changes.
 * - The result of a resync is dropped if the subscription was lost after the read began. The next read after the
 *   reconnection covers that time.
 * - A lost subscription is made again. Only an error that cannot be retried ends the Stream.
 */
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"
import type { InvalidInput } from "../../src/InvalidInput.js"
import { fullJitter } from "../internal/backoff.js"
import type { RpcError } from "../RpcTransport.js"
import { SubscriptionError } from "../RpcTransport.js"
import type { Established } from "../SubscriptionObserver.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"

/** Chunks that wait for the reader. The buffer of the subscription, which fills next, is bounded in bytes. */
const MAX_CHUNKS = 2

/** First and largest bound of the random wait before subscribing again, in milliseconds. */
const BASE = 250
const CAP = 15_000

/** Milliseconds after a read in which the notifications of its changes may still arrive. */
const GRACE = 5000

/** After a read, the next one waits this many times its duration. */
const REST_FACTOR = 20

export interface Follower<A, B, E> {
  readonly live: Stream.Stream<A, InvalidInput | SubscriptionError>
  /** Reads what changed before the subscription was established, for the first time or again. */
  readonly established: (subscription: Established) => Effect.Effect<ReadonlyArray<B>, E>
  readonly notified: (notification: A) => Effect.Effect<ReadonlyArray<B>, E>
  /**
   * Reads while the subscription is open. The inner effect runs after a grace period and returns the changes that were
   * read but not notified.
   */
  readonly resync: Effect.Effect<Effect.Effect<ReadonlyArray<B>, E>, RpcError>
  /** Milliseconds from one resync to the next; `Infinity` for none. */
  readonly resyncInterval: number
}

export const follow = <A, B, E>({
  live,
  established,
  notified,
  resync,
  resyncInterval
}: Follower<A, B, E>): Stream.Stream<B, E | InvalidInput | SubscriptionError> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const out = yield* Queue.bounded<Take.Take<B, E | InvalidInput | SubscriptionError>>(MAX_CHUNKS)
      const unreadable = yield* Deferred.make<never, E>()
      const serialized = (yield* Effect.makeSemaphore(1)).withPermits(1)
      let losses = 0
      /** The open subscription, from the end of the read that follows its establishment. */
      let current: Established | undefined

      const emit = (updates: ReadonlyArray<B>): Effect.Effect<unknown> =>
        updates.length === 0 ? Effect.void : Queue.offer(out, Take.chunk(Chunk.fromIterable(updates)))

      const lost = Effect.sync(() => {
        current = undefined
      })

      const subscribed = live.pipe(
        Stream.runForEach((notification) => serialized(Effect.flatMap(notified(notification), emit))),
        Effect.provideService(SubscriptionObserver, {
          established: (subscription) =>
            Effect.suspend(() => {
              losses = 0
              return established(subscription)
            }).pipe(
              Effect.flatMap(emit),
              Effect.tap(() => {
                current = subscription
              }),
              serialized,
              Effect.catchAll((error) => Effect.zipRight(Deferred.fail(unreadable, error), Effect.never))
            ),
          interrupted: () => lost
        })
      )

      const run: Effect.Effect<void, E | InvalidInput | SubscriptionError> = Effect.catchAll(
        Effect.raceFirst(subscribed, Deferred.await(unreadable)),
        (error) =>
          error instanceof SubscriptionError && error.isRetryable
            ? Effect.suspend(() => fullJitter(BASE, CAP, losses++)).pipe(
                Effect.zipLeft(lost),
                Effect.flatMap(Effect.sleep),
                Effect.zipRight(Effect.suspend(() => run))
              )
            : Effect.fail(error)
      )

      /** Emits what a read found, if the subscription has been open since before the read. */
      const emitIfStill = (subscription: Established, updates: Effect.Effect<ReadonlyArray<B>, E>) =>
        serialized(Effect.suspend(() => (current === subscription ? Effect.flatMap(updates, emit) : Effect.void)))

      const resyncs = Effect.gen(function* () {
        let wait = resyncInterval
        while (true) {
          yield* Effect.sleep(wait)
          const subscription = current
          if (subscription === undefined) continue
          // After a failed read the next one tries again.
          const [took, updates] = yield* Effect.timed(Effect.option(resync))
          if (Option.isSome(updates)) {
            yield* Effect.sleep(Math.min(GRACE, resyncInterval / 2))
            yield* emitIfStill(subscription, updates.value)
          }
          wait = Math.max(resyncInterval, REST_FACTOR * Duration.toMillis(took))
        }
      })

      // Interruptible even if the Stream runs in an uninterruptible region, because its end waits for the fibers.
      yield* Effect.matchCauseEffect(run, {
        onFailure: (cause) => Queue.offer(out, Take.failCause(cause)),
        onSuccess: () => Queue.offer(out, Take.end)
      }).pipe(Effect.interruptible, Effect.forkScoped)
      if (resyncInterval < Infinity) {
        yield* Effect.catchAll(resyncs, (error) => Deferred.fail(unreadable, error)).pipe(
          Effect.interruptible,
          Effect.forkScoped
        )
      }
      return Stream.flattenTake(Stream.fromQueue(out))
    })
  )
