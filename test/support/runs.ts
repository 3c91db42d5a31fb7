import { setImmediate } from "node:timers/promises"
import * as fc from "effect/FastCheck"

/**
 * Number of cases of a property test: `FUZZ_RUNS`, or `fallback` if that is not set.
 */
export const runs = (fallback: number): number => {
  const wanted = Number(process.env["FUZZ_RUNS"])
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : fallback
}

const SLICE = 250

/**
 * Checks a property over `runs(cases)` cases, with a turn of the event loop after each 250: the test runner ends a
 * process that does not answer for a minute.
 */
export const assertProperty = async <Ts>(
  property: fc.IAsyncProperty<Ts> | fc.IProperty<Ts>,
  cases = 400
): Promise<void> => {
  for (let left = runs(cases); left > 0; left -= SLICE) {
    await fc.assert(property, { numRuns: Math.min(left, SLICE) })
    await setImmediate()
  }
}
