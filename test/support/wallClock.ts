import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A clock over the test's own, whose wall time can be set independently of its monotonic time. */
export interface WallClock {
  readonly clock: Clock.Clock
  /** Moves the wall time by this many milliseconds, forward or back. */
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
