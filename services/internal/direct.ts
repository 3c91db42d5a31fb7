/**
 * Calls that need no fiber.
 *
 * A function that gives an effect may have a second entry, `start`, which begins the same work at once and calls back at its
 * end. A sent transaction waits in one place, for its outcome; a fiber of its own for the call, and a suspension of it for
 * each layer below, would cost more than the call.
 *
 * - `start` gives `undefined` where more is to be done than the usual: to wait for a turn, to make a span, to refuse. Then
 *   nothing was done, and the caller runs the effect. So what is rare is written once, as an effect.
 * - `onEnd` is called once, never before `start` has returned, and not after the call was cancelled.
 * - The caller cancels at most once, and not after the end.
 * - The entry belongs to the function. A decorator that replaces the function replaces the entry too, and one that passes the
 *   function on passes both.
 * - No entry throws. Socket parsers call `onEnd`, so {@link read} keeps defects from them.
 */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { RpcError } from "../RpcTransport.js"

/** For whom a call is made. */
export interface Caller {
  /** It waits for the call. Its clock and its labels count. */
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  /** When the call began, in milliseconds of the monotonic clock. */
  readonly now: number
  /** When it must be answered, on the same clock. */
  readonly deadline: number
}

/** Begins a call. Gives what cancels it, or `undefined` if the effect must be run instead. The call is not retried. */
export type Start<Args extends ReadonlyArray<unknown>, A, E> = (
  caller: Caller,
  onEnd: (exit: Exit.Exit<A, E>) => void,
  ...args: Args
) => (() => void) | undefined

const start: unique symbol = Symbol("@pod-protocol/effect/internal/direct/start")

/** A function that may be started without a fiber. */
export interface Startable<Args extends ReadonlyArray<unknown>, A, E> {
  (...args: Args): Effect.Effect<A, E>
  readonly [start]?: Start<Args, A, E>
}

/** Adds an entry to a function. */
export const startable = <Args extends ReadonlyArray<unknown>, A, E>(
  run: (...args: Args) => Effect.Effect<A, E>,
  entry: Start<Args, A, E>
): Startable<Args, A, E> => Object.assign(run, { [start]: entry })

/** The entry of a function, if it has one. */
export const startOf = <Args extends ReadonlyArray<unknown>, A, E>(
  run: Startable<Args, A, E>
): Start<Args, A, E> | undefined => run[start]

/** Adds an entry to a function that is made of another one, if that one has an entry. */
export const over = <Inner extends ReadonlyArray<unknown>, B, D, Args extends ReadonlyArray<unknown>, A, E>(
  inner: Startable<Inner, B, D>,
  run: (...args: Args) => Effect.Effect<A, E>,
  entryOver: (start: Start<Inner, B, D>) => Start<Args, A, E>
): Startable<Args, A, E> => {
  const entry = startOf(inner)
  return entry === undefined ? run : startable(run, entryOver(entry))
}

/** `RpcTransport.request`, which may have an entry. */
export type Request = Startable<Call, unknown, RpcError>

type Call = readonly [method: string, params: ReadonlyArray<unknown>]

/** The end of a call that its caller cancelled. */
const CANCELLED = Exit.interrupt(FiberId.none)

/** A decorator's entry that is told how the call ended. A call that was cancelled, or did not begin, was interrupted. */
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

/** Reads what a call was answered with. What the reader throws is a defect. */
export const read = <A, B, E>(exit: Exit.Exit<A, E>, reader: (answer: A) => Either.Either<B, E>): Exit.Exit<B, E> =>
  Exit.flatMap(exit, (answer) =>
    Either.merge(
      Either.try({ try: () => Exit.fromEither(reader(answer)), catch: (defect): Exit.Exit<B, E> => Exit.die(defect) })
    )
  )
