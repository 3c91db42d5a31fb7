/**
 * The measurements of a benchmark and their evaluation: medians with intervals, ratios to the base, verdicts, and the
 * comparison with an earlier run.
 *
 * A report keeps every round. All results are computed from the rounds with seeded random numbers, so a report gives
 * the same figures each time. No outlier is dropped.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Option from "effect/Option"
import type { Case, Latencies, Report } from "./benchmark/measurements.js"
import * as ExponentialHistogram from "./ExponentialHistogram.js"
import * as Statistics from "./Statistics.js"

export * from "./benchmark/measurements.js"

/**
 * The verdict on a measurement.
 *
 * - `Faster`, `Slower`: the whole interval is beyond the threshold and beyond the {@link noise} of the run.
 * - `NoChange`: the whole interval and the noise are within the threshold.
 * - `TooNoisy`: none of these. More rounds, or a quieter machine, may decide.
 * - `NotComparable`: `why` names the difference.
 *
 * @since 0.1.0
 * @category models
 */
export type Verdict =
  | { readonly _tag: "Faster" | "Slower" | "NoChange" | "TooNoisy" }
  | { readonly _tag: "NotComparable"; readonly why: string }

/**
 * The results of a case. Times are microseconds per operation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly name: string
  readonly isControl: boolean
  readonly operations: number
  /** The median of the rounds, with its 95 % interval. */
  readonly micros: Option.Option<Statistics.Estimate>
  /** The mean of the rounds, with its 95 % interval. */
  readonly mean: Option.Option<Statistics.Estimate>
  /** Of single operations in mode `latency`, of rounds in mode `cpu`. */
  readonly median: Option.Option<number>
  /** The 95th percentile, of the same samples as `median`. None below 200 samples, which are too few. */
  readonly p95: Option.Option<number>
  /** Operations per second: of the clock in mode `latency`, of CPU time in mode `cpu`. */
  readonly throughput: Option.Option<number>
  /** The median over rounds of this case's time divided by the base's, with its 95 % interval. None for the base. */
  readonly ratio: Option.Option<Statistics.Estimate>
  /** The comparison with the base. */
  readonly verdict: Option.Option<Verdict>
  /** Rounds that lie far from the others. The results include them. */
  readonly outliers: Statistics.Outliers
  /** Whether rounds became slower (`z` above 0) or faster during the run. */
  readonly drift: Option.Option<Statistics.Trend>
  readonly figures: Case["figures"]
  readonly failure: Option.Option<string>
  readonly note: Option.Option<string>
}

/** Minimum samples for a 95th percentile: 10 of them lie beyond it. */
const ENOUGH_FOR_P95 = 200

const SEED = 20

/** More resamples would move the ends of a 95 % interval by less than a tenth of its width. */
const RESAMPLES = 1000

const medianOf = (values: ReadonlyArray<number>): number => Option.getOrElse(Statistics.median(values), () => NaN)

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

const estimate = (
  groups: ReadonlyArray<ReadonlyArray<number>>,
  statistic: (values: ReadonlyArray<number>) => number = medianOf
): Option.Option<Statistics.Estimate> =>
  Statistics.bootstrapGroups(groups, statistic, { random: Statistics.seeded(SEED), resamples: RESAMPLES })

/** Each round's time divided by the base's time in the same round. Rounds that one of the two lacks are left out. */
const paired = (own: Case, base: Case): ReadonlyArray<ReadonlyArray<number>> =>
  Array.zipWith(own.rounds, base.rounds, (rounds, ofBase) =>
    Array.zipWith(rounds, ofBase, (one, other) => one / other).filter(Number.isFinite)
  ).filter(Array.isNonEmptyReadonlyArray)

const ratioOf = (own: Case, base: Case): Option.Option<Statistics.Estimate> => estimate(paired(own, base))

const baseOf = ({ base, cases }: Report): Option.Option<Case> =>
  Array.findFirst(cases, ({ isControl, name }) => name === base && !isControl)

/**
 * Each round's time of a case divided by the base's time in the same round.
 *
 * @since 0.1.0
 * @category getters
 */
export const ratios = (report: Report, name: string): ReadonlyArray<number> =>
  Option.match(
    Option.all([Array.findFirst(report.cases, (one) => one.name === name && !one.isControl), baseOf(report)]),
    {
      onNone: () => [],
      onSome: ([own, base]) => paired(own, base).flat()
    }
  )

/**
 * The noise of the run, as a share: the larger distance from 1 of the two ends of the control's interval. None without
 * a control.
 *
 * @since 0.1.0
 * @category getters
 */
export const noise = (report: Report): Option.Option<number> =>
  Option.gen(function* () {
    const base = yield* baseOf(report)
    const control = yield* Array.findFirst(report.cases, ({ isControl }) => isControl)
    const { high, low } = yield* ratioOf(control, base)
    return Math.max(Math.abs(high - 1), Math.abs(low - 1))
  })

/**
 * Whether the noise exceeds the threshold, so that the run decides only larger differences. Also true without a
 * control.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTooNoisy = (report: Report): boolean =>
  Option.match(noise(report), { onNone: () => true, onSome: (share) => share > report.threshold })

/** {@link noise}, which is unknown without a control. */
const noiseOrUnknown = (report: Report): number => Option.getOrElse(noise(report), () => Infinity)

/** `noise` is a share, as {@link noise} returns it. */
const judge = ({ high, low }: Statistics.Estimate, threshold: number, noise: number): Verdict => {
  const least = Math.max(threshold, noise)
  if (high < 1 - least) return { _tag: "Faster" }
  if (low > 1 + least) return { _tag: "Slower" }
  return { _tag: noise <= threshold && low >= 1 - threshold && high <= 1 + threshold ? "NoChange" : "TooNoisy" }
}

const histogramOf = (own: Case): Option.Option<ExponentialHistogram.ExponentialHistogram> =>
  Option.flatMap(Option.fromNullable(own.latencies), (latencies) => ExponentialHistogram.fromOtlp(latencies))

/**
 * The samples of a case, in microseconds: operations in mode `latency`, rounds in mode `cpu`.
 *
 * @since 0.1.0
 * @category getters
 */
export const samples = (own: Case): ReadonlyArray<Statistics.Sample> =>
  Option.match(histogramOf(own), {
    onNone: () => own.rounds.flat().map((value) => ({ value, weight: 1 })),
    onSome: (histogram) => ExponentialHistogram.buckets(histogram)
  })

const timesOf = (own: Case): Pick<Row, "mean" | "median" | "p95" | "throughput"> => {
  const rounds = own.rounds.flat()
  const mean = estimate(own.rounds, meanOf)
  return Option.match(histogramOf(own), {
    onNone: () => ({
      mean,
      median: Statistics.median(rounds),
      p95: rounds.length < ENOUGH_FOR_P95 ? Option.none() : Statistics.quantile(rounds, 0.95),
      throughput: Option.map(
        Option.filter(mean, ({ value }) => value > 0),
        ({ value }) => 1e6 / value
      )
    }),
    onSome: (histogram) => ({
      mean,
      median: ExponentialHistogram.quantile(histogram, 0.5),
      p95: histogram.count < ENOUGH_FOR_P95 ? Option.none() : ExponentialHistogram.quantile(histogram, 0.95),
      throughput: Option.map(
        Option.filter(Option.fromNullable(own.latencies?.seconds), (seconds) => seconds > 0),
        (seconds) => own.operations / seconds
      )
    })
  })
}

const computed = new WeakMap<Report, ReadonlyArray<Row>>()

/**
 * The results of a report, one row for each case.
 *
 * @since 0.1.0
 * @category getters
 */
export const rows = (report: Report): ReadonlyArray<Row> => {
  const known = computed.get(report)
  if (known !== undefined) return known
  const base = baseOf(report)
  const noiseOfRun = noiseOrUnknown(report)
  const made = report.cases.map((own): Row => {
    const ratio = Option.flatMap(base, (base) => (base === own ? Option.none() : ratioOf(own, base)))
    return {
      name: own.name,
      isControl: own.isControl,
      operations: own.operations,
      micros: estimate(own.rounds),
      ...timesOf(own),
      ratio,
      verdict: Option.map(ratio, (ratio) => judge(ratio, report.threshold, noiseOfRun)),
      outliers: Statistics.outliers(own.rounds.flat()),
      drift: Statistics.mannKendall((own.rounds[0] ?? []).slice(0, 500)),
      figures: own.figures,
      failure: Option.fromNullable(own.failure),
      note: Option.fromNullable(own.note)
    }
  })
  computed.set(report, made)
  return made
}

/**
 * How a case changed since an earlier run: `change` is its ratio to the base now divided by its ratio then.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly name: string
  readonly change: Option.Option<Statistics.Estimate>
  readonly verdict: Verdict
}

const differs = (now: Report, then: Report): string | undefined => {
  const pairs: ReadonlyArray<readonly [what: string, now: unknown, then: unknown]> = [
    ["another benchmark", now.name, then.name],
    ["another mode", now.mode, then.mode],
    ["another base", now.base, then.base],
    ["another CPU", now.machine.cpu, then.machine.cpu],
    ["another number of cores", now.machine.cores, then.machine.cores],
    ["another runtime", now.machine.runtime, then.machine.runtime]
  ]
  const found = pairs.find(([, one, other]) => one !== other)
  return found && `${found[0]}: ${String(found[1])} now, ${String(found[2])} then`
}

const draws = (groups: ReadonlyArray<ReadonlyArray<number>>, seed: number): Option.Option<ReadonlyArray<number>> => {
  const drawn: Array<number> = []
  const note = (values: ReadonlyArray<number>): number => {
    const median = medianOf(values)
    drawn.push(median)
    return median
  }
  return Option.map(
    Statistics.bootstrapGroups(groups, note, { random: Statistics.seeded(seed), resamples: RESAMPLES }),
    // The last value is that of the samples themselves
    () => drawn
  )
}

/** The quotient of two medians, each resampled from its own rounds. */
const quotient = (
  now: ReadonlyArray<ReadonlyArray<number>>,
  then: ReadonlyArray<ReadonlyArray<number>>
): Option.Option<Statistics.Estimate> => {
  return Option.gen(function* () {
    const above = yield* draws(now, SEED)
    const below = yield* draws(then, SEED + 1)
    const quotients = Array.zipWith(above, below, (one, other) => one / other)
    const value = yield* Array.last(quotients)
    const low = yield* Statistics.quantile(quotients, 0.025)
    const high = yield* Statistics.quantile(quotients, 0.975)
    return { value, low, high }
  })
}

const judged = (change: Statistics.Estimate, now: Report, then: Report): Verdict =>
  judge(change, now.threshold, Math.max(noiseOrUnknown(now), noiseOrUnknown(then)))

/**
 * Compares a report with an earlier one of the same benchmark, case by case. It compares ratios to the base and not
 * times, because the machine may have been slower. So the base should be code that does not change. Another machine,
 * engine or base is `NotComparable`, and so is a case that the earlier report lacks.
 *
 * @since 0.1.0
 * @category getters
 */
export const compare = (now: Report, then: Report): ReadonlyArray<Change> => {
  const why = differs(now, then)
  return now.cases.flatMap((own): ReadonlyArray<Change> => {
    if (own.isControl || own.name === now.base) return []
    const not = (why: string): ReadonlyArray<Change> => [
      { name: own.name, change: Option.none(), verdict: { _tag: "NotComparable", why } }
    ]
    if (why !== undefined) return not(why)
    const earlier = then.cases.find(({ isControl, name }) => name === own.name && !isControl)
    if (earlier === undefined) return not("the earlier run has no such case")
    const change = Option.flatMap(Option.all([baseOf(now), baseOf(then)]), ([base, baseThen]) =>
      quotient(paired(own, base), paired(earlier, baseThen))
    )
    return Option.match(change, {
      onNone: () => not("one of the runs did not measure it"),
      onSome: (measured) => [{ name: own.name, change, verdict: judged(measured, now, then) }]
    })
  })
}

const sumOf = (latencies: ReadonlyArray<typeof Latencies.Type>): Option.Option<typeof Latencies.Type> =>
  Option.map(Option.all(latencies.map((one) => ExponentialHistogram.fromOtlp(one))), (histograms) => ({
    seconds: latencies.reduce((sum, one) => sum + one.seconds, 0),
    ...ExponentialHistogram.toOtlp(histograms.reduce(ExponentialHistogram.merge, ExponentialHistogram.make()))
  }))

const mergedCase = (all: Array.NonEmptyReadonlyArray<Case>): Case => {
  const [first] = all
  const { failure, latencies: _, ...rest } = all.find((one) => one.failure !== undefined) ?? first
  const figures = first.figures.map((figure) => ({
    ...figure,
    value: medianOf(all.flatMap((one) => one.figures.filter(({ name }) => name === figure.name)).map((f) => f.value))
  }))
  const latencies = sumOf(all.flatMap((one) => (one.latencies === undefined ? [] : [one.latencies])))
  return {
    ...rest,
    operations: all.reduce((sum, { operations }) => sum + operations, 0),
    rounds: all.flatMap(({ rounds }) => rounds),
    figures,
    ...Option.match(
      Option.filter(latencies, ({ count }) => count > 0),
      { onNone: () => ({}), onSome: (latencies) => ({ latencies }) }
    ),
    ...(failure === undefined ? {} : { failure })
  }
}

/**
 * Merges the reports of several processes. Processes are independent trials, so intervals come from the hierarchical
 * bootstrap. A case that failed in one process has failed. A case that the first report lacks is left out. Figures are
 * medians.
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (reports: Array.NonEmptyReadonlyArray<Report>): Report => {
  const [first] = reports
  return {
    ...first,
    cases: first.cases.map((one) =>
      mergedCase([
        one,
        ...reports
          .slice(1)
          .flatMap(({ cases }) =>
            cases.filter(({ isControl, name }) => name === one.name && isControl === one.isControl)
          )
      ])
    )
  }
}
