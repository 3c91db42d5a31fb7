/**
 * Limits the rate of calls to an endpoint. One token bucket counts requests, another counts the items of JSON-RPC arrays.
 * When the endpoint reports a limit (HTTP status 429 or a JSON-RPC error), all callers pause.
 *
 * Waiting calls form one FIFO queue. Only the head of the queue sleeps until its tokens are available, then it wakes
 * the next call. So a call costs the same behind ten calls as behind ten thousand.
 *
 * Invariants:
 * - A call whose turn comes after its deadline fails at once, also when a later pause makes it late.
 * - At most one fiber, the head, sleeps for tokens. A call enters without queueing only if there is no head.
 * - An interrupted head passes its turn on, so the queue never stalls.
 * - One reply of the endpoint pauses callers for at most `maxPause`.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { integer, millis, positive } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import * as Direct from "../internal/direct.js"
import { FifoQueue } from "../internal/FifoQueue.js"
import type { RpcTransport } from "../RpcTransport.js"
import { RpcError } from "../RpcTransport.js"
import { TokenBucket } from "./TokenBucket.js"

/** A sustained rate and a burst. */
export interface Rate {
  /** Sustained rate per second. */
  readonly perSecond: number
  /**
   * Maximum at once after a rest. Default: `perSecond`, and at least 1. Too low: bursty work leaves the rate unused. Too
   * high: the endpoint refuses the burst.
   */
  readonly burst?: number | undefined
}

/** The limits of one endpoint. */
export interface Options {
  /**
   * Rate of HTTP requests; an array is one request. Default: unlimited, because the rate depends on the endpoint's plan
   * (the public clusters allow 10 a second per client). Too low: the plan is not used. Too high: the endpoint answers 429,
   * which pauses all callers.
   */
  readonly requests?: Rate | undefined
  /**
   * Rate of calls; an array counts as its items. Default: unlimited. For providers that meter each item. An array larger
   * than the burst is sent when the bucket is full, and later calls wait for its debt. Too low and too high as `requests`.
   */
  readonly items?: Rate | undefined
  /**
   * Maximum queued calls. Default: 10,000. A further call fails with `RpcError{reason: "RateLimited"}`. Too low: calls
   * fail that could have waited. Too high: late calls take memory (about 1 KB each).
   */
  readonly maxWaiting?: number | undefined
  /**
   * Pause after a limit without `Retry-After`. Default: 1 second. Too low: the next 429 follows. Too high: the endpoint
   * idles.
   */
  readonly pause?: Duration.DurationInput | undefined
  /**
   * Maximum pause that one reply causes. Default: 60 seconds. A longer `Retry-After` is cut to it, here and in the errors
   * of callers. A queued call without a deadline fails with `RpcError{reason: "RateLimited"}` when its pauses exceed this
   * in total. Too low: the next 429 follows. Too high: one reply stops the endpoint for long.
   */
  readonly maxPause?: Duration.DurationInput | undefined
}

type Items = ReadonlyArray<Either.Either<unknown, RpcError>>

interface Cost {
  readonly method: string
  readonly items: number
  /** The `Deadline.now` at which the call must be answered. */
  readonly deadline: number
  /** Milliseconds of all pauses since the call began to wait. */
  paused: number
}

const bucket = (rate: Rate | undefined, field: string): Effect.Effect<TokenBucket, InvalidInput> =>
  Effect.gen(function* () {
    const perSecond = yield* positive(`${field}.perSecond`, rate?.perSecond ?? Infinity, "unlimited")
    const burst = yield* positive(`${field}.burst`, rate?.burst ?? Math.max(1, perSecond), "unlimited")
    return new TokenBucket(perSecond, burst)
  })

/** Limits the requests and arrays of a transport. Subscriptions pass through unchanged. */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.gen(function* () {
      const requests = yield* bucket(options.requests, "requests")
      const items = yield* bucket(options.items, "items")
      const maxWaiting = yield* integer("maxWaiting", options.maxWaiting ?? 10_000, 0)
      const pause = yield* millis("pause", options.pause ?? "1 second")
      const maxPause = yield* millis("maxPause", options.maxPause ?? "60 seconds")

      const queue = new FifoQueue<void, RpcError, Cost>()
      let itemsQueued = 0
      let pausedUntil = -Infinity
      /** The call whose fiber sleeps for tokens. The queued calls come after it. */
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
        const next = queue.shift()
        head = next?.info
        if (next === undefined) return
        itemsQueued -= next.info.items
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

      const enqueue = (cost: Cost): Effect.Effect<void, RpcError> =>
        queue.join(cost, {
          joined: () => {
            itemsQueued += cost.items
            if (head === undefined) passTurn()
          },
          left: () => {
            itemsQueued -= cost.items
          },
          turnLost: passTurn
        })

      /** Makes a call now, or in its turn. */
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
        const before = head === undefined ? 0 : 1 + queue.size
        const left = wait(cost, time, before, (head?.items ?? 0) + itemsQueued)
        if (before === 0 && left <= 0) {
          take(cost)
          return call
        }
        if (time + left > cost.deadline) return Effect.fail(tooLate(method, left))
        if (before >= maxWaiting)
          return Effect.fail(refusal(method, `not sent, ${before} calls are waiting already`, left))
        return Effect.zipRight(enqueue(cost), call)
      }

      const pauseAll = (error: RpcError, time: number): void => {
        const asked = error.retryAfter === undefined ? pause : Duration.toMillis(error.retryAfter)
        const until = time + Math.min(asked, maxPause)
        const longer = until - Math.max(time, pausedUntil)
        if (longer <= 0) return
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
        for (const { info, resolve } of queue.shiftWhere(late)) {
          itemsQueued -= info.items
          resolve(Effect.fail(isHeldUp(info) ? heldUp(info, until - time) : tooLate(info.method, until - time)))
        }
      }

      const cutToMaxPause = (error: RpcError): RpcError =>
        error.retryAfter === undefined || Duration.toMillis(error.retryAfter) <= maxPause
          ? error
          : new RpcError({ ...error, retryAfter: Duration.millis(maxPause) })

      /** Pauses if the failure reports a limit. */
      const heeded = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, error: RpcError): RpcError => {
        if (error.reason === "RateLimited") pauseAll(error, Deadline.now(fiber))
        return cutToMaxPause(error)
      }

      const pauseOnLimit = <A>(
        fiber: Fiber.RuntimeFiber<A, RpcError>,
        call: Effect.Effect<A, RpcError>
      ): Effect.Effect<A, RpcError> => Effect.mapError(call, (error) => heeded(fiber, error))

      /** As `pauseOnLimit`, for an array, in which single items may report a limit. */
      const pauseOnItemLimits = (
        fiber: Fiber.RuntimeFiber<Items, RpcError>,
        call: Effect.Effect<Items, RpcError>
      ): Effect.Effect<Items, RpcError> =>
        Effect.map(pauseOnLimit(fiber, call), (items) => items.map(Either.mapLeft((error) => heeded(fiber, error))))

      const request: Direct.Request = Direct.over(
        transport.request,
        (method, params) =>
          Effect.withFiberRuntime((fiber) =>
            enter(fiber, method, 1, pauseOnLimit(fiber, transport.request(method, params)))
          ),
        (start) => (caller, onEnd, method, params) => {
          const time = caller.now
          if (head !== undefined || requests.wait(1, time) > 0 || items.wait(1, time) > 0) return undefined
          const cancel = start(
            caller,
            (exit) => onEnd(Exit.mapError(exit, (error) => heeded(caller.fiber, error))),
            method,
            params
          )
          if (cancel === undefined) return undefined
          requests.take(1)
          items.take(1)
          return cancel
        }
      )

      return {
        host: transport.host,
        request,
        batch: (calls) =>
          Effect.withFiberRuntime((fiber) =>
            enter(fiber, "batch", calls.length, pauseOnItemLimits(fiber, transport.batch(calls)))
          ),
        subscribe: transport.subscribe
      }
    })
