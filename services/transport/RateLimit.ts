/**
 * Keeps to an endpoint's rate: a token bucket for requests, another for the items of JSON-RPC arrays, and one pause for
 * all callers when the endpoint says that a limit is reached, by HTTP status 429 or in a JSON-RPC error.
 *
 * Calls that must wait stand in one line, first come first served. The first of the line sleeps until there is a token
 * for it and calls the next, so a call costs the same behind ten others as behind ten thousand. A call that would come
 * too late for its deadline is refused at once.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import { integer, millis, positive } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import { FifoQueue } from "../internal/FifoQueue.js"
import type { RpcTransport } from "../RpcTransport.js"
import { RpcError } from "../RpcTransport.js"
import { TokenBucket } from "./TokenBucket.js"

/** How fast, and how much of it at once. */
export interface Rate {
  /** Sustained, for each second. */
  readonly perSecond: number
  /**
   * At once after a rest. Default: what one second brings, at least 1. Too low wastes the plan on bursty work; too high
   * and the endpoint refuses the burst.
   */
  readonly burst?: number | undefined
}

/** The limits of one endpoint. */
export interface Options {
  /**
   * HTTP requests; an array is one. Default: unlimited, since only the endpoint's plan knows (the public clusters give
   * 10 a second for each client). Too low leaves the plan unused; too high brings 429s, each of which pauses everybody.
   */
  readonly requests?: Rate | undefined
  /**
   * Calls; an array is as many as it has items. Default: unlimited. For providers that meter each item of an array.
   * An array larger than the burst goes when the bucket is full and is paid off afterwards.
   */
  readonly items?: Rate | undefined
  /**
   * Calls that may wait. Default: 10,000. One more is refused with `RpcError{reason: "RateLimited"}`. Too low refuses
   * what could have waited; too high keeps memory (about 1 KB a call) for answers that come very late.
   */
  readonly maxWaiting?: number | undefined
  /**
   * How long a limit without `Retry-After` stops the endpoint. Default: 1 second. Too low asks for the next 429; too high
   * idles.
   */
  readonly pause?: Duration.DurationInput | undefined
  /**
   * The longest wait that the endpoint's word brings about. Default: 60 seconds. A longer `Retry-After` counts as this
   * one, here and in the errors that callers get. A call without a deadline that pauses would hold up for longer than
   * this altogether fails with `RpcError{reason: "RateLimited"}`. Too low runs into the next 429; too high lets one reply
   * silence the endpoint.
   */
  readonly maxPause?: Duration.DurationInput | undefined
}

type Items = ReadonlyArray<Either.Either<unknown, RpcError>>

interface Cost {
  readonly method: string
  readonly items: number
  /** As `Deadline.now` counts. */
  readonly deadline: number
  /** Milliseconds of the pauses that it has met. */
  paused: number
}

const bucket = (rate: Rate | undefined, field: string): Effect.Effect<TokenBucket, InvalidInput> =>
  Effect.gen(function* () {
    const perSecond = yield* positive(`${field}.perSecond`, rate?.perSecond ?? Infinity, "unlimited")
    const burst = yield* positive(`${field}.burst`, rate?.burst ?? Math.max(1, perSecond), "unlimited")
    return new TokenBucket(perSecond, burst)
  })

/**
 * Limits the requests and arrays of a transport. Subscriptions pass.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Either from "effect/Either"
 * import type { RpcTransport } from "@pod-protocol/effect/services/RpcTransport"
 * import * as RateLimit from "@pod-protocol/effect/services/transport/RateLimit"
 *
 * const limited = (transport: RpcTransport) =>
 *   Effect.succeed(transport).pipe(Effect.flatMap(RateLimit.make({ requests: { perSecond: 50 } })))
 * ```
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.gen(function* () {
      const requests = yield* bucket(options.requests, "requests")
      const items = yield* bucket(options.items, "items")
      const maxWaiting = yield* integer("maxWaiting", options.maxWaiting ?? 10_000, 0)
      const pause = yield* millis("pause", options.pause ?? "1 second")
      const maxPause = yield* millis("maxPause", options.maxPause ?? "60 seconds")

      const line = new FifoQueue<void, RpcError, Cost>()
      let itemsInLine = 0
      let pausedUntil = -Infinity
      /** Whose turn it is: its fiber sleeps for the token, the line behind it. */
      let head: Cost | undefined

      const refusal = (method: string, detail: string, wait: number): RpcError =>
        new RpcError({
          reason: "RateLimited",
          method,
          host: transport.host,
          detail,
          retryAfter: Duration.millis(wait)
        })

      const tooLate = (method: string, wait: number): RpcError =>
        refusal(method, `not sent, the rate limit lets it through in ${wait} ms and its deadline is before that`, wait)

      const isHeldUp = (cost: Cost): boolean => cost.deadline === Infinity && cost.paused > maxPause

      const heldUp = ({ method, paused }: Cost, wait: number): RpcError =>
        refusal(method, `not sent, the endpoint has asked for pauses of ${paused} ms in all`, wait)

      const wait = (cost: Cost, time: number, requestsBefore = 0, itemsBefore = 0): number =>
        Math.max(requests.wait(1, time, requestsBefore), items.wait(cost.items, time, itemsBefore))

      const take = (cost: Cost): void => {
        requests.take(1)
        items.take(cost.items)
      }

      const passTurn = (): void => {
        const next = line.shift()
        head = next?.info
        if (next === undefined) return
        itemsInLine -= next.info.items
        next.handOff((restore) => Effect.ensuring(restore(awaitToken(next.info)), Effect.sync(passTurn)))
      }

      const awaitToken = (cost: Cost): Effect.Effect<void, RpcError> =>
        Effect.withFiberRuntime((fiber) => {
          const time = Deadline.now(fiber)
          const left = wait(cost, time)
          if (time + left > cost.deadline) return Effect.fail(tooLate(cost.method, left))
          if (isHeldUp(cost)) return Effect.fail(heldUp(cost, left))
          if (left > 0) return Effect.zipRight(Effect.sleep(left), awaitToken(cost))
          take(cost)
          return Effect.void
        })

      const stand = (cost: Cost): Effect.Effect<void, RpcError> =>
        line.join(cost, {
          joined: () => {
            itemsInLine += cost.items
            if (head === undefined) passTurn()
          },
          left: () => {
            itemsInLine -= cost.items
          },
          turnLost: passTurn
        })

      /** Lets a call through, now or when it is its turn. */
      const enter = <A>(
        fiber: Fiber.RuntimeFiber<A, RpcError>,
        method: string,
        itemCount: number,
        call: Effect.Effect<A, RpcError>
      ): Effect.Effect<A, RpcError> => {
        const time = Deadline.now(fiber)
        const cost: Cost = {
          method,
          items: itemCount,
          deadline: Deadline.of(fiber),
          paused: Math.max(0, pausedUntil - time)
        }
        const before = head === undefined ? 0 : 1 + line.size
        const left = wait(cost, time, before, (head?.items ?? 0) + itemsInLine)
        if (before === 0 && left <= 0) {
          take(cost)
          return call
        }
        if (time + left > cost.deadline) return Effect.fail(tooLate(method, left))
        if (before >= maxWaiting) return Effect.fail(refusal(method, `not sent, ${before} calls wait already`, left))
        return Effect.zipRight(stand(cost), call)
      }

      const pauseAll = (error: RpcError): Effect.Effect<void> =>
        Effect.withFiberRuntime((fiber) => {
          const time = Deadline.now(fiber)
          const asked = error.retryAfter === undefined ? pause : Duration.toMillis(error.retryAfter)
          const until = time + Math.min(asked, maxPause)
          const longer = until - Math.max(time, pausedUntil)
          if (longer <= 0) return Effect.void
          pausedUntil = until
          if (head !== undefined) head.paused += longer
          requests.pause(until)
          items.pause(until)
          let requestsBefore = head === undefined ? 0 : 1
          let itemsBefore = head?.items ?? 0
          const late = (cost: Cost): boolean => {
            cost.paused += longer
            if (isHeldUp(cost)) return true
            if (cost.deadline < Infinity && time + wait(cost, time, requestsBefore, itemsBefore) > cost.deadline) {
              return true
            }
            requestsBefore++
            itemsBefore += cost.items
            return false
          }
          for (const { info, resolve } of line.shiftWhere(late)) {
            itemsInLine -= info.items
            resolve(Effect.fail(isHeldUp(info) ? heldUp(info, until - time) : tooLate(info.method, until - time)))
          }
          return Effect.void
        })

      const believed = (error: RpcError): RpcError =>
        error.retryAfter === undefined || Duration.toMillis(error.retryAfter) <= maxPause
          ? error
          : new RpcError({ ...error, retryAfter: Duration.millis(maxPause) })

      const heed = <A>(call: Effect.Effect<A, RpcError>): Effect.Effect<A, RpcError> =>
        Effect.catchAll(call, (error) => {
          const failure = Effect.fail(believed(error))
          return error.reason === "RateLimited" ? Effect.zipRight(pauseAll(error), failure) : failure
        })

      /** A limit may be said of some items of an array alone. */
      const heedItems = (call: Effect.Effect<Items, RpcError>): Effect.Effect<Items, RpcError> =>
        Effect.flatMap(heed(call), (items) => {
          const errors = items.flatMap((item) => (Either.isLeft(item) ? item.left : []))
          if (errors.length === 0) return Effect.succeed(items)
          const limits = errors.filter(({ reason }) => reason === "RateLimited")
          return Effect.as(Effect.forEach(limits, pauseAll, { discard: true }), items.map(Either.mapLeft(believed)))
        })

      return {
        host: transport.host,
        request: (method, params) =>
          Effect.withFiberRuntime((fiber) => enter(fiber, method, 1, heed(transport.request(method, params)))),
        batch: (calls) =>
          Effect.withFiberRuntime((fiber) => enter(fiber, "batch", calls.length, heedItems(transport.batch(calls)))),
        subscribe: transport.subscribe
      }
    })
