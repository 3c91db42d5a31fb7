import { createHistogram } from "node:perf_hooks"
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Histogram from "../../src/observe/ExponentialHistogram.js"

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]

const of = (values: Iterable<number>): Histogram.ExponentialHistogram => {
  const histogram = Histogram.make()
  for (const value of values) Histogram.record(histogram, value)
  return histogram
}

const exact = (values: ReadonlyArray<number>, q: number): number => {
  const ascending = values.toSorted((a, b) => a - b)
  return ascending[Math.max(Math.ceil(q * values.length), 1) - 1] ?? Number.NaN
}

const quantileOf = (histogram: Histogram.ExponentialHistogram, q: number): number =>
  Option.getOrElse(Histogram.quantile(histogram, q), () => Number.NaN)

const within = (actual: number, expected: number, share: number): void =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(expected * share)

/** The figures that two ways of adding the same numbers share exactly. */
const figures = ({ count, invalid, max, min, scale, zeros }: Histogram.ExponentialHistogram) => ({
  count,
  invalid,
  max,
  min,
  scale,
  zeros
})

const same = (left: Histogram.ExponentialHistogram, right: Histogram.ExponentialHistogram): void => {
  expect(figures(left)).toEqual(figures(right))
  expect(Histogram.toOtlp(left).positive).toEqual(Histogram.toOtlp(right).positive)
  expect(left.sum).toBeCloseTo(right.sum, 5)
}

/** Repeatable random numbers: mulberry32. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const positive = FastCheck.double({ min: 1e-9, max: 1e9, noNaN: true })
const valid = FastCheck.oneof(FastCheck.constant(0), positive)
const invalid = FastCheck.constantFrom(Number.NaN, Infinity, -Infinity, -1, -Number.MIN_VALUE)

describe("ExponentialHistogram", () => {
  it("Given any values of 60 powers of two, When percentiles are read, Then each is within 1 % of the exact one", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(valid, { minLength: 1, maxLength: 300 }), (values) => {
        const histogram = of(values)
        for (const q of QUANTILES) within(quantileOf(histogram, q), exact(values, q), 0.01)
        expect(histogram.count).toBe(values.length)
        expect(histogram.min).toBe(Math.min(...values))
        expect(histogram.max).toBe(Math.max(...values))
      })
    )
  })

  it.each([
    [
      "lognormal",
      (random: () => number) => Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
    ],
    ["uniform", (random: () => number) => random()],
    ["a slow tail of 1 %", (random: () => number) => (random() < 0.01 ? 50 + 100 * random() : 1 + random())]
  ] as const)("Given 100,000 values, %s, When percentiles are read, Then node's histogram agrees", (_, draw) => {
    const random = seeded(7)
    const oracle = createHistogram({ lowest: 1, highest: 1_000_000_000_000, figures: 3 })
    // Whole numbers of at least 1: node's histogram takes no other.
    const values = Array.from({ length: 100_000 }, () => Math.max(Math.round(draw(random) * 1e6), 1))
    for (const value of values) oracle.record(value)
    const histogram = of(values)
    for (const q of [0.5, 0.9, 0.95, 0.99, 0.999]) within(quantileOf(histogram, q), oracle.percentile(q * 100), 0.01)
    expect(histogram.sum / histogram.count).toBeCloseTo(oracle.mean, -1)
  })

  it("Given invalid values, When they are recorded, Then they are counted as invalid only", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.oneof(valid, invalid)), (values) => {
        const [good, bad] = [values.filter((value) => value >= 0 && value < Infinity), of(values)]
        expect(bad.invalid).toBe(values.length - good.length)
        expect({ ...bad, invalid: 0 }).toEqual({ ...of(good) })
      })
    )
  })

  it("Given two lists, When their histograms are merged, Then it is the histogram of both", () => {
    const lists = FastCheck.array(FastCheck.oneof(valid, invalid))
    FastCheck.assert(
      FastCheck.property(lists, lists, (left, right) => {
        const [a, b] = [of(left), of(right)]
        const [before, other] = [Histogram.copy(a), Histogram.copy(b)]
        same(Histogram.merge(a, b), of([...left, ...right]))
        expect([a, b]).toEqual([before, other])
      })
    )
  })

  it("Given an earlier copy, When it is subtracted, Then the later values are left", () => {
    const lists = FastCheck.array(FastCheck.oneof(valid, invalid))
    FastCheck.assert(
      FastCheck.property(lists, lists, (earlier, later) => {
        const histogram = of(earlier)
        const copy = Histogram.copy(histogram)
        for (const value of later) Histogram.record(histogram, value)
        const rest = Histogram.since(histogram, copy)
        const expected = of(later)
        expect(rest.count).toBe(expected.count)
        expect(rest.invalid).toBe(expected.invalid)
        if (rest.scale === expected.scale) {
          expect(Histogram.toOtlp(rest).positive).toEqual(Histogram.toOtlp(expected).positive)
        }
        if (rest.count > 0) {
          within(rest.max, expected.max, 0.02)
          within(rest.min, expected.min, 0.02)
        }
      })
    )
  })

  it("Given the smallest and the largest double, When both are recorded, Then memory stays bounded and both count", () => {
    const histogram = of([Number.MIN_VALUE, 1, Number.MAX_VALUE])
    expect(histogram.buckets.length).toBeLessThanOrEqual(Histogram.MAX_BUCKETS)
    expect(histogram.count).toBe(3)
    expect(quantileOf(histogram, 0)).toBeLessThan(1e-300)
    expect(quantileOf(histogram, 0.5)).toBeGreaterThan(0.5)
    expect(quantileOf(histogram, 1)).toBe(Number.MAX_VALUE)
  })

  it("Given the bounds of buckets, When powers of two are recorded, Then each is in the bucket that it closes", () => {
    for (let exponent = -20; exponent <= 20; exponent++) {
      const { positive } = Histogram.toOtlp(of([2 ** exponent]))
      expect(positive).toEqual({ offset: exponent * 64 - 1, bucketCounts: [1] })
    }
  })

  it("Given an empty histogram, When figures are read, Then there are none", () => {
    const empty = Histogram.make()
    expect(Histogram.quantile(empty, 0.5)).toEqual(Option.none())
    expect(Histogram.mean(empty)).toEqual(Option.none())
    expect(Histogram.toOtlp(empty)).toEqual({
      count: 0,
      sum: 0,
      scale: Histogram.SCALE,
      zeroCount: 0,
      positive: { offset: 0, bucketCounts: [] }
    })
    for (const q of [-0.1, 1.1, Number.NaN]) expect(Histogram.quantile(of([1]), q)).toEqual(Option.none())
  })

  it("Given any values, When the histogram is written for OpenTelemetry and read, Then it counts the same, and no changed figure is taken", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.double({ min: 0, max: 1e9, noNaN: true })), (values) => {
        const point = Histogram.toOtlp(of(values))
        const read = Option.getOrThrow(Histogram.fromOtlp(point))
        expect(Histogram.toOtlp(read)).toEqual(point)
        for (const q of [0, 0.5, 0.95, 1])
          expect(Histogram.quantile(read, q)).toEqual(Histogram.quantile(of(values), q))
        const weights = Histogram.buckets(read).map(({ weight }) => weight)
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(values.length)
        for (const changed of [{ count: point.count + 1 }, { scale: 0.5 }, { scale: 21 }, { zeroCount: -1 }])
          expect(Histogram.fromOtlp({ ...point, ...changed })).toEqual(Option.none())
      })
    )
  })
})
