/**
 * Subscriptions that do not end by accident: a lost one is made again, and equal ones share one upstream.
 *
 * A subscriber sees notifications only. That the subscription stands, or was lost and something may have been missed, is
 * told to the `SubscriptionObserver` in its context, in order with the notifications; `Follow` reads what was missed.
 *
 * Subscribers of the same kind and parameters share one upstream subscription, which begins with the first and ends with
 * the last. One that comes later gets what is notified from then on, and hears at once that the subscription stands. Each
 * has a bounded buffer of its own; one that reads too slowly gets what is in it and then fails with
 * `SubscriptionError{reason: "Overflow"}`, the others go on.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Json from "../../src/solana/Json.js"
import * as Clock from "../internal/clock.js"
import type { RpcTransport, SubscriptionKind } from "../RpcTransport.js"
import { SubscriptionError } from "../RpcTransport.js"
import { integer, millis } from "../internal/options.js"
import type { Established, Interrupted } from "../SubscriptionObserver.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"

/** Milliseconds that a subscription must have stood for the next reconnection to be quick again. */
const STEADY = 10_000

/** What subscribers hear when the scope in which the transport was made is closed before they are. */
const CLOSED = "the transport was closed"

/**
 * How subscriptions are made again, and how much is held for their readers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The first wait before reconnecting is random between 0 and this, each further bound twice the one before. Default: 250
   * ms. Too low storms an endpoint that restarts; too high misses more.
   */
  readonly base?: Duration.DurationInput | undefined
  /** No bound grows beyond this. Default: 15 seconds. Too low storms in a long outage; too high notices its end late. */
  readonly cap?: Duration.DurationInput | undefined
  /**
   * Notifications that a subscriber may lag behind. Default: 4,096. Too low fails a subscriber that pauses; too high keeps
   * memory (an account's bytes each) for one that never catches up.
   */
  readonly buffer?: number | undefined
  /**
   * Different subscriptions at a time; one more is refused. Default: 10,000. Too low refuses work; too high brings the
   * endpoint's own limit.
   */
  readonly maxSubscriptions?: number | undefined
}

type Event =
  | { readonly type: "notification"; readonly value: unknown }
  | { readonly type: "established"; readonly subscription: Established }
  | { readonly type: "interrupted"; readonly loss: Interrupted }
  | { readonly type: "ended"; readonly error: Option.Option<SubscriptionError> }

interface Subscriber {
  readonly queue: Queue.Queue<Event>
  overflown: boolean
}

interface Upstream {
  readonly key: string
  readonly kind: SubscriptionKind
  readonly params: ReadonlyArray<unknown>
  readonly subscribers: Set<Subscriber>
  established: Established | undefined
  fiber: Fiber.RuntimeFiber<void> | undefined
}

/**
 * Makes a transport's subscriptions last. Requests and arrays pass.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput, Scope.Scope> =>
    Effect.gen(function* () {
      const base = yield* millis("base", options.base ?? "250 millis")
      const cap = yield* millis("cap", options.cap ?? "15 seconds")
      const buffer = yield* integer("buffer", options.buffer ?? 4096, 1)
      const maxSubscriptions = yield* integer("maxSubscriptions", options.maxSubscriptions ?? 10_000, 1)
      const scope = yield* Effect.scope
      const upstreams = new Map<string, Upstream>()

      const failure = (
        kind: SubscriptionKind,
        reason: SubscriptionError["reason"],
        detail: string
      ): SubscriptionError =>
        new SubscriptionError({ reason, method: `${kind}Subscribe`, host: transport.host, detail })

      const publish = (upstream: Upstream, event: Event): void => {
        for (const subscriber of upstream.subscribers) {
          if (subscriber.queue.unsafeOffer(event)) continue
          subscriber.overflown = true
          upstream.subscribers.delete(subscriber)
        }
      }

      const establish = (upstream: Upstream, subscription: Established): void => {
        upstream.established = subscription
        publish(upstream, { type: "established", subscription })
      }

      const end = (upstream: Upstream, error: Option.Option<SubscriptionError>): void => {
        if (upstreams.get(upstream.key) === upstream) upstreams.delete(upstream.key)
        publish(upstream, { type: "ended", error })
      }

      /** One upstream subscription until it is lost; how long it stood and why it ended. */
      const hold = (upstream: Upstream) =>
        Effect.gen(function* () {
          const { kind, params } = upstream
          let since = Infinity
          const outcome = yield* transport.subscribe(kind, params).pipe(
            Stream.provideService(SubscriptionObserver, {
              established: (subscription) =>
                Effect.map(Clock.monotonicMillis, (now) => {
                  since = now
                  establish(upstream, subscription)
                }),
              interrupted: () => Effect.void
            }),
            kind === "signature" ? Stream.take(1) : (stream) => stream,
            Stream.runForEachChunk((values) =>
              Effect.sync(() => {
                if (upstream.established === undefined) establish(upstream, { host: transport.host })
                for (const value of values) publish(upstream, { type: "notification", value })
              })
            ),
            Effect.either
          )
          return { outcome, stood: (yield* Clock.monotonicMillis) - since }
        })

      /** Holds it again and again. A signature's only notification ends it. */
      const run = (upstream: Upstream, losses: number): Effect.Effect<void> =>
        Effect.flatMap(hold(upstream), ({ outcome, stood }) => {
          const { kind } = upstream
          const served = kind === "signature" && upstream.established !== undefined
          if (Either.isRight(outcome) && served) return Effect.sync(() => end(upstream, Option.none()))
          const error = Either.isLeft(outcome) ? outcome.left : failure(kind, "Closed", "the subscription ended")
          // Below the pool `Decode` is a fault of the socket, which the next one need not have.
          if (!error.isRetryable && error.reason !== "Decode")
            return Effect.sync(() => end(upstream, Option.some(error)))
          if (upstream.established !== undefined) {
            upstream.established = undefined
            publish(upstream, { type: "interrupted", loss: { detail: error.message } })
          }
          const inRow = stood >= STEADY ? 0 : losses
          return Random.next.pipe(
            Effect.flatMap((random) => Effect.sleep(random * Math.min(cap, base * 2 ** inRow))),
            Effect.zipRight(run(upstream, inRow + 1))
          )
        })

      const attach = (kind: SubscriptionKind, params: ReadonlyArray<unknown>, subscriber: Subscriber) =>
        Effect.gen(function* () {
          const key = `${kind} ${Json.stringify(params)}`
          const shared = upstreams.get(key)
          if (shared !== undefined) {
            shared.subscribers.add(subscriber)
            const subscription = shared.established
            if (subscription !== undefined) subscriber.queue.unsafeOffer({ type: "established", subscription })
            return shared
          }
          if (upstreams.size >= maxSubscriptions) {
            return yield* failure(kind, "Refused", `${upstreams.size} different subscriptions are open already`)
          }
          const upstream: Upstream = {
            key,
            kind,
            params,
            subscribers: new Set([subscriber]),
            established: undefined,
            fiber: undefined
          }
          upstreams.set(key, upstream)
          upstream.fiber = yield* Effect.interruptible(run(upstream, 0)).pipe(
            Effect.onInterrupt(() => Effect.sync(() => end(upstream, Option.some(failure(kind, "Closed", CLOSED))))),
            Effect.forkIn(scope)
          )
          return upstream
        })

      const detach = (upstream: Upstream, subscriber: Subscriber): Effect.Effect<void> =>
        Effect.suspend(() => {
          upstream.subscribers.delete(subscriber)
          if (upstream.subscribers.size > 0) return Effect.void
          if (upstreams.get(upstream.key) === upstream) upstreams.delete(upstream.key)
          return upstream.fiber === undefined ? Effect.void : Fiber.interrupt(upstream.fiber)
        })

      const subscribe: RpcTransport["subscribe"] = (kind, params) =>
        Stream.unwrapScoped(
          Effect.gen(function* () {
            const observer = yield* SubscriptionObserver
            const queue = yield* Queue.dropping<Event>(buffer)
            const subscriber: Subscriber = { queue, overflown: false }
            yield* Effect.acquireRelease(attach(kind, params, subscriber), (upstream) => detach(upstream, subscriber))
            let events: ReadonlyArray<Event> = []

            const tell = (event: Exclude<Event, { type: "notification" }>) => {
              switch (event.type) {
                case "established":
                  return observer.established(event.subscription)
                case "interrupted":
                  return observer.interrupted(event.loss)
                case "ended":
                  return Effect.fail(event.error)
              }
            }

            const refill = Effect.suspend(() =>
              subscriber.overflown && Option.contains(queue.unsafeSize(), 0)
                ? Effect.fail(Option.some(failure(kind, "Overflow", `more than ${buffer} notifications were unread`)))
                : Effect.map(Queue.takeBetween(queue, 1, buffer), (taken) => {
                    events = Chunk.toReadonlyArray(taken)
                  })
            )

            /** The notifications up to the next event of another kind. */
            const pull: Effect.Effect<Chunk.Chunk<unknown>, Option.Option<SubscriptionError>> = Effect.suspend(() => {
              const [first, ...rest] = events
              if (first === undefined) return Effect.zipRight(refill, pull)
              if (first.type !== "notification") {
                events = rest
                return Effect.zipRight(tell(first), pull)
              }
              const values: Array<unknown> = []
              for (const event of events) {
                if (event.type !== "notification") break
                values.push(event.value)
              }
              events = events.slice(values.length)
              return Effect.succeed(Chunk.unsafeFromArray(values))
            })

            return Stream.repeatEffectChunkOption(pull)
          })
        )

      return { ...transport, subscribe }
    })
