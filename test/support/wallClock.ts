import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A clock over the test's own, whose wall time can be set while its monotonic time goes on. */
export interface WallClock {
  readonly clock: Clock.Clock
  /** Sets the wall time forth or back by so many milliseconds. */
  readonly jump: (millis: number) => void
}

export const make: Effect.Effect<WallClock> = Effect.map(Effect.clock, (base) => {
  let shift = 0
  const now = () => base.unsafeCurrentTimeMillis() + shift
  return {
    clock: {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: now,
      currentTimeMillis: Effect.sync(now),
      unsafeCurrentTimeNanos: () => base.unsafeCurrentTimeNanos(),
      currentTimeNanos: base.currentTimeNanos,
      sleep: (duration) => base.sleep(duration)
    },
    jump: (millis) => {
      shift += millis
    }
  }
})
