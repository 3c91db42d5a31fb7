/**
 * Exponential backoff with full jitter: a wait is uniform between 0 and a bound that doubles with each failure. Callers that
 * failed together come back apart.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * Milliseconds to wait after `failures` failures before this one: below `base * 2 ** failures`, and never above `cap`.
 */
export const fullJitter = (base: number, cap: number, failures: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => random * Math.min(cap, base * 2 ** failures))
