/**
 * Shorter ways to do what Effect and TypeScript offer already, for the path that each message takes. Use them there alone:
 * elsewhere the usual way is as good and better known.
 *
 * - **Hidden classes.** V8 compiles code for the shapes of the objects that it sees. An object literal that begins with a
 *   spread and goes on with another field gets a shape of its own each time it is made: making it takes ten times as long,
 *   and code that reads it is never specialised. {@link extend} makes one shape for each pair of inputs. Models that are
 *   made for each message are classes for the same reason (`receipts.ts`, `jsonable`).
 * - **Steps of a fiber.** Each operator is a step of the fiber's loop, and a step costs about as much as the work that a
 *   message needs between two of them. A function that is given its fiber reads the context, the clock and the labels
 *   without a step: {@link withService}, and also `clock.ts`, `measured.ts` and `spanned` in `traced.ts`.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** As `{ ...self, ...fields }`. */
export const extend = <A extends object, B extends object>(self: A, fields: B): A & B => Object.assign({}, self, fields)

/** As `Effect.flatMap(tag, f)`, in one step instead of three, and with the fiber itself. */
export const withService = <I, S, A, E, R>(
  tag: Context.Tag<I, S>,
  f: (service: S, fiber: Fiber.RuntimeFiber<A, E>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | I> =>
  Effect.withFiberRuntime((fiber) => f(Context.unsafeGet(fiber.currentContext, tag), fiber))

/**
 * As `Effect.async`, with a plain function that takes the registration back when the fiber is interrupted: less than half
 * the steps, and less to keep while it waits.
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
 * Calls the function when the fiber ends, unless the returned function was called before: an effect calls that one with its
 * outcome, so that only an interruption is left. `Effect.onInterrupt` would run the effect in an uninterruptible region, at
 * five steps.
 */
export const onInterruption = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, act: () => void): (() => void) => {
  fiber.addObserver(act)
  return () => fiber.removeObserver(act)
}
