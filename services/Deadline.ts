/**
 * Deadlines of RPC calls.
 *
 * A deadline is a value in the fiber's context, not a timer around the call. Each place where a call can wait reads it. A
 * rate limit refuses a call that would be late, a retry does not sleep past the deadline, and a failover stops. The
 * endpoint passes the remaining time to its socket. So a call without a deadline has no cost. A call with one costs a
 * context entry, while `Effect.timeout` around each attempt would fork two fibers.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Clock from "./internal/clock.js"
import * as TimeLimit from "./internal/timeLimit.js"
import { RpcError } from "./RpcTransport.js"

/**
 * The time at which calls time out, in milliseconds of {@link now}. Default: `Infinity`, never. It is not Unix time, so
 * a change of the system clock does not move the deadline.
 *
 * @since 0.1.0
 * @category tags
 */
export class Deadline extends Context.Reference<Deadline>()("@pod-protocol/effect/Deadline", {
  defaultValue: () => Infinity
}) {}

/**
 * Milliseconds of the fiber's monotonic Clock (Effect's `unsafeCurrentTimeNanos`). It never goes back. Only differences have
 * a meaning.
 *
 * @since 0.1.0
 * @category getters
 */
export const now: <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => number = Clock.monotonic

/**
 * The deadline of the fiber, in milliseconds of {@link now}; `Infinity` without one.
 *
 * @since 0.1.0
 * @category getters
 */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): number => Context.get(fiber.currentContext, Deadline)

/**
 * Runs an effect with a deadline, in milliseconds of {@link now}. An earlier deadline stays in force.
 *
 * @since 0.1.0
 * @category combinators
 */
export const at =
  (millis: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.mapInputContext(effect, (context: Context.Context<R>) =>
      Context.get(context, Deadline) <= millis ? context : Context.add(context, Deadline, millis)
    )

/**
 * Limits the total duration of all RPC calls of an effect. A call without an answer by then fails with
 * `RpcError{reason: "Timeout"}`, or with its last failure if no time is left for another attempt.
 *
 * Too short: calls fail although the endpoint would have answered. Too long: the caller waits for a useless answer.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { RpcPool } from "@pod-protocol/effect/services/RpcPool"
 * import * as Deadline from "@pod-protocol/effect/services/Deadline"
 *
 * const slot = Effect.flatMap(RpcPool, (pool) => pool.getSlot()).pipe(Deadline.within("2 seconds"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const within =
  (duration: Duration.DurationInput) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiberRuntime((fiber) => at(now(fiber) + Duration.toMillis(duration))(effect))

/**
 * The error of a call whose deadline has passed, or would pass before the call can be sent.
 *
 * @since 0.1.0
 * @category errors
 */
export const exceeded = (method: string, host: string, detail: string): RpcError =>
  new RpcError({ reason: "Timeout", method, host, detail })

/**
 * Ends a call at the fiber's deadline by a timer, for a transport that cannot pass the remaining time to its socket. It
 * costs nothing without a deadline.
 *
 * @since 0.1.0
 * @category combinators
 */
export const enforce =
  (method: string, host: string) =>
  <A, R>(call: Effect.Effect<A, RpcError, R>): Effect.Effect<A, RpcError, R> =>
    Effect.withFiberRuntime((fiber) => {
      const deadline = of(fiber)
      if (deadline === Infinity) return call
      const left = deadline - now(fiber)
      if (left <= 0) return Effect.fail(exceeded(method, host, "not sent, its deadline has passed"))
      return TimeLimit.within(left, () => exceeded(method, host, `no answer within the ${left} ms that were left`))(
        call
      )
    })
