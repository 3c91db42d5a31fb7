/**
 * Reads all metrics for the exporters: Effect's registry, and the service `Metrics` if it is provided.
 *
 * It reads at most `maxSeries` series; the number of the others is a series itself. A name has one kind, and its series
 * have different labels in any order: others are left out too, because no exporter can write both.
 */
import * as Metric from "effect/Metric"
import type * as MetricKey from "effect/MetricKey"
import * as MetricKeyType from "effect/MetricKeyType"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import type { Snapshot } from "../../services/Metrics.js"
import type { ExponentialHistogram } from "../../src/observe/ExponentialHistogram.js"
import * as MetricTable from "../../src/observe/MetricTable.js"

export type Labels = Readonly<Record<string, string>>

export interface Histogram {
  /** Upper bounds of all buckets except the last, which has none. */
  readonly bounds: ReadonlyArray<number>
  /** The values in each bucket. */
  readonly counts: ReadonlyArray<number>
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
}

export type Value =
  | { readonly kind: "counter"; readonly isMonotonic: boolean; readonly value: number | bigint }
  | { readonly kind: "gauge"; readonly value: number | bigint }
  | { readonly kind: "histogram"; readonly value: Histogram }
  | { readonly kind: "exponential histogram"; readonly value: ExponentialHistogram }

export interface Series {
  readonly labels: Labels
  readonly value: Value
  /** Whether it is of the service `Metrics`, whose counts can be reset. */
  readonly isOfService?: boolean
}

/** The series of one name. */
export interface Family {
  readonly name: string
  /** UCUM's unit, or empty. */
  readonly unit: string
  readonly meaning: string
  readonly kind: Value["kind"]
  readonly series: ReadonlyArray<Series>
}

/** A series with the data of its family. */
interface Found extends Series {
  readonly name: string
  readonly unit: string
  readonly meaning: string
}

/** The labels in which Effect's metrics have their unit. */
const UNITS = ["unit", "time_unit"]

const histogramOf = ({ buckets, count, max, min, sum }: MetricState.MetricState.Histogram): Histogram => {
  // Effect's counts are cumulative.
  const counts = buckets.map(([, upTo], nth) => upTo - (buckets[nth - 1]?.[1] ?? 0))
  return { bounds: buckets.slice(0, -1).map(([bound]) => bound), counts, count, sum, min, max }
}

const isIncremental = ({ keyType }: MetricKey.MetricKey.Untyped): boolean =>
  MetricKeyType.isCounterKey(keyType) && keyType.incremental

/** The values of a metric. The quantiles of a summary become gauges, and each word of a frequency becomes a counter. */
const valuesOf = (
  key: MetricKey.MetricKey.Untyped,
  state: MetricState.MetricState.Untyped
): ReadonlyArray<readonly [suffix: string, labels: Labels, value: Value]> => {
  const none: Labels = {}
  if (MetricState.isCounterState(state)) {
    return [["", none, { kind: "counter", isMonotonic: isIncremental(key), value: state.count }]]
  }
  if (MetricState.isGaugeState(state)) return [["", none, { kind: "gauge", value: state.value }]]
  if (MetricState.isHistogramState(state)) return [["", none, { kind: "histogram", value: histogramOf(state) }]]
  if (MetricState.isFrequencyState(state)) {
    return Array.from(state.occurrences, ([word, value]) => [
      "",
      { word },
      { kind: "counter", isMonotonic: true, value }
    ])
  }
  if (MetricState.isSummaryState(state)) {
    return [
      ...state.quantiles.flatMap(([quantile, found]): ReturnType<typeof valuesOf> =>
        Option.isSome(found) ? [["", { quantile: String(quantile) }, { kind: "gauge", value: found.value }]] : []
      ),
      ["_count", none, { kind: "counter", isMonotonic: true, value: state.count }],
      ["_sum", none, { kind: "counter", isMonotonic: false, value: state.sum }]
    ]
  }
  return []
}

const ofPair = ({ metricKey, metricState }: MetricPair.MetricPair.Untyped): ReadonlyArray<Found> => {
  const unit = metricKey.tags.find(({ key }) => UNITS.includes(key))?.value ?? ""
  const labels = Object.fromEntries(
    metricKey.tags.filter(({ key }) => !UNITS.includes(key)).map(({ key, value }) => [key, value])
  )
  const meaning = Option.getOrElse(metricKey.description, () => "")
  return valuesOf(metricKey, metricState).map(([suffix, own, value]) => ({
    name: metricKey.name + suffix,
    unit,
    meaning,
    labels: { ...labels, ...own },
    value
  }))
}

const { operationDuration, operations, seriesLeftOut } = MetricTable

const ofSnapshot = ({ counters, gauges, operations: measured }: Snapshot): ReadonlyArray<Found> => [
  ...measured.flatMap(({ failed, interrupted, labels, name, seconds, succeeded }): ReadonlyArray<Found> => [
    {
      ...operationDuration,
      labels: { ...labels, operation: name },
      value: { kind: "exponential histogram", value: seconds }
    },
    ...Object.entries({ succeeded, failed, interrupted }).map(([outcome, value]): Found => ({
      ...operations,
      labels: { ...labels, operation: name, outcome },
      value: { kind: "counter", isMonotonic: true, value }
    }))
  ]),
  ...counters.map(({ labels, name, value }): Found => ({
    name,
    unit: "",
    meaning: "",
    labels,
    value: { kind: "counter", isMonotonic: true, value }
  })),
  ...gauges.map(({ labels, name, value }): Found => ({
    name,
    unit: "",
    meaning: "",
    labels,
    value: { kind: "gauge", value }
  }))
]

/** Equal for equal names and labels, in any order. */
const keyOf = (name: string, labels: Labels): string => JSON.stringify([name, Object.entries(labels).toSorted()])

/** Reads all series at this moment. */
export const read = (metrics: Snapshot | undefined, maxSeries: number): ReadonlyArray<Family> => {
  const families = new Map<string, Family & { readonly series: Array<Series> }>()
  const known = new Set<string>()
  let left = maxSeries
  let leftOut = 0
  const add = ({ isOfService = false, labels, meaning, name, unit, value }: Found): void => {
    const family = families.get(name)
    const key = keyOf(name, labels)
    if (left === 0 || known.has(key) || (family !== undefined && family.kind !== value.kind)) leftOut++
    else {
      left--
      known.add(key)
      if (family === undefined)
        families.set(name, { name, unit, meaning, kind: value.kind, series: [{ labels, value, isOfService }] })
      else family.series.push({ labels, value, isOfService })
    }
  }
  if (metrics !== undefined) ofSnapshot(metrics).forEach((found) => add({ ...found, isOfService: true }))
  for (const pair of Metric.unsafeSnapshot()) ofPair(pair).forEach(add)
  if (leftOut > 0) {
    left = 1
    add({ ...seriesLeftOut, labels: {}, value: { kind: "gauge", value: leftOut } })
  }
  return [...families.values()]
}
