/**
 * Exponential backoff with full jitter: a wait is uniform between 0 and a bound that doubles with each failure. So callers
 * that failed at the same time retry at different times.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * Whole milliseconds to wait after `failures` earlier failures: at most `base * 2 ** failures` and `cap`. Clocks are
 * read in whole milliseconds, so a fraction could make the last wait before a time limit end after it.
 */
export const fullJitter = (base: number, cap: number, failures: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => Math.round(random * Math.min(cap, base * 2 ** failures)))
