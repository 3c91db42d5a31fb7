import * as fc from "effect/FastCheck"

const SLICE = 100

/** Draws values one by one. One seed gives the same values. */
export const make = <A>(arbitrary: fc.Arbitrary<A>, seed: number): (() => A) => {
  let slice: Array<A> = []
  let drawn = 0
  return () => {
    if (slice.length === 0) slice = fc.sample(arbitrary, { numRuns: SLICE, seed: (seed + drawn++) | 0 })
    const value = slice.pop()
    if (value === undefined) throw new Error("an arbitrary gave no value")
    return value
  }
}
