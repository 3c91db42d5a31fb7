/**
 * Ends an effect that runs too long, and waits until it has ended, so a concurrency limit around it stays exact.
 * `endBy` answers the caller at once instead.
 *
 * Services and layers use it instead of `Effect.timeout` and its variants: those of Effect 3.22 hang if a sibling in a
 * concurrent `Effect.all` fails. An effect that does not wait needs no timer.
 */
import * as Duration from "effect/Duration"
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

/** Interrupts the effect after the duration and fails with `late`. `Infinity` means no limit. */
export const within = <L>(duration: Duration.DurationInput, late: () => L) => {
  const millis = Duration.toMillis(duration)
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | L, R> =>
    millis === Infinity
      ? effect
      : Effect.contextWithEffect((context) => ended<A, E | L>(millis, late, Effect.provide(effect, context)))
}

/** A private object, so no failure of an effect equals it. */
const LATE = { _tag: "Late" } as const

/** Interrupts the effect after the duration and succeeds with `late`. */
export const orElse =
  <B>(duration: Duration.DurationInput, late: () => B) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | B, E, R> =>
    Effect.catchIf(
      within(duration, () => LATE)(effect),
      (error): error is typeof LATE => error === LATE,
      () => Effect.sync(late)
    )
