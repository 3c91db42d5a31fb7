/**
 * Faster variants of operators of Effect and TypeScript, for the path of each message. Use them only there: elsewhere
 * the standard operators are as good and better known.
 *
 * - **Hidden classes.** V8 compiles code for the shapes of the objects that it sees. An object literal with a spread
 *   before another field gets a new shape each time it is made: making it takes ten times as long, and V8 never
 *   specialises code that reads it. {@link extend} makes one shape for each pair of inputs. Models that are made for
 *   each message are classes for the same reason (`receipts.ts`, `jsonable`).
 * - **Steps of a fiber.** Each operator is a step of the fiber's loop. A step costs about as much as a message's work
 *   between two steps. A function with its fiber as an argument reads the context, the clock and the labels without a
 *   step: {@link withService}, `clock.ts`, `measured.ts`, and `spanned` in `traced.ts`.
 * - **Generator functions.** V8 makes a hidden class for each generator function at its first call, in the old generation.
 *   A generator function that a call makes for itself, as the argument of `Effect.gen`, dies with the call; but until the
 *   next full collection, its hidden class keeps it and all variables that it captures, and the scavenger copies them. So
 *   the function that a call runs is made once: `Effect.fnUntraced` with the inputs as arguments.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/** As `{ ...self, ...fields }`. */
export const extend = <A extends object, B extends object>(self: A, fields: B): A & B => Object.assign({}, self, fields)

/** Whether the effect is the `Exit` of a success. */
export const isSuccess = <A, E, R>(self: Effect.Effect<A, E, R>): self is Exit.Success<A, E> =>
  Exit.isExit(self) && Exit.isSuccess(self)

/**
 * As `Effect.flatMap`, for an effect that is often an `Exit`. After a success, `f` runs at once instead of in a step of
 * the fiber, so the caller must be in the fiber.
 */
export const flatMapExit = <A, E, R, B, E2, R2>(
  self: Effect.Effect<A, E, R>,
  f: (value: A) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E | E2, R | R2> => (isSuccess(self) ? f(self.value) : Effect.flatMap(self, f))

/** As `Effect.flatMap(tag, f)`, in one step instead of three, and with the fiber itself. */
export const withService = <I, S, A, E, R>(
  tag: Context.Tag<I, S>,
  f: (service: S, fiber: Fiber.RuntimeFiber<A, E>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | I> =>
  Effect.withFiberRuntime((fiber) => f(Context.unsafeGet(fiber.currentContext, tag), fiber))

/**
 * As `Effect.async`, with a plain function that cancels the registration on interruption. It takes less than half the
 * steps, and less memory while it waits.
 */
export const cancelable = <A, E>(
  register: (resume: (outcome: Effect.Effect<A, E>) => void) => () => void
): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) => {
    let cancel: (() => void) | undefined
    const wait = Effect.async<A, E>((resume) => {
      cancel = register(resume)
    })
    return Effect.matchCauseEffect(restore(wait), {
      onFailure: (cause) => {
        if (Cause.isInterruptedOnly(cause)) cancel?.()
        return Effect.failCause(cause)
      },
      onSuccess: Effect.succeed
    })
  })

/**
 * Calls `act` when the fiber ends, unless the returned function was called before. The effect calls the returned
 * function on success and failure, so `act` runs only on interruption. `Effect.onInterrupt` would add an
 * uninterruptible region, at five steps.
 */
export const onInterruption = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, act: () => void): (() => void) => {
  fiber.addObserver(act)
  return () => fiber.removeObserver(act)
}
