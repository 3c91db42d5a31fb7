/**
 * Ends an effect that runs too long, and waits until it has ended: what bounds the effects that run at once may count on it.
 * `endBy` answers the caller at once instead.
 *
 * `Effect.timeout` of Effect 3.22 hangs where a sibling in `Effect.all` fails. An effect that does not wait needs no timer.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Clock from "./clock.js"
import { forkIn, onLimit } from "./endBy.js"

const ended = <A, E>(millis: number, late: () => E, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.withFiberRuntime((fiber) => {
    const child = forkIn(fiber)(effect)
    const done = child.unsafePoll()
    if (done !== null) return Effect.zipRight(child.inheritAll, done)
    return Effect.async<A, E>((resume) => {
      let isLate = false
      const stopTimer = onLimit(fiber, { at: Clock.monotonic(fiber) + millis }, () => {
        isLate = true
        child.unsafeInterruptAsFork(FiberId.none)
      })
      child.addObserver((exit) => {
        stopTimer()
        resume(isLate && Exit.isInterrupted(exit) ? Effect.fail(late()) : Effect.zipRight(child.inheritAll, exit))
      })
      return Effect.suspend(() => {
        stopTimer()
        return Fiber.interrupt(child)
      })
    })
  })

/** Interrupts the effect after some milliseconds, and fails. `Infinity` is no limit. */
export const within =
  <L>(millis: number, late: () => L) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | L, R> =>
    millis === Infinity
      ? effect
      : Effect.contextWithEffect((context) => ended<A, E | L>(millis, late, Effect.provide(effect, context)))
