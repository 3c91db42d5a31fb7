/**
 * Turns retries of RPC calls on and off by context.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Whether calls made in this context are retried: `"safe"`, the default, or `"never"`.
 *
 * @since 0.1.0
 * @category tags
 */
export class RetryPolicy extends Context.Reference<RetryPolicy>()("@pod-protocol/effect/RetryPolicy", {
  defaultValue: (): "safe" | "never" => "safe"
}) {}

/**
 * Turns retrying off for the RPC calls of an effect: each fails with its first failure.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { RpcPool } from "@pod-protocol/effect/services/RpcPool"
 * import * as RetryPolicy from "@pod-protocol/effect/services/RetryPolicy"
 *
 * const health = Effect.flatMap(RpcPool, (pool) => pool.getHealth).pipe(RetryPolicy.never)
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const never = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.add(context, RetryPolicy, "never"))

const neverIn = new WeakMap<Context.Context<never>, Context.Context<RetryPolicy>>()

/**
 * The context in which {@link never} runs an effect. The result is kept for each context, because most calls of an
 * application share one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withoutRetries = (context: Context.Context<never>): Context.Context<RetryPolicy> => {
  const known = neverIn.get(context)
  if (known !== undefined) return known
  const made = Context.add(context, RetryPolicy, "never")
  neverIn.set(context, made)
  return made
}
