/**
 * Subscriptions that do not end by accident: a lost one is made again, and equal ones share one upstream.
 *
 * A subscriber sees notifications only. The `SubscriptionObserver` in its context is called when the subscription stands, and
 * when it was lost and notifications may have been missed, in order with them. `Follow` then reads what was missed.
 *
 * Subscribers of the same kind and parameters share one upstream subscription, which begins with the first and ends with
 * the last. A later subscriber gets the notifications from then on. Each has a buffer of its own, bounded in number and in
 * bytes; one that reads too slowly gets what is in it and then fails with `Overflow`, and the others go on.
 *
 * Lost for now and over for good are two things:
 * - A lost socket, a node that does not answer, and a limit of one that has accepted the subscription before are waited out.
 * - A refusal that will hardly pass (a handshake with 401, a method that the node does not know) ends it after `REFUSALS` in
 *   a row, each logged as a warning. A node's refusal of a subscription that never stood ends it at once, but for limits.
 * - When the scope closes, every subscription ends with `PoolClosed`.
 */
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { integer, millis } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Json from "../../src/solana/Json.js"
import { fullJitter } from "../internal/backoff.js"
import { BoundedQueue } from "../internal/BoundedQueue.js"
import * as Clock from "../internal/clock.js"
import * as Closing from "../internal/closing.js"
import * as Verdict from "../internal/verdict.js"
import { weigh } from "../internal/weigh.js"
import type { RpcTransport, SubscriptionKind } from "../RpcTransport.js"
import { SubscriptionError } from "../RpcTransport.js"
import type { Established, Interrupted } from "../SubscriptionObserver.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"

/** Milliseconds that a subscription must have stood for the next reconnection to be quick again. */
const STEADY = 10_000

/** Refusals, since it last stood, after which a subscription ends: about two seconds at the default bounds. */
const REFUSALS = 5

/** What a failure says of the next attempt, of a subscription that has stood before or not. */
const verdict = ({ code, isRetryable, reason }: SubscriptionError, hasStood: boolean): "again" | "refused" | "over" => {
  switch (reason) {
    case "PoolClosed":
      return "over"
    case "Refused":
      if (hasStood) return Verdict.isOfTheCall(code) ? "refused" : "again"
      return isRetryable ? "refused" : "over"
    case "Connect":
      return isRetryable ? "again" : "refused"
    // Below the pool it is a fault of the socket, which the next one need not have.
    case "Decode":
      return "refused"
    case "Timeout":
    case "Closed":
    case "Overflow":
      return "again"
  }
}

/** How subscriptions are made again, and how much is held for their readers. */
export interface Options {
  /**
   * The first wait before reconnecting is random between 0 and this, each further bound twice the one before. Default: 250
   * ms. Too low storms an endpoint that restarts; too high misses more.
   */
  readonly base?: Duration.DurationInput | undefined
  /** No bound grows beyond this. Default: 15 seconds. Too low storms in a long outage; too high notices its end late. */
  readonly cap?: Duration.DurationInput | undefined
  /**
   * Notifications that a subscriber may lag behind. Default: 4,096. Too low fails a subscriber that pauses; too high leaves
   * `bufferBytes` as the only bound.
   */
  readonly buffer?: number | undefined
  /**
   * Bytes of memory that these notifications may take, about; a single one may be larger. Default: 8 MiB, 4,096 accounts of
   * 1.5 KiB. Too low fails a subscriber that pauses; too high lets a node fill the memory of one that never catches up.
   */
  readonly bufferBytes?: number | undefined
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

type Subscriber = BoundedQueue<Event, SubscriptionError>

interface Upstream {
  readonly key: string
  readonly kind: SubscriptionKind
  readonly params: ReadonlyArray<unknown>
  readonly subscribers: Set<Subscriber>
  established: Established | undefined
  hasStood: boolean
  fiber: Fiber.RuntimeFiber<void> | undefined
}

/** Makes a transport's subscriptions last. Requests and arrays pass. */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput, Scope.Scope> =>
    Effect.gen(function* () {
      const base = yield* millis("base", options.base ?? "250 millis")
      const cap = yield* millis("cap", options.cap ?? "15 seconds")
      const buffer = yield* integer("buffer", options.buffer ?? 4096, 1)
      const bufferBytes = yield* integer("bufferBytes", options.bufferBytes ?? 8 * 1024 * 1024, 1)
      const maxSubscriptions = yield* integer("maxSubscriptions", options.maxSubscriptions ?? 10_000, 1)
      const scope = yield* Effect.scope
      const upstreams = new Map<string, Upstream>()
      const { isClosed } = yield* Closing.make()

      const failure = (
        kind: SubscriptionKind,
        reason: SubscriptionError["reason"],
        detail: string
      ): SubscriptionError =>
        new SubscriptionError({ reason, method: `${kind}Subscribe`, host: transport.host, detail })

      const forget = (upstream: Upstream): void => {
        if (upstreams.get(upstream.key) === upstream) upstreams.delete(upstream.key)
      }

      const publish = (upstream: Upstream, event: Event, bytes = 0): void => {
        const { kind, subscribers } = upstream
        for (const subscriber of subscribers) {
          if (subscriber.offer(event, bytes)) continue
          const detail = `the subscriber left ${subscriber.size} notifications unread, more than its buffer takes`
          subscriber.end(Option.some(failure(kind, "Overflow", detail)))
          subscribers.delete(subscriber)
        }
        if (subscribers.size === 0) forget(upstream)
      }

      const establish = (upstream: Upstream, subscription: Established): void => {
        upstream.established = subscription
        upstream.hasStood = true
        publish(upstream, { type: "established", subscription })
      }

      const end = (upstream: Upstream, error: Option.Option<SubscriptionError>): void => {
        forget(upstream)
        for (const subscriber of upstream.subscribers) subscriber.end(error)
      }

      /** One upstream subscription until it is lost; how long it stood and why it ended. */
      const hold = (upstream: Upstream) =>
        Effect.gen(function* () {
          const { kind, params, subscribers } = upstream
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
              Effect.suspend(() => {
                if (upstream.established === undefined) establish(upstream, { host: transport.host })
                for (const value of values) publish(upstream, { type: "notification", value }, weigh(value))
                // All its subscribers were too slow. They still read what was held for them.
                return subscribers.size === 0 ? Effect.interrupt : Effect.void
              })
            ),
            Effect.either
          )
          return { outcome, stood: (yield* Clock.monotonicMillis) - since }
        })

      /** Holds it again and again. A signature's only notification ends it. */
      const run = (upstream: Upstream, losses = 0, refusals = 0): Effect.Effect<void> =>
        Effect.flatMap(hold(upstream), ({ outcome, stood }) => {
          const { kind } = upstream
          const isStanding = upstream.established !== undefined
          if (Either.isRight(outcome) && kind === "signature" && isStanding) {
            return Effect.sync(() => end(upstream, Option.none()))
          }
          const error = Either.isLeft(outcome) ? outcome.left : failure(kind, "Closed", "the subscription ended")
          const judged = verdict(error, upstream.hasStood)
          const inRow = (isStanding ? 0 : refusals) + (judged === "refused" ? 1 : 0)
          if (judged === "over" || inRow >= REFUSALS) return Effect.sync(() => end(upstream, Option.some(error)))
          if (isStanding) {
            upstream.established = undefined
            publish(upstream, { type: "interrupted", loss: { detail: error.message } })
          }
          const lost = stood >= STEADY ? 0 : losses
          const isRefusal = judged === "refused" || error.reason === "Refused"
          return Effect.logWarning(`${error.message}; it is subscribed again`).pipe(
            Effect.when(() => isRefusal),
            Effect.zipRight(fullJitter(base, cap, lost)),
            Effect.flatMap(Effect.sleep),
            Effect.zipRight(Effect.suspend(() => run(upstream, lost + 1, inRow)))
          )
        })

      const attach = (kind: SubscriptionKind, params: ReadonlyArray<unknown>, subscriber: Subscriber) =>
        Effect.gen(function* () {
          if (isClosed()) return yield* Closing.subscription(kind, transport.host)
          const key = `${kind} ${Json.stringify(params)}`
          const shared = upstreams.get(key)
          if (shared !== undefined) {
            shared.subscribers.add(subscriber)
            const subscription = shared.established
            if (subscription !== undefined) subscriber.offer({ type: "established", subscription }, 0)
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
            hasStood: false,
            fiber: undefined
          }
          upstreams.set(key, upstream)
          upstream.fiber = yield* Effect.interruptible(run(upstream)).pipe(
            Effect.onInterrupt(() =>
              Effect.sync(() => end(upstream, Option.some(Closing.subscription(kind, transport.host))))
            ),
            Effect.forkIn(scope)
          )
          return upstream
        })

      const detach = (upstream: Upstream, subscriber: Subscriber): Effect.Effect<void> =>
        Effect.suspend(() => {
          upstream.subscribers.delete(subscriber)
          if (upstream.subscribers.size > 0) return Effect.void
          forget(upstream)
          return upstream.fiber === undefined ? Effect.void : Fiber.interrupt(upstream.fiber)
        })

      const subscribe: RpcTransport["subscribe"] = (kind, params) =>
        Stream.unwrapScoped(
          Effect.gen(function* () {
            const observer = yield* SubscriptionObserver
            const subscriber: Subscriber = new BoundedQueue({ items: buffer, bytes: bufferBytes })
            yield* Effect.acquireRelease(attach(kind, params, subscriber), (upstream) => detach(upstream, subscriber))
            let events: ReadonlyArray<Event> = []

            const tell = (event: Exclude<Event, { type: "notification" }>) =>
              event.type === "established" ? observer.established(event.subscription) : observer.interrupted(event.loss)

            const refill = Effect.map(subscriber.take, (taken) => {
              events = Chunk.toReadonlyArray(taken)
            })

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
