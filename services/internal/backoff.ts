/**
 * Exponential backoff with full jitter: a wait is uniform between 0 and a bound that doubles with each failure. So callers
 * that failed at the same time retry at different times.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Milliseconds to wait after a failure that `failures` others precede: below `base * 2 ** failures` and `cap`. */
export const fullJitter = (base: number, cap: number, failures: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => random * Math.min(cap, base * 2 ** failures))
