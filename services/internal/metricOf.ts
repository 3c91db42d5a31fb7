/** Makes Effect's metric of a row of the table. Effect's OTLP exporter writes the label `unit` as the metric's unit. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import type { Row } from "../../src/observe/MetricTable.js"

type Labels = Readonly<Record<string, string>>

/**
 * The labels of the metric's key. If a metric is tagged later, each update looks it up, which costs more than the
 * update.
 */
const labelsOf = (unit: string, labels: Labels): ReadonlyArray<MetricLabel.MetricLabel> =>
  Object.entries({ unit, ...labels }).map(([name, value]) => MetricLabel.make(name, value))

const boundariesByRow = new WeakMap<Row, MetricBoundaries.MetricBoundaries>()

/** One object for each row: keys are equal only if they share this object. */
const boundariesOf = (row: Row): MetricBoundaries.MetricBoundaries => {
  const known = boundariesByRow.get(row)
  if (known !== undefined) return known
  const made = MetricBoundaries.fromIterable(row.boundaries ?? [])
  boundariesByRow.set(row, made)
  return made
}

/** The counter of a row, which never falls. */
export const counter = (
  { meaning: description, name, unit }: Row,
  labels: Labels = {}
): Metric.Metric.Counter<number> => {
  const key = MetricKey.counter(name, { description, incremental: true })
  return Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsOf(unit, labels)))
}

/** The gauge of a row. */
export const gauge = ({ meaning: description, name, unit }: Row, labels: Labels = {}): Metric.Metric.Gauge<number> =>
  Metric.fromMetricKey(MetricKey.taggedWithLabels(MetricKey.gauge(name, { description }), labelsOf(unit, labels)))

/** The histogram of a row. */
export const histogram = (row: Row, labels: Labels = {}): Metric.Metric.Histogram<number> => {
  const key = MetricKey.histogram(row.name, boundariesOf(row), row.meaning)
  return Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labelsOf(row.unit, labels)))
}
