/**
 * The two clocks of Effect's `Clock`, in milliseconds.
 *
 * - {@link monotonic} never goes back and never jumps. It measures waits, deadlines and durations. It starts near the Unix
 *   time of the process start. Compare it only with itself.
 * - {@link wall} is Unix time. It is data: an administrator or NTP may set it at any time.
 * - {@link age} measures how old a value is. Linux stops the monotonic clock while the machine is suspended, and the
 *   wall clock may be set back. So the larger of the two differences is the age.
 *
 * TestClock moves both.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The fiber's clock. */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** Nanoseconds of the fiber's monotonic time, as spans count them. */
export const nanos = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): bigint => of(fiber).unsafeCurrentTimeNanos()

/** Compensates the rounding of nanoseconds since 1970, which take more bits than a double has. In milliseconds. */
const ROUNDING = 0.001

const millisOf = (clock: Clock.Clock): number => Math.floor(Number(clock.unsafeCurrentTimeNanos()) / 1e6 + ROUNDING)

/** Whole milliseconds of the fiber's monotonic time. */
export const monotonic = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): number => millisOf(of(fiber))

/** {@link monotonic} of the fiber that runs it. */
export const monotonicMillis: Effect.Effect<number> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(monotonic(fiber))
)

/** Unix milliseconds of the fiber's clock. */
export const wall = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): number => of(fiber).unsafeCurrentTimeMillis()

/** {@link wall} of the fiber that runs it. */
export const wallMillis: Effect.Effect<number> = Clock.currentTimeMillis

/** A point in time on both clocks. */
export interface Moment {
  readonly monotonic: number
  readonly wall: number
}

/** The present time on both clocks. */
export const moment = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Moment => {
  const clock = of(fiber)
  return { monotonic: millisOf(clock), wall: clock.unsafeCurrentTimeMillis() }
}

/** {@link moment} of the fiber that runs it. */
export const currentMoment: Effect.Effect<Moment> = Effect.withFiberRuntime((fiber) => Effect.succeed(moment(fiber)))

/** Milliseconds since a moment: the larger of the differences on the two clocks. */
export const age = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, since: Moment): number => {
  const clock = of(fiber)
  return Math.max(millisOf(clock) - since.monotonic, clock.unsafeCurrentTimeMillis() - since.wall)
}

/** {@link age} in the fiber that runs it. */
export const ageMillis = (since: Moment): Effect.Effect<number> =>
  Effect.withFiberRuntime((fiber) => Effect.succeed(age(fiber, since)))
