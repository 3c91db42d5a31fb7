/**
 * Ends an effect at a deadline, at little cost for an effect that does not wait.
 *
 * The effect runs in its own fiber, which starts at once. If the effect ends without waiting, as signing with a local key
 * does, no timer starts. `Effect.timeout` would fork two fibers and race them. Otherwise a timer runs beside the effect.
 *
 * Invariants:
 * - At the deadline the caller fails at once, and the effect is interrupted in the background. So an uninterruptible effect
 *   does not delay the caller.
 * - An interruption of the caller interrupts the effect and the timer.
 * - The timer is cancelled when the effect ends.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import * as Clock from "./clock.js"
import { cancelable } from "./hot.js"

/** A deadline in milliseconds of the monotonic clock, and the failure of an effect that has not ended by then. */
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

/** Calls `act` at the limit. Returns a function that cancels the timer. */
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

/** Ends the effect at the limit; `what` names it in the failure. Without a limit the effect needs no fiber of its own. */
export const endBy =
  <L>(limit: Limit<L>, what: string) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | L> => {
    if (limit.at === Infinity) return effect
    return Effect.withFiberRuntime<A, E | L>((fiber) => {
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
  }
