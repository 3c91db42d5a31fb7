/**
 * A subscription and the reads that fill its holes, as one Stream. What changes the follower's state does so in turn.
 */
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"
import { fullJitter } from "../internal/backoff.js"
import type { RpcError } from "../RpcTransport.js"
import { SubscriptionError } from "../RpcTransport.js"
import type { Established } from "../SubscriptionObserver.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"

/** Chunks that wait for the reader. The bound in bytes is the subscription's own buffer, which comes before them. */
const AHEAD = 2

/** Bounds of the random wait before subscribing again, in milliseconds. */
const BASE = 250
const CAP = 15_000

/** Milliseconds that the notifications of what was read have to arrive. */
const GRACE = 5000

/** So many times as long as a read took, there is none. */
const REST = 20

export interface Follower<A, B, E> {
  readonly live: Stream.Stream<A, SubscriptionError>
  /** The subscription stands, for the first time or again: reads what came before it. */
  readonly established: (subscription: Established) => Effect.Effect<ReadonlyArray<B>, E>
  readonly notified: (notification: A) => Effect.Effect<ReadonlyArray<B>, E>
  /**
   * Reads while the subscription stands. What it gives runs after a while, and tells what was read and had not been
   * notified by then.
   */
  readonly resync: Effect.Effect<Effect.Effect<ReadonlyArray<B>, E>, RpcError>
  /** Milliseconds from one such read to the next; `Infinity` for none. */
  readonly resyncInterval: number
}

/** How often a reply that cannot be read is asked for again: for about 8 seconds. */
const GARBLED = 5

/**
 * Reads until it succeeds or fails for a reason that will not pass. A reply that cannot be read may be a proxy's page, which
 * passes, or the node's own, which does not.
 */
export const persist = <A>(read: Effect.Effect<A, RpcError>): Effect.Effect<A, RpcError> =>
  read.pipe(
    Effect.retry({
      while: ({ reason }) => reason === "Decode",
      times: GARBLED,
      schedule: Schedule.jittered(Schedule.exponential(BASE))
    }),
    Effect.retry({
      while: (error) => error.isRetryable,
      schedule: Schedule.jittered(Schedule.union(Schedule.exponential(BASE), Schedule.spaced("5 seconds")))
    })
  )

export const follow = <A, B, E>({
  live,
  established,
  notified,
  resync,
  resyncInterval
}: Follower<A, B, E>): Stream.Stream<B, E | SubscriptionError> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const out = yield* Queue.bounded<Take.Take<B, E | SubscriptionError>>(AHEAD)
      const unreadable = yield* Deferred.make<never, E>()
      const inTurn = (yield* Effect.makeSemaphore(1)).withPermits(1)
      let losses = 0
      /** The subscription that stands, once what came before it is read. */
      let standing: Established | undefined

      const emit = (updates: ReadonlyArray<B>): Effect.Effect<unknown> =>
        updates.length === 0 ? Effect.void : Queue.offer(out, Take.chunk(Chunk.fromIterable(updates)))

      const lost = Effect.sync(() => {
        standing = undefined
      })

      const subscribed = live.pipe(
        Stream.runForEach((notification) => inTurn(Effect.flatMap(notified(notification), emit))),
        Effect.provideService(SubscriptionObserver, {
          established: (subscription) =>
            Effect.suspend(() => {
              losses = 0
              return established(subscription)
            }).pipe(
              Effect.flatMap(emit),
              Effect.tap(() => {
                standing = subscription
              }),
              inTurn,
              Effect.catchAll((error) => Effect.zipRight(Deferred.fail(unreadable, error), Effect.never))
            ),
          interrupted: () => lost
        })
      )

      const run: Effect.Effect<void, E | SubscriptionError> = Effect.catchAll(
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

      /** Tells what a read found, if the subscription stood from before the read until now. */
      const tellWhileStanding = (subscription: Established, tell: Effect.Effect<ReadonlyArray<B>, E>) =>
        inTurn(Effect.suspend(() => (standing === subscription ? Effect.flatMap(tell, emit) : Effect.void)))

      const resyncs = Effect.gen(function* () {
        let wait = resyncInterval
        while (true) {
          yield* Effect.sleep(wait)
          const subscription = standing
          if (subscription === undefined) continue
          // One that fails is left to the next.
          const [took, tell] = yield* Effect.timed(Effect.option(resync))
          if (Option.isSome(tell)) {
            yield* Effect.sleep(Math.min(GRACE, resyncInterval / 2))
            yield* tellWhileStanding(subscription, tell.value)
          }
          wait = Math.max(resyncInterval, REST * Duration.toMillis(took))
        }
      })

      yield* Effect.matchCauseEffect(run, {
        onFailure: (cause) => Queue.offer(out, Take.failCause(cause)),
        onSuccess: () => Queue.offer(out, Take.end)
      }).pipe(Effect.forkScoped)
      if (resyncInterval < Infinity) {
        yield* Effect.forkScoped(Effect.catchAll(resyncs, (error) => Deferred.fail(unreadable, error)))
      }
      return Stream.flattenTake(Stream.fromQueue(out))
    })
  )
