/**
 * Starts calls without a fiber of their own.
 *
 * A function that returns an effect may have a second entry point, `start`. It starts the same work at once, and calls
 * `onEnd` at its end. A sent transaction waits in one place, for its outcome: a fiber for the call, and a suspension of
 * it for each layer below, would cost more than the call.
 *
 * Invariants:
 *
 * - `start` returns `undefined` if the call needs more than the usual work: a wait, a span or a refusal. Then nothing
 *   was done, and the caller runs the effect. So only the effect contains the code of rare cases.
 * - `onEnd` is called at most once: never before `start` has returned, and never after the call was cancelled.
 * - The caller cancels at most once, and never after the end.
 * - The entry point belongs to the function. A decorator that wraps the function also wraps the entry point; one that
 *   returns the function unchanged keeps both.
 * - No entry point throws. The parsers of sockets call `onEnd`, so {@link read} turns exceptions into defects.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { RpcError } from "../RpcTransport.js"
import * as Clock from "./clock.js"

/** The caller of a call. */
export interface Caller {
  /** The fiber that waits for the call. The call uses its clock and its labels. */
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** The time at which the call began, in milliseconds of the monotonic clock. */
  readonly now: number
  /** The deadline of the answer, on the same clock. */
  readonly deadline: number
}

/**
 * Starts a call, which is not retried. Returns a function that cancels it, or `undefined` if the caller must run the
 * effect instead.
 */
export type Start<Args extends ReadonlyArray<unknown>, A, E> = (
  caller: Caller,
  onEnd: (exit: Exit.Exit<A, E>) => void,
  ...args: Args
) => (() => void) | undefined

const start: unique symbol = Symbol("@pod-protocol/effect/internal/direct/start")

/** A function that may have an entry point without a fiber. */
export interface Startable<Args extends ReadonlyArray<unknown>, A, E> {
  (...args: Args): Effect.Effect<A, E>
  readonly [start]?: Start<Args, A, E>
}

/** Adds an entry point to a function. */
export const startable = <Args extends ReadonlyArray<unknown>, A, E>(
  run: (...args: Args) => Effect.Effect<A, E>,
  entry: Start<Args, A, E>
): Startable<Args, A, E> => Object.assign(run, { [start]: entry })

/** A function that has its result at once. `run` gets the time of the monotonic clock. An exception becomes a defect. */
export const synchronous = <Args extends ReadonlyArray<unknown>, A, E>(
  run: (nowMillis: number, ...args: Args) => Either.Either<A, E>
): Startable<Args, A, E> =>
  startable(
    (...args) => Effect.withFiberRuntime((fiber) => attempt(() => run(Clock.monotonic(fiber), ...args))),
    ({ fiber }, onEnd, ...args) => {
      const exit = attempt(() => run(Clock.monotonic(fiber), ...args))
      let isCancelled = false
      queueMicrotask(() => {
        if (!isCancelled) onEnd(exit)
      })
      return () => {
        isCancelled = true
      }
    }
  )

/** The entry point of a function, if it has one. */
export const startOf = <Args extends ReadonlyArray<unknown>, A, E>(
  run: Startable<Args, A, E>
): Start<Args, A, E> | undefined => run[start]

/** Adds an entry point to a function `run` that wraps `inner`, if `inner` has an entry point. */
export const over = <Inner extends ReadonlyArray<unknown>, B, D, Args extends ReadonlyArray<unknown>, A, E>(
  inner: Startable<Inner, B, D>,
  run: (...args: Args) => Effect.Effect<A, E>,
  entryOver: (start: Start<Inner, B, D>) => Start<Args, A, E>
): Startable<Args, A, E> => {
  const entry = startOf(inner)
  return entry === undefined ? run : startable(run, entryOver(entry))
}

/** `RpcTransport.request`, which may have an entry point. */
export type Request = Startable<Call, unknown, RpcError>

type Call = readonly [method: string, params: ReadonlyArray<unknown>]

/** The end of a call that its caller cancelled. */
const CANCELLED = Exit.interrupt(FiberId.none)

/**
 * An entry point that calls `ended` with the result. A call that was cancelled, or that did not start, ends as
 * interrupted.
 */
export const watched =
  <Args extends ReadonlyArray<unknown>, A, E>(
    start: Start<Args, A, E>,
    ended: (exit: Exit.Exit<A, E>) => void
  ): Start<Args, A, E> =>
  (caller, onEnd, ...args) => {
    const cancel = start(
      caller,
      (exit) => {
        ended(exit)
        onEnd(exit)
      },
      ...args
    )
    if (cancel === undefined) {
      ended(CANCELLED)
      return undefined
    }
    return () => {
      ended(CANCELLED)
      cancel()
    }
  }

/** Converts the answer of a call by `reader`. An exception of `reader` becomes a defect. */
export const read = <A, B, E>(exit: Exit.Exit<A, E>, reader: (answer: A) => Either.Either<B, E>): Exit.Exit<B, E> =>
  Exit.flatMap(exit, (answer) => attempt(() => reader(answer)))

/** The result of a function, whose exception becomes a defect. */
const attempt = <A, E>(run: () => Either.Either<A, E>): Exit.Exit<A, E> =>
  Either.merge(Either.try({ try: () => Exit.fromEither(run()), catch: (defect): Exit.Exit<A, E> => Exit.die(defect) }))
