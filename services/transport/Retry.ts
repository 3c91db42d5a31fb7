/**
 * Makes calls again that failed for a passing reason, where repeating is safe.
 *
 * Safe are reads, the same transaction's bytes, and whatever was refused before it was executed; an airdrop whose
 * answer was lost is not. The wait grows exponentially with full jitter, and is at least the `Retry-After` of a 429. Two
 * things end it: the time (the call's deadline, or `within`) and the budget, which keeps the retries of all callers to a
 * fraction of their calls, so that a cluster in trouble is not asked several times as often as one in health.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import { integer, millis, positive } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import { fullJitter } from "../internal/backoff.js"
import * as Metrics from "../Metrics.js"
import { RetryPolicy } from "../RetryPolicy.js"
import type { RpcCall, RpcError, RpcTransport } from "../RpcTransport.js"
import { refusedAfter } from "./failures.js"
import * as Method from "./Method.js"

/** How calls are retried. */
export interface Options {
  /**
   * Attempts a call, the first included. Default: 5. Too low gives up on a hiccup; too high keeps asking what does not
   * answer. 1 never retries.
   */
  readonly attempts?: number | undefined
  /**
   * The first wait is random between 0 and this, and each further bound is twice the one before. Default: 100 ms, a
   * quarter of a slot. Too low hammers; too high sleeps through the recovery.
   */
  readonly base?: Duration.DurationInput | undefined
  /** No bound grows beyond this. Default: 5 seconds. Too low hammers in a long outage; too high notices its end late. */
  readonly cap?: Duration.DurationInput | undefined
  /**
   * From the first failure on, for calls without a deadline. Default: 30 seconds, half the life of a blockhash. Too low
   * gives up on a `Retry-After`; too high hides an outage from callers.
   */
  readonly within?: Duration.DurationInput | undefined
  /**
   * Retries that each call earns for all. Default: 0.2, so retries add at most a fifth to the load. Too low fails calls
   * that would have come through; too high multiplies the load on a cluster in trouble.
   */
  readonly budgetRatio?: number | undefined
  /**
   * Retries that can be saved up; the budget starts full. Default: 100. Too low fails quiet applications at their first
   * trouble; too high lets a burst through.
   */
  readonly budgetReserve?: number | undefined
}

/** What came of a call so far, and until when it may be tried, as `Deadline.now` counts. */
interface Tried {
  readonly failed: ReadonlyArray<RpcError>
  readonly until: number
}

const UNTRIED: Tried = { failed: [], until: Infinity }

/** Calls with their answers; an array's answers are as many as its calls. */
const zip = <A, B>(
  calls: ReadonlyArray<RpcCall>,
  answers: ReadonlyArray<A>,
  f: (call: RpcCall, answer: A, index: number) => B
): ReadonlyArray<B> =>
  answers.flatMap((answer, index) => {
    const call = calls[index]
    return call === undefined ? [] : [f(call, answer, index)]
  })

/**
 * Retries the requests and arrays of a transport. Of an array, the items that failed are sent again, not the others.
 * Subscriptions pass.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.gen(function* () {
      const attempts = yield* integer("attempts", options.attempts ?? 5, 1)
      const base = yield* millis("base", options.base ?? "100 millis")
      const cap = yield* millis("cap", options.cap ?? "5 seconds")
      const within = yield* millis("within", options.within ?? "30 seconds")
      const ratio = yield* positive("budgetRatio", options.budgetRatio ?? 0.2)
      const reserve = yield* positive("budgetReserve", options.budgetReserve ?? 100)
      let budget = reserve

      /** Runs `again` after the wait that the last failure asks for, or fails with it when there shall be none. */
      const retry = <A>(
        error: RpcError,
        tried: Tried,
        again: (tried: Tried) => Effect.Effect<A, RpcError>
      ): Effect.Effect<A, RpcError> =>
        Effect.withFiberRuntime((fiber) => {
          const attempt = tried.failed.length + 1
          if (attempt >= attempts || budget < 1) return Effect.fail(error)
          if (Context.get(fiber.currentContext, RetryPolicy) === "never") return Effect.fail(error)
          const time = Deadline.now(fiber)
          const until = Math.min(tried.until, Deadline.of(fiber), attempt === 1 ? time + within : Infinity)
          return Effect.flatMap(fullJitter(base, cap, attempt - 1), (backoff) => {
            const asked = error.retryAfter === undefined ? 0 : Duration.toMillis(error.retryAfter)
            const wait = Math.ceil(asked + backoff)
            if (time + wait >= until) return Effect.fail(error)
            budget--
            return Effect.sleep(wait).pipe(
              Effect.zipRight(Metric.increment(Metrics.rpcRetries)),
              Effect.zipRight(Effect.suspend(() => again({ failed: [...tried.failed, error], until })))
            )
          })
        })

      const earn = (): void => {
        budget = Math.min(reserve, budget + ratio)
      }

      const request = (
        method: string,
        params: ReadonlyArray<unknown>,
        tried: Tried
      ): Effect.Effect<unknown, RpcError> =>
        Effect.catchAll(transport.request(method, params), (error) =>
          Method.mayRepeat(method, error)
            ? retry(error, tried, (tried) => request(method, params, tried))
            : Effect.fail(refusedAfter(method, tried.failed, error))
        )

      const batch = (
        calls: ReadonlyArray<RpcCall>,
        tried: Tried
      ): Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError> =>
        Effect.matchEffect(transport.batch(calls), {
          onFailure: (error) =>
            calls.every(({ method }) => Method.mayRepeat(method, error))
              ? retry(error, tried, (tried) => batch(calls, tried))
              : Effect.fail(error),
          onSuccess: (answers) => {
            const items = zip(calls, answers, (call, answer) =>
              Either.mapLeft(answer, (error) => refusedAfter(call.method, tried.failed, error))
            )
            const failed = zip(calls, items, (call, item, index) =>
              Either.isLeft(item) && Method.mayRepeat(call.method, item.left) ? [{ call, index, error: item.left }] : []
            ).flat()
            const first = failed[0]
            if (first === undefined) return Effect.succeed(items)
            const repeated = failed.map(({ call }) => call)
            return Effect.match(
              retry(first.error, tried, (tried) => batch(repeated, tried)),
              {
                onFailure: () => items,
                onSuccess: (answers) => {
                  const merged = [...items]
                  failed.forEach(({ error, index }, nth) => {
                    merged[index] = answers[nth] ?? Either.left(error)
                  })
                  return merged
                }
              }
            )
          }
        })

      return {
        host: transport.host,
        request: (method, params) =>
          Effect.suspend(() => {
            earn()
            return request(method, params, UNTRIED)
          }),
        batch: (calls) =>
          Effect.suspend(() => {
            earn()
            return batch(calls, UNTRIED)
          }),
        subscribe: transport.subscribe
      }
    })
