import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Statistics from "../../src/observe/Statistics.js"

const value = FastCheck.double({ min: -1e6, max: 1e6, noNaN: true })

const points = (values: ReadonlyArray<number>): ReadonlyArray<Statistics.Point> =>
  values.map((value, time) => ({ time, value }))

/** Repeatable random numbers of the unit interval. */
const seeded = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

const middle = (values: ReadonlyArray<number>) => Option.getOrThrow(Statistics.median(values))

describe("Statistics", () => {
  it("Given samples, When a quantile is asked for, Then it is R's type 7", () => {
    // quantile(c(1, 2, 4, 8, 16), c(0, .1, .5, .9, 1)) in R
    const answers = [0, 0.1, 0.5, 0.9, 1].map((q) => Option.getOrNull(Statistics.quantile([16, 1, 8, 2, 4], q)))
    expect(answers).toEqual([1, 1.4, 4, expect.closeTo(12.8), 16])
    expect(Statistics.quantile([], 0.5)).toEqual(Option.none())
    expect(Statistics.quantile([1], 2)).toEqual(Option.none())
  })

  it("Given any samples, When the median is taken, Then at most half lie on either side, in any order", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(value, { minLength: 1 }), (values) => {
        const median = Option.getOrThrow(Statistics.median(values))
        expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(values.length / 2)
        expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(values.length / 2)
        expect(Statistics.median(values.toReversed())).toEqual(Option.some(median))
      })
    )
  })

  it("Given 200 lists of a known median, When each is bootstrapped at 95 %, Then about 95 % hold it", () => {
    const random = seeded(11)
    let held = 0
    for (let list = 0; list < 200; list++) {
      const values = Array.from({ length: 40 }, random)
      const { high, low, value } = Option.getOrThrow(Statistics.bootstrap(values, middle, { random, resamples: 300 }))
      expect(low <= value && value <= high).toBe(true)
      if (low <= 0.5 && 0.5 <= high) held++
    }
    expect(held).toBeGreaterThanOrEqual(180)
    expect(held).toBeLessThanOrEqual(199)
  })

  it("Given values beyond Tukey's fences, When they are counted, Then each is in its class", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 40, -8, -60]
    expect(Statistics.outliers(values)).toEqual({ lowSevere: 1, lowMild: 1, highMild: 1, highSevere: 1 })
    expect(Statistics.outliers([])).toEqual({ lowSevere: 0, lowMild: 0, highMild: 0, highSevere: 0 })
  })

  it("Given a line with a fifth of wild points, When the slope is taken, Then it is the line's", () => {
    const line = Array.from({ length: 50 }, (_, time) => 3 * time + (time % 5 === 0 ? 1e6 : 0))
    expect(Option.getOrThrow(Statistics.theilSen(points(line)))).toBeCloseTo(3, 6)
    expect(Statistics.theilSen([{ time: 1, value: 1 }])).toEqual(Option.none())
    expect(
      Statistics.theilSen([
        { time: 1, value: 1 },
        { time: 1, value: 2 }
      ])
    ).toEqual(Option.none())
  })

  it("Given series with published results, When they are tested, Then z is the same", () => {
    // S = 45, variance 125: (45 - 1) / sqrt(125)
    expect(Option.getOrThrow(Statistics.mannKendall([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).z).toBeCloseTo(3.9355, 4)
    // Ties: S = 8, variance (5·4·15 − 2·(2·1·9)) / 18 = 14.667
    expect(Option.getOrThrow(Statistics.mannKendall([1, 1, 2, 2, 3])).z).toBeCloseTo(7 / Math.sqrt(264 / 18), 6)
    expect(Option.getOrThrow(Statistics.mannKendall([5, 5, 5, 5, 5])).z).toBe(0)
    expect(Statistics.mannKendall([1, 2, 3])).toEqual(Option.none())
  })

  it("Given any series, When it is reversed, Then the trend is the opposite with the same certainty", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(value, { minLength: 4, maxLength: 60 }), (values) => {
        const forth = Option.getOrThrow(Statistics.mannKendall(values))
        const back = Option.getOrThrow(Statistics.mannKendall(values.toReversed()))
        expect(forth.z + back.z).toBeCloseTo(0, 9)
        expect(forth.confidence).toBeCloseTo(back.confidence, 9)
        expect(forth.confidence).toBeGreaterThanOrEqual(0.4999)
      })
    )
  })
})
