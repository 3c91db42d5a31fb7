/**
 * Robust statistics of samples: medians, intervals by bootstrap, outliers and trends. They assume no distribution.
 *
 * Every function takes finite numbers. For a list that is too short it returns `None`, never a meaningless number.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"

/** Typed arrays sort by number without a comparator. */
const sorted = (values: ReadonlyArray<number>): Float64Array => new Float64Array(values).toSorted()

const at = (ascending: ArrayLike<number>, index: number): number => ascending[index] ?? Number.NaN

const quantileOf = (ascending: ArrayLike<number>, q: number): number => {
  const position = q * (ascending.length - 1)
  const below = Math.floor(position)
  const low = at(ascending, below)
  return below === position ? low : low + (position - below) * (at(ascending, below + 1) - low)
}

/**
 * The values, reordered so that the one at `index` is the one of the sorted list, none before it is larger, and none
 * behind it is smaller: Hoare's selection. Bootstraps need thousands of medians, and a sort takes four times as long.
 */
const selected = (values: ReadonlyArray<number>, index: number): ReadonlyArray<number> => {
  const all = values.slice()
  let [first, last] = [0, all.length - 1]
  while (first < last) {
    const pivot = at(all, (first + last) >> 1)
    let [low, high] = [first, last]
    while (low <= high) {
      while (at(all, low) < pivot) low++
      while (at(all, high) > pivot) high--
      if (low <= high) {
        const value = at(all, low)
        all[low++] = at(all, high)
        all[high--] = value
      }
    }
    if (index <= high) last = high
    else if (index >= low) first = low
    else break
  }
  return all
}

const selectedQuantile = (values: ReadonlyArray<number>, q: number): number => {
  const position = q * (values.length - 1)
  const below = Math.floor(position)
  const all = selected(values, below)
  // Selection does not distinguish -0 from 0: the sum is never -0.
  const low = at(all, below) + 0
  if (below === position) return low
  let next = Infinity
  for (let index = below + 1; index < all.length; index++) next = Math.min(next, at(all, index))
  return low + (position - below) * (next - low)
}

/**
 * The value below which the share `q` (0 to 1) of the samples lies, interpolated between neighbours. None without samples
 * and for a `q` outside of 0 to 1.
 *
 * @since 0.1.0
 * @category getters
 */
export const quantile = (values: ReadonlyArray<number>, q: number): Option.Option<number> =>
  values.length === 0 || !(q >= 0 && q <= 1) ? Option.none() : Option.some(selectedQuantile(values, q))

/**
 * The middle of the samples; none without samples.
 *
 * @since 0.1.0
 * @category getters
 */
export const median = (values: ReadonlyArray<number>): Option.Option<number> => quantile(values, 0.5)

/**
 * A statistic of samples with the interval that holds its true value with the given confidence.
 *
 * @since 0.1.0
 * @category models
 */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/**
 * Estimates a statistic by the percentile bootstrap: it is computed of `resamples` lists drawn with replacement. `random`
 * returns numbers from 0 to below 1; a seeded one makes the result repeatable. None with fewer than 2 samples.
 *
 * Samples of one process are not independent trials: resample processes, then samples.
 *
 * @since 0.1.0
 * @category getters
 */
export const bootstrap = (
  values: ReadonlyArray<number>,
  statistic: (values: ReadonlyArray<number>) => number,
  options: { readonly random: () => number; readonly resamples?: number; readonly confidence?: number }
): Option.Option<Estimate> => {
  const { confidence = 0.95, random, resamples = 2000 } = options
  if (values.length < 2) return Option.none()
  const statistics = Array.from({ length: resamples }, () =>
    statistic(values.map(() => at(values, Math.floor(random() * values.length))))
  )
  const ascending = sorted(statistics)
  return Option.some({
    value: statistic(values),
    low: quantileOf(ascending, (1 - confidence) / 2),
    high: quantileOf(ascending, (1 + confidence) / 2)
  })
}

/**
 * How many samples lie outside of Tukey's fences: `mild` beyond 1.5 interquartile ranges of the quartiles, `severe` beyond
 * 3. A severe one is not counted as mild.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outliers {
  readonly lowSevere: number
  readonly lowMild: number
  readonly highMild: number
  readonly highSevere: number
}

/**
 * Counts the outliers by Tukey's fences. They are counted only; nothing drops them.
 *
 * @since 0.1.0
 * @category getters
 */
export const outliers = (values: ReadonlyArray<number>): Outliers => {
  const ascending = sorted(values)
  const [q1, q3] = [quantileOf(ascending, 0.25), quantileOf(ascending, 0.75)]
  const range = q3 - q1
  const count = (is: (value: number) => boolean): number => values.filter(is).length
  const lowSevere = count((value) => value < q1 - 3 * range)
  const highSevere = count((value) => value > q3 + 3 * range)
  return {
    lowSevere,
    lowMild: count((value) => value < q1 - 1.5 * range) - lowSevere,
    highMild: count((value) => value > q3 + 1.5 * range) - highSevere,
    highSevere
  }
}

/**
 * A sample and its time, in any unit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Point {
  readonly time: number
  readonly value: number
}

const pairs = function* (points: ReadonlyArray<Point>): Generator<readonly [earlier: Point, later: Point]> {
  for (const [index, earlier] of points.entries()) {
    for (const later of points.slice(index + 1)) yield [earlier, later]
  }
}

/**
 * The Theil–Sen slope: the median of the slopes between all pairs, in value per unit of time. A quarter of the points
 * may be arbitrary without moving it. None with fewer than two distinct times. The time is quadratic: pass hundreds of
 * points, not thousands.
 *
 * @since 0.1.0
 * @category getters
 */
export const theilSen = (points: ReadonlyArray<Point>): Option.Option<number> => {
  const slopes: Array<number> = []
  for (const [earlier, later] of pairs(points)) {
    const time = later.time - earlier.time
    if (time !== 0) slopes.push((later.value - earlier.value) / time)
  }
  return median(slopes)
}

/**
 * The result of a Mann–Kendall test: `z` is above 0 for a rising trend. `confidence` (0 to 1) is the one-sided
 * probability that the direction is not due to chance.
 *
 * @since 0.1.0
 * @category models
 */
export interface Trend {
  readonly z: number
  readonly confidence: number
}

/** The normal distribution's cumulative function, to 7.5e-8: Abramowitz and Stegun 26.2.17. */
const normal = (z: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return z >= 0 ? 1 - tail : tail
}

/** The correction of the variance for equal values. */
const ties = (values: ReadonlyArray<number>): number => {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts.values()].reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0)
}

/**
 * The Mann–Kendall test for a trend in values in order of time, corrected for equal values. None with fewer than 4
 * values: no order of 3 is improbable enough. The time is quadratic.
 *
 * @since 0.1.0
 * @category getters
 */
export const mannKendall = (values: ReadonlyArray<number>): Option.Option<Trend> => {
  const n = values.length
  if (n < 4) return Option.none()
  let s = 0
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) s += Math.sign(at(values, j) - at(values, i))
  const variance = (n * (n - 1) * (2 * n + 5) - ties(values)) / 18
  const z = variance === 0 || s === 0 ? 0 : (s - Math.sign(s)) / Math.sqrt(variance)
  return Option.some({ z, confidence: normal(Math.abs(z)) })
}

/**
 * Estimates a statistic of grouped samples, such as the rounds of some processes, by the hierarchical bootstrap. It
 * draws groups with replacement, and then samples within each group. So differences between groups widen the interval.
 * With one group it equals {@link bootstrap}. The statistic is that of all samples together. `None` with fewer than 2
 * samples, or with an empty group.
 *
 * @since 0.1.0
 * @category getters
 */
export const bootstrapGroups = (
  groups: ReadonlyArray<ReadonlyArray<number>>,
  statistic: (values: ReadonlyArray<number>) => number,
  options: { readonly random: () => number; readonly resamples?: number; readonly confidence?: number }
): Option.Option<Estimate> => {
  const { confidence = 0.95, random, resamples = 2000 } = options
  if (groups.length < 2) return bootstrap(groups[0] ?? [], statistic, options)
  if (groups.some(({ length }) => length === 0)) return Option.none()
  const resample = (): ReadonlyArray<number> =>
    groups.flatMap(() => {
      const group = groups[Math.floor(random() * groups.length)] ?? []
      return group.map(() => at(group, Math.floor(random() * group.length)))
    })
  const ascending = sorted(Array.from({ length: resamples }, () => statistic(resample())))
  return Option.some({
    value: statistic(groups.flat()),
    low: quantileOf(ascending, (1 - confidence) / 2),
    high: quantileOf(ascending, (1 + confidence) / 2)
  })
}

/**
 * The density of samples at `count` points of equal distance from `low` to `high`. It is the sum of one normal curve per
 * sample, with the width of Silverman's rule. Empty without samples, with fewer than 2 points, or if `high` is not above
 * `low`.
 *
 * @since 0.1.0
 * @category getters
 */
export const density = (
  samples: ReadonlyArray<Sample>,
  range: { readonly low: number; readonly high: number; readonly count: number }
): ReadonlyArray<Point> => {
  const { count, high, low } = range
  const whole = samples.reduce((sum, { weight }) => sum + weight, 0)
  if (!(whole > 0) || !(high > low) || count < 2) return []
  const mean = samples.reduce((sum, { value, weight }) => sum + value * weight, 0) / whole
  const deviation = Math.sqrt(samples.reduce((sum, { value, weight }) => sum + weight * (value - mean) ** 2, 0) / whole)
  const spread = Math.min(deviation, weightedRange(samples, whole) / 1.349 || deviation)
  // Equal samples still get a visible width
  const width = Math.max(0.9 * spread * whole ** -0.2, (high - low) / count)
  return Array.from({ length: count }, (_, index) => {
    const time = low + ((high - low) * index) / (count - 1)
    const sum = samples.reduce(
      (total, { value, weight }) => total + weight * Math.exp(-(((time - value) / width) ** 2) / 2),
      0
    )
    return { time, value: sum / (whole * width * Math.sqrt(2 * Math.PI)) }
  })
}

/**
 * A sample and how often it counts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sample {
  readonly value: number
  readonly weight: number
}

/** The interquartile range of weighted samples. */
const weightedRange = (samples: ReadonlyArray<Sample>, whole: number): number => {
  const ascending = samples.toSorted((left, right) => left.value - right.value)
  const reached = (share: number): number => {
    let below = 0
    return ascending.find(({ weight }) => (below += weight) >= share * whole)?.value ?? Number.NaN
  }
  return reached(0.75) - reached(0.25)
}

/**
 * Repeatable numbers from 0 to below 1, for bootstraps whose result must be the same each time: Mulberry32.
 *
 * @since 0.1.0
 * @category constructors
 */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
