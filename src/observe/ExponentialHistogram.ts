/**
 * OpenTelemetry's exponential histogram: counts by buckets of equal ratio, from which percentiles are read.
 *
 * At scale 6 a bucket is 1.09 % wide, so a percentile is off by at most 0.55 %. A record takes tens of nanoseconds and a
 * histogram of one order of magnitude takes 1 to 2 KiB. Two histograms merge without loss.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/**
 * The scale at which a histogram starts: buckets grow by the factor 2^(1/64).
 *
 * @since 0.1.0
 * @category constants
 */
export const SCALE = 6

/**
 * Maximum buckets of a histogram: 64 powers of two at {@link SCALE}. Values with a wider span halve the resolution, as
 * OpenTelemetry prescribes.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_BUCKETS = 4096

/** Buckets of a new histogram: half a power of two. */
const FIRST_BUCKETS = 32

/**
 * Counts of non-negative values. Only {@link record} changes a histogram in place.
 *
 * @since 0.1.0
 * @category models
 */
export class ExponentialHistogram {
  /** Buckets grow by the factor 2^(2^-scale). */
  scale = SCALE
  /** Values counted, zeros included and invalid ones not. */
  count = 0
  /** Values that are exactly 0. */
  zeros = 0
  /** Values that are negative, infinite or not a number. They are in no other figure. */
  invalid = 0
  /** The sum of the values counted. */
  sum = 0
  /** The smallest value counted; `Infinity` while there is none. */
  min = Infinity
  /** The largest value counted; `-Infinity` while there is none. */
  max = -Infinity
  /** The index of the first bucket. Bucket `i` holds the values in (base^i, base^(i + 1)]. */
  offset = 0
  /** The counts of the buckets from `offset` on. */
  buckets: Float64Array<ArrayBufferLike> = new Float64Array(0)

  /** {@link toOtlp} and `invalid`: JSON has no `Infinity`. */
  toJSON(): OtlpDataPoint & { readonly invalid: number } {
    return { ...toOtlp(this), invalid: this.invalid }
  }
}

/**
 * An empty histogram.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): ExponentialHistogram => new ExponentialHistogram()

const bucketOf = (value: number, scale: number): number => Math.ceil(Math.log2(value) * 2 ** scale) - 1

/** Halves the resolution: the buckets 2i and 2i + 1 become bucket i. */
const coarsen = (histogram: ExponentialHistogram): void => {
  const { buckets, offset } = histogram
  const first = offset >> 1
  const last = (offset + buckets.length - 1) >> 1
  const halved = new Float64Array(buckets.length === 0 ? 0 : last - first + 1)
  for (let index = 0; index < buckets.length; index++) {
    const to = ((offset + index) >> 1) - first
    halved[to] = (halved[to] ?? 0) + (buckets[index] ?? 0)
  }
  histogram.buckets = halved
  histogram.offset = first
  histogram.scale--
}

const lowestUsed = ({ buckets, offset }: ExponentialHistogram): number =>
  offset +
  Math.max(
    buckets.findIndex((count) => count > 0),
    0
  )

const highestUsed = ({ buckets, offset }: ExponentialHistogram): number =>
  offset + buckets.findLastIndex((count) => count > 0)

const isEmpty = ({ count, zeros }: ExponentialHistogram): boolean => count === zeros

/** Makes room for the buckets `low` to `high`; false when they need a lower scale. */
const reach = (histogram: ExponentialHistogram, low: number, high: number): boolean => {
  const { buckets, offset } = histogram
  if (low >= offset && high < offset + buckets.length) return true
  const first = isEmpty(histogram) ? low : Math.min(low, lowestUsed(histogram))
  const last = isEmpty(histogram) ? high : Math.max(high, highestUsed(histogram))
  const needed = last - first + 1
  if (needed > MAX_BUCKETS) return false
  // Twice the needed size, with room on both sides: drifting values rarely move the window.
  const size = Math.min(Math.max(2 * needed, FIRST_BUCKETS), MAX_BUCKETS)
  const from = first - ((size - needed) >> 1)
  const wider = new Float64Array(size)
  for (let index = 0; index < buckets.length; index++) {
    const counted = buckets[index] ?? 0
    if (counted > 0) wider[offset + index - from] = counted
  }
  histogram.buckets = wider
  histogram.offset = from
  return true
}

/**
 * Counts a value `times` times. Negative, infinite and not-a-number values only raise `invalid`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const record = (histogram: ExponentialHistogram, value: number, times = 1): void => {
  if (!(value >= 0 && value < Infinity)) {
    histogram.invalid += times
    return
  }
  if (value === 0) histogram.zeros += times
  else {
    let bucket = bucketOf(value, histogram.scale)
    while (!reach(histogram, bucket, bucket)) {
      coarsen(histogram)
      bucket = bucketOf(value, histogram.scale)
    }
    const at = bucket - histogram.offset
    histogram.buckets[at] = (histogram.buckets[at] ?? 0) + times
  }
  histogram.count += times
  histogram.sum += value * times
  if (value < histogram.min) histogram.min = value
  if (value > histogram.max) histogram.max = value
}

/**
 * An independent copy of a histogram.
 *
 * @since 0.1.0
 * @category constructors
 */
export const copy = (histogram: ExponentialHistogram): ExponentialHistogram =>
  Object.assign(make(), histogram, { buckets: histogram.buckets.slice() })

/** Brings copies of both to one scale. */
const aligned = (
  left: ExponentialHistogram,
  right: ExponentialHistogram
): readonly [ExponentialHistogram, ExponentialHistogram] => {
  const [first, second] = [copy(left), copy(right)]
  while (first.scale > second.scale) coarsen(first)
  while (second.scale > first.scale) coarsen(second)
  return [first, second]
}

/** Adds the buckets of `other`, `sign` times, to those of `histogram`, which is at the same scale. */
const addBuckets = (histogram: ExponentialHistogram, other: ExponentialHistogram, sign: 1 | -1): void => {
  if (isEmpty(other)) return
  while (!reach(histogram, lowestUsed(other), highestUsed(other))) {
    coarsen(histogram)
    coarsen(other)
  }
  for (let index = 0; index < other.buckets.length; index++) {
    const counted = other.buckets[index] ?? 0
    if (counted === 0) continue
    const at = other.offset + index - histogram.offset
    histogram.buckets[at] = Math.max((histogram.buckets[at] ?? 0) + sign * counted, 0)
  }
}

/**
 * Merges two histograms into a new one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (left: ExponentialHistogram, right: ExponentialHistogram): ExponentialHistogram => {
  const [merged, other] = aligned(left, right)
  addBuckets(merged, other, 1)
  merged.count += other.count
  merged.zeros += other.zeros
  merged.invalid += other.invalid
  merged.sum += other.sum
  merged.min = Math.min(merged.min, other.min)
  merged.max = Math.max(merged.max, other.max)
  return merged
}

const boundary = (scale: number, bucket: number): number => 2 ** (bucket / 2 ** scale)

/**
 * The values that came after `earlier`, a copy of the same histogram. Its `min` and `max` are bounds of buckets,
 * because the exact values are unknown.
 *
 * @since 0.1.0
 * @category combinators
 */
export const since = (later: ExponentialHistogram, earlier: ExponentialHistogram): ExponentialHistogram => {
  const [rest, before] = aligned(later, earlier)
  addBuckets(rest, before, -1)
  rest.count = Math.max(rest.count - before.count, 0)
  rest.zeros = Math.max(rest.zeros - before.zeros, 0)
  rest.invalid = Math.max(rest.invalid - before.invalid, 0)
  rest.sum = Math.max(rest.sum - before.sum, 0)
  if (rest.count === 0) return Object.assign(make(), { invalid: rest.invalid })
  if (before.count === 0) return rest
  rest.min = rest.zeros > 0 ? 0 : Math.max(boundary(rest.scale, lowestUsed(rest)), later.min)
  rest.max = isEmpty(rest) ? 0 : Math.min(boundary(rest.scale, highestUsed(rest) + 1), later.max)
  return rest
}

/**
 * The value below which the share `q` (0 to 1) of the values lies, by nearest rank. None for an empty histogram and for a
 * `q` outside of 0 to 1.
 *
 * @example
 * ```ts
 * import * as ExponentialHistogram from "@pod-protocol/effect/observe/ExponentialHistogram"
 *
 * const seconds = ExponentialHistogram.make()
 * for (let i = 1; i <= 1000; i++) ExponentialHistogram.record(seconds, i / 1000)
 * export const p95 = ExponentialHistogram.quantile(seconds, 0.95) // about 0.95
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const quantile = (histogram: ExponentialHistogram, q: number): Option.Option<number> => {
  const { buckets, count, max, min, offset, scale, zeros } = histogram
  if (count === 0 || !(q >= 0 && q <= 1)) return Option.none()
  const rank = Math.max(Math.ceil(q * count), 1)
  if (rank <= zeros) return Option.some(0)
  if (rank === count) return Option.some(max)
  let below = zeros
  for (let index = 0; index < buckets.length; index++) {
    below += buckets[index] ?? 0
    // The geometric middle of a bucket has the smallest relative error.
    if (below >= rank) return Option.some(clamped(boundary(scale, offset + index + 0.5), min, max))
  }
  return Option.some(max)
}

const clamped = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max)

/**
 * The mean of the values; none for an empty histogram.
 *
 * @since 0.1.0
 * @category getters
 */
export const mean = ({ count, sum }: ExponentialHistogram): Option.Option<number> =>
  count === 0 ? Option.none() : Option.some(sum / count)

/**
 * The data point of OpenTelemetry's protocol, without its times and attributes.
 *
 * @since 0.1.0
 * @category models
 */
export interface OtlpDataPoint {
  readonly count: number
  readonly sum: number
  readonly scale: number
  readonly zeroCount: number
  readonly positive: { readonly offset: number; readonly bucketCounts: ReadonlyArray<number> }
  readonly min?: number
  readonly max?: number
}

/**
 * The histogram as OpenTelemetry's protocol writes it, without empty buckets at its ends.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toOtlp = (histogram: ExponentialHistogram): OtlpDataPoint => {
  const { buckets, count, max, min, offset, scale, sum, zeros } = histogram
  const hasBuckets = !isEmpty(histogram)
  const [first, last] = hasBuckets ? [lowestUsed(histogram), highestUsed(histogram)] : [0, -1]
  return {
    count,
    sum,
    scale,
    zeroCount: zeros,
    positive: { offset: first, bucketCounts: Array.from(buckets.subarray(first - offset, last - offset + 1)) },
    ...(count > 0 ? { min, max } : {})
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/**
 * The histogram of a data point, as {@link toOtlp} writes it. None if the figures contradict each other or there are
 * more than {@link MAX_BUCKETS} buckets: the data may come from a modified file.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromOtlp = (point: OtlpDataPoint): Option.Option<ExponentialHistogram> => {
  const { count, max = -Infinity, min = Infinity, positive, scale, sum, zeroCount: zeros } = point
  const { bucketCounts, offset } = positive
  const counted = bucketCounts.reduce((total, each) => total + each, zeros)
  const isSound =
    bucketCounts.length <= MAX_BUCKETS &&
    bucketCounts.every(isCount) &&
    isCount(zeros) &&
    counted === count &&
    Number.isInteger(scale) &&
    Math.abs(scale) <= 20 &&
    Number.isSafeInteger(offset) &&
    (count === 0 || (min >= 0 && min <= max && max < Infinity && sum >= 0 && sum < Infinity))
  return isSound
    ? Option.some(
        Object.assign(make(), { count, max, min, offset, scale, sum, zeros, buckets: Float64Array.from(bucketCounts) })
      )
    : Option.none()
}

/**
 * The geometric middle of each used bucket, with its count, in rising order. Zeros come first.
 *
 * @since 0.1.0
 * @category getters
 */
export const buckets = (
  histogram: ExponentialHistogram
): ReadonlyArray<{ readonly value: number; readonly weight: number }> => {
  const { max, min, offset, scale, zeros } = histogram
  const positive = Array.from(histogram.buckets, (weight, index) => ({
    value: clamped(boundary(scale, offset + index + 0.5), min, max),
    weight
  }))
  return [{ value: 0, weight: zeros }, ...positive].filter(({ weight }) => weight > 0)
}
