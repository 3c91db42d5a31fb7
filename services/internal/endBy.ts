/**
 * Ends an effect at a deadline. An effect that does not wait costs little more than without a deadline.
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
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import { RpcError } from "../RpcTransport.js"
import * as Clock from "./clock.js"
import { cancelable } from "./hot.js"

/** A deadline in milliseconds of the monotonic clock, and the failure of an effect that has not ended by then. */
export interface Limit<E> {
  readonly at: number
  readonly late: (what: string) => E
}

/** The failure of a transaction whose deadline came before it was sent. */
export const notSent = (what: string): RpcError =>
  new RpcError({ reason: "Timeout", method: "sendTransaction", detail: `not sent, its deadline came before ${what}` })

/** Starts an effect at once in its own fiber, which no other fiber supervises. */
export const forkIn = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, context: Context.Context<never> = fiber.currentContext) =>
  Runtime.runFork(
    Runtime.make({
      context,
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

export interface EndByOptions {
  /** The services of the effect. Default: those of the caller. */
  readonly context?: Context.Context<never> | undefined
  /** Called when the effect ends after its caller has left: the limit was reached, or the caller was interrupted. */
  readonly onLeft?: (() => void) | undefined
}

/**
 * Ends the effect at the limit; `what` names it in the failure. Without a limit and without options the effect needs no
 * fiber of its own.
 */
export const endBy =
  <L>(limit: Limit<L>, what: string, { context, onLeft }: EndByOptions = {}) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | L> => {
    if (limit.at === Infinity && context === undefined && onLeft === undefined) return effect
    return Effect.withFiberRuntime<A, E | L>((fiber) => {
      const child = forkIn(fiber, context)(effect)
      const done = child.unsafePoll()
      if (done !== null) return done
      return cancelable<A, E | L>((resume) => {
        const leave = () => {
          child.unsafeInterruptAsFork(FiberId.none)
          if (onLeft !== undefined) child.addObserver(onLeft)
        }
        const cancel = onLimit(fiber, limit, () => {
          leave()
          resume(Effect.fail(limit.late(what)))
        })
        child.addObserver((exit) => {
          cancel()
          resume(exit)
        })
        return () => {
          cancel()
          leave()
        }
      })
    })
  }
