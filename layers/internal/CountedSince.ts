/**
 * The time since which a `Metrics` service has counted, for exporters. Receivers take another start time for a reset of
 * the counts, so it is the same for all snapshots until the service is reset, also if the wall clock is set.
 */
import type * as Clock from "effect/Clock"
import type { Snapshot } from "../../services/Metrics.js"

/** A snapshot is this much older than its reading here, at most. */
const TOLERANCE_MILLIS = 100

interface Start {
  readonly monotonic: number
  /** Whole Unix milliseconds. */
  readonly wall: number
}

/** Returns a function from a snapshot just taken to the start in Unix milliseconds. */
export const make = (): ((snapshot: Snapshot, clock: Clock.Clock) => number) => {
  let known: Start | undefined
  return ({ seconds, takenAt }, clock) => {
    const covered = seconds * 1000
    const monotonic = Number(clock.unsafeCurrentTimeNanos()) / 1e6 - covered
    if (known === undefined || monotonic - known.monotonic > TOLERANCE_MILLIS) {
      known = { monotonic, wall: Math.round(takenAt - covered) }
    }
    return known.wall
  }
}
