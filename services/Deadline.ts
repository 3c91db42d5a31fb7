/**
 * Deadlines of RPC calls.
 *
 * A deadline is a value in the fiber's context, not a timer around the call: every place where a call can wait looks
 * at it before waiting (a rate limit refuses what would come too late, a retry does not sleep past it, a failover
 * stops), and the endpoint turns what is left into the socket's own time limits. A call without a deadline pays
 * nothing for this; one with a deadline pays for one context entry, where an `Effect.timeout` around each attempt
 * would fork two fibers.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Clock from "./internal/clock.js"
import { RpcError } from "./RpcTransport.js"

/**
 * Milliseconds of Effect's monotonic Clock, as {@link now} reads it, at which calls give up; `Infinity`, the default, is
 * never. It is not a Unix time: setting the machine's clock moves no deadline.
 *
 * @since 0.1.0
 * @category tags
 */
export class Deadline extends Context.Reference<Deadline>()("@pod-protocol/effect/Deadline", {
  defaultValue: () => Infinity
}) {}

/**
 * Milliseconds on the fiber's monotonic Clock (Effect's `unsafeCurrentTimeNanos`). It never goes back; only differences
 * mean something.
 *
 * @since 0.1.0
 * @category getters
 */
export const now: <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => number = Clock.monotonic

/**
 * The fiber's deadline as {@link now} counts, `Infinity` without one.
 *
 * @since 0.1.0
 * @category getters
 */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): number => Context.get(fiber.currentContext, Deadline)

/**
 * Runs an effect with a deadline, in milliseconds as {@link now} counts. An earlier deadline stays in force.
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
 * The failure of a call whose deadline has passed, or would before it could be sent.
 *
 * @since 0.1.0
 * @category errors
 */
export const exceeded = (method: string, host: string, detail: string): RpcError =>
  new RpcError({ reason: "Timeout", method, host, detail })

/**
 * Cuts a call off at the fiber's deadline, with a timer. Only for a transport that cannot hand the time that is left
 * to its socket. Free without a deadline.
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
      return Effect.timeoutFail(call, {
        duration: left,
        onTimeout: () => exceeded(method, host, `no answer within the ${left} ms that were left`)
      })
    })
