/**
 * Retries calls that failed with a retryable error, if a repetition is safe.
 *
 * Safe are reads, the bytes of one transaction, and calls that were refused before their execution. An airdrop whose answer
 * was lost is not safe. The wait grows exponentially with full jitter, on top of the `Retry-After` of the error.
 *
 * Retries end with `maxAttempts`, with the time (the deadline of the call, or `timeout`), and with the budget. The budget is
 * shared by all callers. It limits retries to a fraction of the calls, so retries cannot multiply the load on a failing
 * cluster.
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
import * as Direct from "../internal/direct.js"
import * as Metrics from "../Metrics.js"
import { RetryPolicy } from "../RetryPolicy.js"
import type { RpcCall, RpcError, RpcTransport } from "../RpcTransport.js"
import { refusedAfter } from "./failures.js"
import * as Method from "./Method.js"

/** The limits of retries. */
export interface Options {
  /**
   * Maximum attempts of a call, the first one included. Default: 5. With 1 nothing is retried. Too low: a short failure
   * fails the call. Too high: a dead endpoint is asked again and again.
   */
  readonly maxAttempts?: number | undefined
  /**
   * Upper bound of the first random wait; each further bound is twice the one before. Default: 100 ms, a quarter of a
   * slot. Too low: retries come in quick succession. Too high: calls wait longer than the failure lasts.
   */
  readonly baseDelay?: Duration.DurationInput | undefined
  /**
   * Maximum of the bound of a wait. Default: 5 seconds. Too low: many retries during a long outage. Too high: the end of
   * an outage is noticed late.
   */
  readonly maxDelay?: Duration.DurationInput | undefined
  /**
   * Time for retries after the first failure of a call without a deadline. Default: 30 seconds, half the lifetime of a
   * blockhash. Too low: the wait of a `Retry-After` does not fit. Too high: callers learn of an outage late.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Retries that each call adds to the shared budget. Default: 0.2, so retries add at most a fifth to the load. Too low:
   * calls fail that a retry would have saved. Too high: retries multiply the load on a failing cluster.
   */
  readonly budgetRatio?: number | undefined
  /**
   * Maximum of the shared budget, which starts full. Default: 100. Too low: a quiet application has no retries when its
   * first call fails. Too high: a burst of retries passes.
   */
  readonly budgetReserve?: number | undefined
}

/** The failed attempts of a call, and the `Deadline.now` until which it may be retried. */
interface Tried {
  readonly failed: ReadonlyArray<RpcError>
  readonly until: number
}

const UNTRIED: Tried = { failed: [], until: Infinity }

/** Maps each call with its answer. An array has one answer for each call. */
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
 * Retries the requests and arrays of a transport. Only the failed items of an array are sent again. Subscriptions pass
 * through unchanged.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.gen(function* () {
      const maxAttempts = yield* integer("maxAttempts", options.maxAttempts ?? 5, 1)
      const baseDelay = yield* millis("baseDelay", options.baseDelay ?? "100 millis")
      const maxDelay = yield* millis("maxDelay", options.maxDelay ?? "5 seconds")
      const timeout = yield* millis("timeout", options.timeout ?? "30 seconds")
      const ratio = yield* positive("budgetRatio", options.budgetRatio ?? 0.2)
      const reserve = yield* positive("budgetReserve", options.budgetReserve ?? 100)
      let budget = reserve

      /** Runs `again` after a wait, or fails if no retry is allowed. */
      const retry = <A>(
        methods: ReadonlyArray<string>,
        error: RpcError,
        tried: Tried,
        again: (tried: Tried) => Effect.Effect<A, RpcError>
      ): Effect.Effect<A, RpcError> =>
        Effect.withFiberRuntime((fiber) => {
          const attempt = tried.failed.length + 1
          const over = Effect.failSync(() => refusedAfter(methods, tried.failed, error))
          if (attempt >= maxAttempts || budget < 1) return over
          if (Context.get(fiber.currentContext, RetryPolicy) === "never") return over
          const time = Deadline.now(fiber)
          const until = Math.min(tried.until, Deadline.of(fiber), attempt === 1 ? time + timeout : Infinity)
          return Effect.flatMap(fullJitter(baseDelay, maxDelay, attempt - 1), (backoff) => {
            const retryAfter = error.retryAfter === undefined ? 0 : Duration.toMillis(error.retryAfter)
            const wait = Math.ceil(retryAfter + backoff)
            if (time + wait >= until) return over
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
            ? retry([method], error, tried, (tried) => request(method, params, tried))
            : Effect.fail(refusedAfter([method], tried.failed, error))
        )

      const batch = (
        calls: ReadonlyArray<RpcCall>,
        tried: Tried
      ): Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError> =>
        Effect.matchEffect(transport.batch(calls), {
          onFailure: (error) => {
            const methods = calls.map(({ method }) => method)
            return methods.every((method) => Method.mayRepeat(method, error))
              ? retry(methods, error, tried, (tried) => batch(calls, tried))
              : Effect.fail(refusedAfter(methods, tried.failed, error))
          },
          onSuccess: (answers) => {
            const items = zip(calls, answers, (call, answer) =>
              Either.mapLeft(answer, (error) => refusedAfter([call.method], tried.failed, error))
            )
            const failed = zip(calls, items, (call, item, index) =>
              Either.isLeft(item) && Method.mayRepeat(call.method, item.left) ? [{ call, index, error: item.left }] : []
            ).flat()
            const first = failed[0]
            if (first === undefined) return Effect.succeed(items)
            const repeated = failed.map(({ call }) => call)
            return Effect.map(
              Effect.either(retry([], first.error, tried, (tried) => batch(repeated, tried))),
              (outcome) => {
                const merged = [...items]
                failed.forEach(({ call, error, index }, nth) => {
                  merged[index] = Either.isLeft(outcome)
                    ? Either.left(refusedAfter([call.method], [outcome.left], error))
                    : (outcome.right[nth] ?? Either.left(error))
                })
                return merged
              }
            )
          }
        })

      const first: Direct.Request = Direct.over(
        transport.request,
        (method, params) =>
          Effect.suspend(() => {
            earn()
            return request(method, params, UNTRIED)
          }),
        (start) => (caller, onEnd, method, params) => {
          const cancel = start(caller, onEnd, method, params)
          if (cancel !== undefined) earn()
          return cancel
        }
      )

      return {
        host: transport.host,
        request: first,
        batch: (calls) =>
          Effect.suspend(() => {
            earn()
            return batch(calls, UNTRIED)
          }),
        subscribe: transport.subscribe
      }
    })
