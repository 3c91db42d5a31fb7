/**
 * The two times of Effect's Clock, in milliseconds, and which of them measures what.
 *
 * - {@link monotonic} never goes back and never jumps: it measures waits, deadlines and durations. It starts near the
 *   Unix time at which the process began and is only compared with itself.
 * - {@link wall} is Unix time: it is data, and an administrator or NTP may set it at any moment.
 * - {@link age} measures how old something is. Linux's monotonic clock stands still while the machine is suspended, and
 *   the wall clock may be set back, so the larger of both differences counts.
 *
 * TestClock moves both.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

const clockOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** Nanoseconds since 1970 take more bits than a double has: this much above the true time makes up for the rounding. */
const ROUNDING = 0.001

const millisOf = (clock: Clock.Clock): number => Math.floor(Number(clock.unsafeCurrentTimeNanos()) / 1e6 + ROUNDING)

/** Whole milliseconds of the fiber's monotonic time. */
export const monotonic = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): number => millisOf(clockOf(fiber))

/** {@link monotonic} of the fiber that runs it. */
export const monotonicMillis: Effect.Effect<number> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(monotonic(fiber))
)

/** Unix milliseconds of the fiber's clock. */
export const wall = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): number => clockOf(fiber).unsafeCurrentTimeMillis()

/** {@link wall} of the fiber that runs it. */
export const wallMillis: Effect.Effect<number> = Clock.currentTimeMillis

/** A moment on both clocks. */
export interface Moment {
  readonly monotonic: number
  readonly wall: number
}

/** This moment. */
export const moment = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Moment => {
  const clock = clockOf(fiber)
  return { monotonic: millisOf(clock), wall: clock.unsafeCurrentTimeMillis() }
}

/** {@link moment} of the fiber that runs it. */
export const currentMoment: Effect.Effect<Moment> = Effect.withFiberRuntime((fiber) => Effect.succeed(moment(fiber)))

/** Milliseconds since a moment, by the clock that says more. */
export const age = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, since: Moment): number => {
  const clock = clockOf(fiber)
  return Math.max(millisOf(clock) - since.monotonic, clock.unsafeCurrentTimeMillis() - since.wall)
}

/** {@link age} in the fiber that runs it. */
export const ageMillis = (since: Moment): Effect.Effect<number> =>
  Effect.withFiberRuntime((fiber) => Effect.succeed(age(fiber, since)))
