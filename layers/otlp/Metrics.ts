/** Converts metrics to OpenTelemetry's: cumulative since the start, or since the last reset of the service `Metrics`. A number that is not finite has no data point. */
import * as ExponentialHistogram from "../../src/observe/ExponentialHistogram.js"
import type { Family, Series } from "../internal/Series.js"
import * as Model from "./Model.js"
import type { Shown } from "./Shown.js"

const numberOf = (value: number | bigint) => {
  if (typeof value === "number") return { asDouble: value }
  return BigInt.asIntN(64, value) === value ? { asInt: String(value) } : { asDouble: Number(value) }
}

const isFinitePoint = ({ value: { value } }: Series): boolean => typeof value !== "number" || Number.isFinite(value)

const extremes = ({ count, max, min }: { readonly count: number; readonly min: number; readonly max: number }) =>
  count > 0 ? { min, max } : {}

const temporality = { aggregationTemporality: Model.CUMULATIVE }

export const make = (shown: Shown, startTimeUnixNano: string) => {
  const metricOf = (
    { kind, meaning, name, series, unit }: Family,
    timeUnixNano: string,
    sinceUnixNano: string
  ): Model.Metric => {
    const numbers: Array<Model.NumberDataPoint> = []
    const histograms: Array<Model.HistogramDataPoint> = []
    const exponentials: Array<Model.ExponentialHistogramDataPoint> = []
    let isMonotonic = true
    for (const { isOfService, labels, value } of series.filter(isFinitePoint)) {
      const start = isOfService === true ? sinceUnixNano : startTimeUnixNano
      const point = { attributes: shown.attributes(Object.entries(labels)), startTimeUnixNano: start, timeUnixNano }
      switch (value.kind) {
        case "counter":
          isMonotonic &&= value.isMonotonic
          numbers.push({ ...point, ...numberOf(value.value) })
          break
        case "gauge":
          numbers.push({ ...point, ...numberOf(value.value) })
          break
        case "histogram": {
          const { bounds, count, counts, sum } = value.value
          histograms.push({
            ...point,
            count: String(count),
            sum,
            bucketCounts: counts.map(String),
            explicitBounds: bounds,
            ...extremes(value.value)
          })
          break
        }
        case "exponential histogram": {
          const { count, positive, scale, sum, zeroCount } = ExponentialHistogram.toOtlp(value.value)
          exponentials.push({
            ...point,
            count: String(count),
            sum,
            scale,
            zeroCount: String(zeroCount),
            positive: { offset: positive.offset, bucketCounts: positive.bucketCounts.map(String) },
            ...extremes(value.value)
          })
        }
      }
    }
    const about = { name: shown.text(name, 255), description: shown.text(meaning), unit: shown.text(unit, 63) }
    switch (kind) {
      case "counter":
        return { ...about, sum: { dataPoints: numbers, isMonotonic, ...temporality } }
      case "gauge":
        return { ...about, gauge: { dataPoints: numbers } }
      case "histogram":
        return { ...about, histogram: { dataPoints: histograms, ...temporality } }
      case "exponential histogram":
        return { ...about, exponentialHistogram: { dataPoints: exponentials, ...temporality } }
    }
  }
  /** `since`: the start of the counts of the service `Metrics`. */
  return (families: ReadonlyArray<Family>, now: string, since: string): ReadonlyArray<Model.Metric> =>
    families.map((family) => metricOf(family, now, since))
}
