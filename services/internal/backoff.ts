/**
 * Exponential backoff with full jitter: a wait is uniform between 0 and a bound that doubles with each failure. So callers
 * that failed at the same time retry at different times.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * Whole milliseconds to wait after a failure that `failures` others precede: at most `base * 2 ** failures` and `cap`. A part
 * of a millisecond would make the last wait before a time limit end after it, because clocks are read in whole ones.
 */
export const fullJitter = (base: number, cap: number, failures: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => Math.round(random * Math.min(cap, base * 2 ** failures)))
