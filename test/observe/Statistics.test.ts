import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Statistics from "../../src/observe/Statistics.js"

const value = FastCheck.double({ min: -1e6, max: 1e6, noNaN: true })

const points = (values: ReadonlyArray<number>): ReadonlyArray<Statistics.Point> =>
  values.map((value, time) => ({ time, value }))

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

  it("Given any samples and share, When the quantile is taken, Then it is interpolated in the sorted list", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.oneof(value, FastCheck.integer({ min: 0, max: 3 })), { minLength: 1 }),
        FastCheck.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const ascending = values.toSorted((a, b) => a - b)
          const position = q * (values.length - 1)
          const [low = NaN, high = low] = ascending.slice(Math.floor(position))
          const expected = low + (position % 1) * (high - low)
          expect(Option.getOrThrow(Statistics.quantile(values, q))).toBeCloseTo(expected, 6)
        }
      )
    )
  })

  it("Given 200 lists of a known median, When each is bootstrapped at 95 %, Then about 95 % hold it", () => {
    const random = Statistics.seeded(11)
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

  it("Given processes that differ, When rounds are bootstrapped by process, Then the interval holds the truth where that of all rounds together does not", () => {
    const random = Statistics.seeded(5)
    let byProcess = 0
    let together = 0
    for (let list = 0; list < 100; list++) {
      // Each process is off by up to 5, each of its rounds by up to 1
      const groups = Array.from({ length: 8 }, () => {
        const offset = 10 * (random() - 0.5)
        return Array.from({ length: 15 }, () => 100 + offset + 2 * (random() - 0.5))
      })
      const options = { random, resamples: 200 }
      const hierarchical = Option.getOrThrow(Statistics.bootstrapGroups(groups, middle, options))
      const flat = Option.getOrThrow(Statistics.bootstrap(groups.flat(), middle, options))
      if (hierarchical.low <= 100 && hierarchical.high >= 100) byProcess++
      if (flat.low <= 100 && flat.high >= 100) together++
    }
    expect(byProcess).toBeGreaterThanOrEqual(85)
    expect(together).toBeLessThan(60)
  })

  it("Given one group, When it is bootstrapped by group, Then it is the plain bootstrap; and an empty group has no answer", () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6]
    expect(Statistics.bootstrapGroups([values], middle, { random: Statistics.seeded(7) })).toEqual(
      Statistics.bootstrap(values, middle, { random: Statistics.seeded(7) })
    )
    expect(Statistics.bootstrapGroups([values, []], middle, { random: Statistics.seeded(7) })).toEqual(Option.none())
    expect(Statistics.bootstrapGroups([], middle, { random: Statistics.seeded(7) })).toEqual(Option.none())
  })

  it("Given any samples, When their density is taken, Then it encloses one, and nothing is negative", () => {
    const sample = FastCheck.record({
      value: FastCheck.double({ min: 10, max: 20, noNaN: true }),
      weight: FastCheck.integer({ min: 1, max: 50 })
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(sample, { minLength: 1, maxLength: 30 }), (samples) => {
        const points = Statistics.density(samples, { low: -20, high: 50, count: 500 })
        const area = points.reduce((sum, { value }) => sum + value, 0) * (70 / 499)
        expect(area).toBeCloseTo(1, 2)
        expect(points.every(({ value }) => value >= 0)).toBe(true)
      })
    )
    expect(Statistics.density([], { low: 0, high: 1, count: 10 })).toEqual([])
    expect(Statistics.density([{ value: 1, weight: 1 }], { low: 1, high: 1, count: 10 })).toEqual([])
  })
})
