/**
 * Ends an effect at a deadline, at little cost where it does not wait.
 *
 * The effect runs in a fiber of its own, which starts at once. If it is done before it waits, no timer is set: that is
 * how signing with a local key and storing in memory end, and `Effect.timeout` would fork two fibers and race them.
 * Otherwise a timer runs beside it. At the deadline the caller goes on and the effect is interrupted behind it, so one
 * that cannot be interrupted does not hold the caller.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import { cancelable } from "./cancelable.js"
import * as Clock from "./clock.js"

/** A moment of the monotonic clock, and the failure of what is not done by then. */
export interface Limit<E> {
  readonly at: number
  readonly late: (what: string) => E
}

const forkIn = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Runtime.runFork(
    Runtime.make({
      context: fiber.currentContext,
      runtimeFlags: Runtime.defaultRuntimeFlags,
      fiberRefs: fiber.getFiberRefs()
    })
  )

/** Calls back at the limit, unless it is cancelled before. */
export const onLimit = <A, E>(
  fiber: Fiber.RuntimeFiber<A, E>,
  { at }: Pick<Limit<unknown>, "at">,
  act: () => void
): (() => void) => {
  if (at === Infinity) return constVoid
  const timer = forkIn(fiber)(Effect.sleep(Math.max(0, at - Clock.monotonic(fiber))))
  timer.addObserver((exit) => {
    if (Exit.isSuccess(exit)) act()
  })
  return () => timer.unsafeInterruptAsFork(FiberId.none)
}

/** Ends the effect at the limit; `what` names it in the failure. */
export const endBy =
  <L>(limit: Limit<L>, what: string) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | L> =>
    Effect.withFiberRuntime<A, E | L>((fiber) => {
      const child = forkIn(fiber)(effect)
      const done = child.unsafePoll()
      if (done !== null) return done
      return cancelable<A, E | L>((resume) => {
        const cancel = onLimit(fiber, limit, () => {
          child.unsafeInterruptAsFork(FiberId.none)
          resume(Effect.fail(limit.late(what)))
        })
        child.addObserver((exit) => {
          cancel()
          resume(exit)
        })
        return () => {
          cancel()
          child.unsafeInterruptAsFork(FiberId.none)
        }
      })
    })
