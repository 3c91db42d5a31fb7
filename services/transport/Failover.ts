/**
 * One call over several endpoints: one after the other, a second one beside a slow first, or several at once.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Deadline from "../Deadline.js"
import * as Metrics from "../Metrics.js"
import type { RpcError, RpcTransport } from "../RpcTransport.js"
import type { Endpoint } from "./Endpoint.js"
import { refusedAfter, summarize } from "./failures.js"
import * as Method from "./Method.js"

/**
 * What one node refuses and another may do: it lacks the method (-32601), keeps no such index (-32010) or no history
 * (-32011).
 */
const ELSEWHERE: ReadonlySet<number> = new Set([-32601, -32010, -32011])

const SEND = "sendTransaction"

/**
 * Whether another endpoint may be asked after this failure: repeating is safe, and the failure is the endpoint's, not the
 * call's.
 */
const mayMoveOn = (method: string, error: RpcError): boolean => {
  if (Method.mayRepeat(method, error)) return true
  // What one node refuses to forward another may take: the bytes are the same.
  if (error.reason === "Node") return method === SEND || (error.code !== undefined && ELSEWHERE.has(error.code))
  return Method.isRepeatable(method)
}

/** A call, to be made with whichever transport. */
export interface Call<A> {
  /** The methods in it: one, or those of an array. */
  readonly methods: ReadonlyArray<string>
  readonly with: (transport: RpcTransport) => Effect.Effect<A, RpcError>
}

const movesOn = <A>(call: Call<A>, error: RpcError): boolean => call.methods.every((method) => mayMoveOn(method, error))

/** Gives an attempt its share of the time that is left, so that the endpoints after it get theirs. */
const share =
  (attemptsLeft: number) =>
  <A>(attempt: Effect.Effect<A, RpcError>): Effect.Effect<A, RpcError> =>
    attemptsLeft === 1
      ? attempt
      : Effect.withFiberRuntime((fiber) => {
          const deadline = Deadline.of(fiber)
          if (deadline === Infinity) return attempt
          const time = Deadline.now(fiber)
          return Deadline.at(time + (deadline - time) / attemptsLeft)(attempt)
        })

const refused = <A>(call: Call<A>, failed: ReadonlyArray<RpcError>, error: RpcError): RpcError =>
  call.methods.reduce((error, method) => refusedAfter(method, failed, error), error)

const again = <A, E>(attempt: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.zipRight(Metric.increment(Metrics.rpcRetries), attempt)

/** Asks each in order, once, until one answers. */
export const inOrder = <A>(
  call: Call<A>,
  [endpoint, next, ...others]: readonly [Endpoint, ...ReadonlyArray<Endpoint>],
  failed: ReadonlyArray<RpcError> = []
): Effect.Effect<A, RpcError> =>
  next === undefined && failed.length === 0
    ? call.with(endpoint.transport)
    : Effect.catchAll(share(next === undefined ? 1 : others.length + 2)(call.with(endpoint.transport)), (error) => {
        if (!movesOn(call, error)) return Effect.fail(refused(call, failed, error))
        const [first = error, ...more] = failed
        const all = failed.length === 0 ? ([error] as const) : ([first, ...more, error] as const)
        if (next === undefined) return Effect.fail(summarize(all))
        return Effect.withFiberRuntime((fiber) =>
          Deadline.now(fiber) >= Deadline.of(fiber)
            ? Effect.fail(summarize(all))
            : again(inOrder(call, [next, ...others], all))
        )
      })

/**
 * Asks the first, and the second too when the first has not answered after so many milliseconds. The first answer counts
 * and the other call is aborted. When both fail, the rest are asked in order.
 */
export const hedged = <A>(
  call: Call<A>,
  [first, second, ...rest]: readonly [Endpoint, Endpoint, ...ReadonlyArray<Endpoint>],
  after: number,
  mayHedge: () => boolean
): Effect.Effect<A, RpcError> =>
  Effect.gen(function* () {
    const failed: Array<RpcError> = []
    const firstFailed = yield* Deferred.make<void>()
    /** Succeeds with what ends the call, fails to go on. */
    const attempt = (endpoint: Endpoint): Effect.Effect<Either.Either<A, RpcError>, "next"> =>
      Effect.matchEffect(share(rest.length + 1)(call.with(endpoint.transport)), {
        onFailure: (error) => {
          if (!movesOn(call, error)) return Effect.succeed(Either.left(refused(call, failed, error)))
          failed.push(error)
          return Effect.fail("next" as const)
        },
        onSuccess: (answer) => Effect.succeed(Either.right(answer))
      })
    const slow = Effect.suspend(() => (mayHedge() ? Effect.void : Deferred.await(firstFailed)))
    const winner = yield* Effect.either(
      Effect.race(
        Effect.tapError(attempt(first), () => Deferred.succeed(firstFailed, undefined)),
        Effect.raceFirst(Effect.zipRight(Effect.sleep(after), slow), Deferred.await(firstFailed)).pipe(
          Effect.zipRight(Effect.suspend(() => (failed.length === 0 ? attempt(second) : again(attempt(second)))))
        )
      )
    )
    if (Either.isRight(winner)) return yield* winner.right
    const [third, ...others] = rest
    const [error, ...more] = failed
    if (error === undefined) return yield* Effect.dieMessage("a hedged call failed without a failure")
    return yield* third === undefined
      ? Effect.fail(summarize([error, ...more]))
      : again(inOrder(call, [third, ...others], failed))
  })

/**
 * Asks all at once and answers with the first that does. The others go on in the scope, since they too are to have the
 * call; an interrupted caller aborts all. When none answers, their failures are one.
 */
export const broadcast = <A>(
  call: Call<A>,
  endpoints: readonly [Endpoint, ...ReadonlyArray<Endpoint>],
  scope: Scope.Scope
): Effect.Effect<A, RpcError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<A, RpcError>()
      const failed: Array<RpcError> = []
      const attempt = (endpoint: Endpoint): Effect.Effect<void> =>
        Effect.matchCauseEffect(call.with(endpoint.transport), {
          onFailure: (cause) => {
            const error = Cause.failureOption(cause)
            if (Option.isNone(error)) return Deferred.failCause(answer, cause)
            failed.push(error.value)
            if (failed.length < endpoints.length) return Effect.void
            const refusal = failed.find((error) => !movesOn(call, error))
            return Deferred.fail(
              answer,
              refusal === undefined
                ? summarize([error.value, ...failed.slice(0, -1)])
                : refused(
                    call,
                    failed.filter((error) => error !== refusal),
                    refusal
                  )
            )
          },
          onSuccess: (value) => Deferred.succeed(answer, value)
        })
      const fibers = yield* Effect.forEach(endpoints, (endpoint) =>
        Effect.forkIn(Effect.interruptible(attempt(endpoint)), scope)
      )
      return yield* Effect.onInterrupt(restore(Deferred.await(answer)), () => Fiber.interruptAll(fibers))
    })
  )
