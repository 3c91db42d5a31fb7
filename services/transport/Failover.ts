/**
 * Makes one call at several endpoints: one after another, at a second one while the first is slow, or at several at once.
 *
 * A call moves to another endpoint only if a repetition is safe and the failure is the endpoint's, not the call's. A
 * `sendTransaction` that may have arrived at one endpoint never fails with the refusal of another.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Deadline from "../Deadline.js"
import type * as Direct from "../internal/direct.js"
import { forkIn } from "../internal/endBy.js"
import * as Metrics from "../Metrics.js"
import { RpcError } from "../RpcTransport.js"
import type { RpcTransport } from "../RpcTransport.js"
import type { Endpoint } from "./Endpoint.js"
import { refusedAfter, summarize } from "./failures.js"
import * as Method from "./Method.js"

/** Refusals of a node that another may not share: unknown method (-32601), missing index (-32010) or history (-32011). */
const ELSEWHERE: ReadonlySet<number> = new Set([-32601, -32010, -32011])

const SEND = "sendTransaction"

/** Whether the call may go to another endpoint after this failure. */
const mayMoveOn = (method: string, error: RpcError): boolean => {
  if (Method.mayRepeat(method, error)) return true
  // Another node may accept the same transaction bytes.
  if (error.reason === "Node") return method === SEND || (error.code !== undefined && ELSEWHERE.has(error.code))
  return Method.isRepeatable(method)
}

/** A call that any transport can make. */
export interface Call<A> {
  /** The method of the call, or those of the items of an array. */
  readonly methods: ReadonlyArray<string>
  /** Whether each failure moves the call to the next endpoint, even a node's refusal. Default false. */
  readonly isOpinion?: boolean
  readonly with: (transport: RpcTransport) => Effect.Effect<A, RpcError>
}

const movesOn = <A>({ isOpinion = false, methods }: Call<A>, error: RpcError): boolean =>
  isOpinion || methods.every((method) => mayMoveOn(method, error))

/** The end of an equal share of the time until the deadline, so that later endpoints get theirs. */
const endOfShare = (attemptsLeft: number, now: number, deadline: number): number =>
  deadline === Infinity ? deadline : now + (deadline - now) / attemptsLeft

/** Gives an attempt its share of the time. */
const share =
  (attemptsLeft: number) =>
  <A>(attempt: Effect.Effect<A, RpcError>): Effect.Effect<A, RpcError> =>
    attemptsLeft === 1
      ? attempt
      : Effect.withFiberRuntime((fiber) => {
          const deadline = Deadline.of(fiber)
          return deadline === Infinity
            ? attempt
            : Deadline.at(endOfShare(attemptsLeft, Deadline.now(fiber), deadline))(attempt)
        })

const again = <A, E>(attempt: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.zipRight(Metric.increment(Metrics.rpcRetries), attempt)

/** Makes the call at each endpoint in order, once, until one answers. */
export const inOrder = <A>(
  call: Call<A>,
  [endpoint, next, ...others]: readonly [Endpoint, ...ReadonlyArray<Endpoint>],
  failed: ReadonlyArray<RpcError> = []
): Effect.Effect<A, RpcError> =>
  next === undefined && failed.length === 0
    ? call.with(endpoint.transport)
    : Effect.catchAll(share(next === undefined ? 1 : others.length + 2)(call.with(endpoint.transport)), (error) => {
        if (!movesOn(call, error)) return Effect.fail(refusedAfter(call.methods, failed, error))
        const [first = error, ...more] = failed
        const all = failed.length === 0 ? ([error] as const) : ([first, ...more, error] as const)
        if (next === undefined) return Effect.fail(summarize(all))
        return Effect.withFiberRuntime((fiber) =>
          Deadline.now(fiber) >= Deadline.of(fiber)
            ? Effect.fail(summarize(all))
            : again(inOrder(call, [next, ...others], all))
        )
      })

/** As {@link inOrder}, but the first attempt needs no fiber. Further attempts run in one. */
export const start =
  <A>(
    first: Direct.Start<readonly [], A, RpcError>,
    call: Call<A>,
    [, next, ...others]: readonly [Endpoint, ...ReadonlyArray<Endpoint>]
  ): Direct.Start<readonly [], A, RpcError> =>
  (caller, onEnd) => {
    if (next === undefined) return first(caller, onEnd)
    const { deadline, fiber, now } = caller
    let isCancelled = false
    let cancel = first({ fiber, now, deadline: endOfShare(others.length + 2, now, deadline) }, (exit) => {
      const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
      if (error === undefined || !movesOn(call, error) || Deadline.now(fiber) >= deadline) return onEnd(exit)
      const context = Context.add(fiber.currentContext, Deadline.Deadline, deadline)
      const rest = forkIn(fiber, context)(again(inOrder(call, [next, ...others], [error])))
      cancel = () => rest.unsafeInterruptAsFork(FiberId.none)
      rest.addObserver((exit) => {
        if (!isCancelled) onEnd(exit)
      })
    })
    return (
      cancel &&
      (() => {
        isCancelled = true
        cancel?.()
      })
    )
  }

/**
 * Makes the call at the first endpoint, and at the second too if the first has not answered after `after` milliseconds. The
 * first answer counts, and the other call is interrupted. If both fail, the others follow in order. Each has its share of the
 * time, because the second waits for the failure of the first if `mayHedge` refuses.
 */
export const hedged = Effect.fnUntraced(function* <A>(
  call: Call<A>,
  [first, second, ...rest]: readonly [Endpoint, Endpoint, ...ReadonlyArray<Endpoint>],
  after: number,
  mayHedge: () => boolean
) {
  const failed: Array<RpcError> = []
  const firstFailed = yield* Deferred.make<void>()
  /** Succeeds with the result of the call; fails if the call should move on. */
  const attempt = (endpoint: Endpoint, left: number): Effect.Effect<Either.Either<A, RpcError>, RpcError> =>
    Effect.matchEffect(share(left)(call.with(endpoint.transport)), {
      onFailure: (error) => {
        if (!movesOn(call, error)) return Effect.succeed(Either.left(refusedAfter(call.methods, failed, error)))
        failed.push(error)
        return Effect.fail(error)
      },
      onSuccess: (answer) => Effect.succeed(Either.right(answer))
    })
  const other = attempt(second, rest.length + 1)
  const slow = Effect.suspend(() => (mayHedge() ? Effect.void : Deferred.await(firstFailed)))
  // Interruptible even in an uninterruptible region, because a race waits for the end of the loser.
  const winner = yield* Effect.either(
    Effect.race(
      Effect.interruptible(
        Effect.tapError(attempt(first, rest.length + 2), () => Deferred.succeed(firstFailed, undefined))
      ),
      Effect.raceFirst(
        Effect.interruptible(Effect.zipRight(Effect.sleep(after), slow)),
        Effect.interruptible(Deferred.await(firstFailed))
      ).pipe(Effect.zipRight(Effect.suspend(() => (failed.length === 0 ? other : again(other)))), Effect.interruptible)
    )
  )
  if (Either.isRight(winner)) return yield* winner.right
  const [third, ...others] = rest
  const [error = winner.left, ...more] = failed
  return yield* third === undefined
    ? Effect.fail(summarize([error, ...more]))
    : again(inOrder(call, [third, ...others], failed))
})

/** The failure of an attempt that the end of the scope interrupted. */
const cut = <A>({ methods: [method = "batch"] }: Call<A>, { host }: RpcTransport): RpcError =>
  new RpcError({
    reason: "Transport",
    method,
    host,
    detail: "the pool is closed: check whether the call took effect"
  })

/**
 * Makes the call at all endpoints at once and returns the first answer. The other attempts continue in the scope, because
 * every endpoint should get the transaction. An interrupted caller interrupts all. If all fail, the errors are combined. The
 * end of the scope fails the attempts that are in flight.
 */
export const broadcast = <A>(
  call: Call<A>,
  endpoints: readonly [Endpoint, ...ReadonlyArray<Endpoint>],
  scope: Scope.Scope
): Effect.Effect<A, RpcError> => Effect.uninterruptibleMask((restore) => broadcasting(call, endpoints, scope, restore))

const broadcasting = Effect.fnUntraced(function* <A>(
  call: Call<A>,
  endpoints: readonly [Endpoint, ...ReadonlyArray<Endpoint>],
  scope: Scope.Scope,
  restore: <B, E, R>(self: Effect.Effect<B, E, R>) => Effect.Effect<B, E, R>
) {
  const answer = yield* Deferred.make<A, RpcError>()
  const failed: Array<RpcError> = []
  const attempt = ({ transport }: Endpoint): Effect.Effect<void> =>
    Effect.matchCauseEffect(Effect.interruptible(call.with(transport)), {
      onFailure: (cause) => {
        const error = Cause.isInterruptedOnly(cause) ? Option.some(cut(call, transport)) : Cause.failureOption(cause)
        if (Option.isNone(error)) return Deferred.failCause(answer, cause)
        failed.push(error.value)
        if (failed.length < endpoints.length) return Effect.void
        const refusal = failed.find((error) => !movesOn(call, error))
        return Deferred.fail(
          answer,
          refusal === undefined
            ? summarize([error.value, ...failed.slice(0, -1)])
            : refusedAfter(
                call.methods,
                failed.filter((error) => error !== refusal),
                refusal
              )
        )
      },
      onSuccess: (value) => Deferred.succeed(answer, value)
    })
  const fibers = yield* Effect.forEach(endpoints, (endpoint) => Effect.forkIn(attempt(endpoint), scope))
  return yield* Effect.onInterrupt(restore(Deferred.await(answer)), () => Fiber.interruptAll(fibers))
})
