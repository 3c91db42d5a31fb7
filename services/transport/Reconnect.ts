/**
 * Subscribes again after a loss, and shares one upstream subscription among equal subscribers.
 *
 * A subscriber gets notifications only. The `SubscriptionObserver` in its context is called when the subscription is
 * established, and when it was lost and notifications may be missing. Both calls keep their order among the notifications.
 * `Follow` then reads what was missed.
 *
 * Subscribers of one kind with equal parameters share one upstream, which starts with the first and ends with the last. A
 * later subscriber gets the notifications from then on. Each subscriber has a queue that is bounded in number and in bytes.
 * A slow one gets what is queued and then fails with `Overflow`; the others continue.
 *
 * Which failures end a subscription:
 * - None of these: a lost socket, a node that does not answer, a limit of a node that accepted the subscription before. The
 *   upstream waits and subscribes again.
 * - `REFUSALS` refusals in a row that a retry is unlikely to resolve, such as a handshake with status 401 or an unknown
 *   method. Each is logged as a warning.
 * - One refusal by a node that never accepted the subscription, unless the refusal is a limit.
 * - A closed scope: every subscription fails with `PoolClosed`.
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

/** Milliseconds for which a subscription must have been open, so that the back-off starts anew after its loss. */
const STEADY = 10_000

/** Refusals in a row after which a subscription ends: about two seconds at the default bounds. */
const REFUSALS = 5

/** Whether to subscribe again after a failure, to count it as a refusal too, or to end the subscription. */
const verdict = (
  { code, isRetryable, reason }: SubscriptionError,
  wasEstablished: boolean
): "again" | "refused" | "over" => {
  switch (reason) {
    case "PoolClosed":
      return "over"
    case "Refused":
      if (wasEstablished) return Verdict.isOfTheCall(code) ? "refused" : "again"
      return isRetryable ? "refused" : "over"
    case "Connect":
      return isRetryable ? "again" : "refused"
    // A text that cannot be decoded is a fault of this socket; the next one may work.
    case "Decode":
      return "refused"
    case "Timeout":
    case "Closed":
    case "Overflow":
      return "again"
  }
}

/** The waits before a reconnection, and the bounds of queues. */
export interface Options {
  /**
   * Upper bound of the first random wait before a reconnection; each further bound is twice the one before. Default: 250
   * ms. Too low: many clients at once meet an endpoint that restarts. Too high: more notifications are missed.
   */
  readonly baseDelay?: Duration.DurationInput | undefined
  /**
   * Maximum of the bound of a wait. Default: 15 seconds. Too low: many attempts during a long outage. Too high: the end of
   * an outage is noticed late.
   */
  readonly maxDelay?: Duration.DurationInput | undefined
  /**
   * Maximum queued notifications of one subscriber. Default: 4,096. Too low: a subscriber that pauses fails. Too high:
   * `maxQueuedBytes` is the only bound.
   */
  readonly maxQueuedNotifications?: number | undefined
  /**
   * Approximate maximum memory of these notifications, in bytes; a single one may be larger. Default: 8 MiB, 4,096 accounts
   * of 1.5 KiB. Too low: a subscriber that pauses fails. Too high: a subscriber that never catches up fills the memory.
   */
  readonly maxQueuedBytes?: number | undefined
  /**
   * Maximum number of different subscriptions; a further one fails with `Refused`. Default: 10,000. Too low: work is
   * refused. Too high: the endpoint's own limit applies.
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
  wasEstablished: boolean
  fiber: Fiber.RuntimeFiber<void> | undefined
}

/** Keeps the subscriptions of a transport open across losses. Requests and arrays pass through unchanged. */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput, Scope.Scope> =>
    Effect.gen(function* () {
      const baseDelay = yield* millis("baseDelay", options.baseDelay ?? "250 millis")
      const maxDelay = yield* millis("maxDelay", options.maxDelay ?? "15 seconds")
      const maxQueuedNotifications = yield* integer("maxQueuedNotifications", options.maxQueuedNotifications ?? 4096, 1)
      const maxQueuedBytes = yield* integer("maxQueuedBytes", options.maxQueuedBytes ?? 8 * 1024 * 1024, 1)
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
          const detail = `the subscriber left ${subscriber.size} notifications unread, more than its buffer holds`
          subscriber.end(Option.some(failure(kind, "Overflow", detail)))
          subscribers.delete(subscriber)
        }
        // A signature is notified once, so a later subscriber needs an upstream of its own.
        const isOver = kind === "signature" && event.type === "notification"
        if (isOver || subscribers.size === 0) forget(upstream)
      }

      const establish = (upstream: Upstream, subscription: Established): void => {
        upstream.established = subscription
        upstream.wasEstablished = true
        publish(upstream, { type: "established", subscription })
      }

      const end = (upstream: Upstream, error: Option.Option<SubscriptionError>): void => {
        forget(upstream)
        for (const subscriber of upstream.subscribers) subscriber.end(error)
      }

      /** Runs one upstream subscription until it ends. Returns how it ended and for how long it was open. */
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
                // All subscribers overflowed. Each still reads its queue.
                return subscribers.size === 0 ? Effect.interrupt : Effect.void
              })
            ),
            Effect.either
          )
          return { outcome, duration: (yield* Clock.monotonicMillis) - since }
        })

      /** Subscribes again after each loss. A signature's subscription ends after its only notification. */
      const run = (upstream: Upstream, losses = 0, refusals = 0): Effect.Effect<void> =>
        Effect.flatMap(hold(upstream), ({ duration, outcome }) => {
          const { kind } = upstream
          const isStanding = upstream.established !== undefined
          if (Either.isRight(outcome) && kind === "signature" && isStanding) {
            return Effect.sync(() => end(upstream, Option.none()))
          }
          const error = Either.isLeft(outcome) ? outcome.left : failure(kind, "Closed", "the subscription ended")
          const judged = verdict(error, upstream.wasEstablished)
          const inRow = (isStanding ? 0 : refusals) + (judged === "refused" ? 1 : 0)
          if (judged === "over" || inRow >= REFUSALS) return Effect.sync(() => end(upstream, Option.some(error)))
          if (isStanding) {
            upstream.established = undefined
            publish(upstream, { type: "interrupted", loss: { detail: error.detail } })
          }
          const lost = duration >= STEADY ? 0 : losses
          const isRefusal = judged === "refused" || error.reason === "Refused"
          return Effect.logWarning(`${error.method} at ${transport.host} is opened again: ${error.detail}`).pipe(
            Effect.when(() => isRefusal),
            Effect.zipRight(fullJitter(baseDelay, maxDelay, lost)),
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
            wasEstablished: false,
            fiber: undefined
          }
          upstreams.set(key, upstream)
          upstream.fiber = yield* Effect.interruptible(run(upstream)).pipe(
            Effect.onInterrupt(() =>
              Effect.sync(() => {
                if (upstream.subscribers.size > 0) {
                  end(upstream, Option.some(Closing.subscription(kind, transport.host)))
                }
              })
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
            const subscriber: Subscriber = new BoundedQueue({ items: maxQueuedNotifications, bytes: maxQueuedBytes })
            yield* Effect.acquireRelease(attach(kind, params, subscriber), (upstream) => detach(upstream, subscriber))
            let events: ReadonlyArray<Event> = []

            const observe = (event: Exclude<Event, { type: "notification" }>) =>
              event.type === "established" ? observer.established(event.subscription) : observer.interrupted(event.loss)

            const refill = Effect.map(subscriber.take, (taken) => {
              events = Chunk.toReadonlyArray(taken)
            })

            /** The queued notifications up to the next observer event, which is delivered first if it is at the head. */
            const pull: Effect.Effect<Chunk.Chunk<unknown>, Option.Option<SubscriptionError>> = Effect.suspend(() => {
              const [first, ...rest] = events
              if (first === undefined) return Effect.zipRight(refill, pull)
              if (first.type !== "notification") {
                events = rest
                return Effect.zipRight(observe(first), pull)
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
