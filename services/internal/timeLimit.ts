/**
 * Ends an effect that runs too long, and waits until it has ended: what bounds the effects that run at once may count on it.
 * `endBy` answers the caller at once instead.
 *
 * It stands for `Effect.timeout` and its kin everywhere in services and layers: those of Effect 3.22 hang where a sibling in a
 * concurrent `Effect.all` fails, and any caller may run ours beside others. An effect that does not wait needs no timer.
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

/** Interrupts the effect after some time, and fails. `Infinity` is no limit. */
export const within = <L>(duration: Duration.DurationInput, late: () => L) => {
  const millis = Duration.toMillis(duration)
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | L, R> =>
    millis === Infinity
      ? effect
      : Effect.contextWithEffect((context) => ended<A, E | L>(millis, late, Effect.provide(effect, context)))
}

/** No failure of an effect is this object. */
const LATE = { _tag: "Late" } as const

/** Interrupts the effect after some time, and gives what `late` says. */
export const orElse =
  <B>(duration: Duration.DurationInput, late: () => B) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | B, E, R> =>
    Effect.catchIf(
      within(duration, () => LATE)(effect),
      (error): error is typeof LATE => error === LATE,
      () => Effect.sync(late)
    )
