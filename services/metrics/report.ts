/** Writes a snapshot for people and for programs. A percentile with too few samples is marked so, never guessed. */
import * as Option from "effect/Option"
import * as Jsonable from "../../src/internal/jsonable.js"
import * as Histogram from "../../src/observe/ExponentialHistogram.js"
import { aligned } from "../internal/columns.js"
import type { Labels } from "./Registry.js"
import type { OperationSnapshot, Snapshot } from "./Snapshot.js"

/** The format of a report. */
export type Format = "text" | "json" | "markdown"

/** A percentile needs ten samples above it, so that no single sample decides it: 10 / (1 − q). */
const PERCENTILES = {
  median: { q: 0.5, samplesNeeded: 20 },
  p95: { q: 0.95, samplesNeeded: 200 },
  p99: { q: 0.99, samplesNeeded: 1000 }
} as const

/** Seconds, or the number of samples that the percentile needs. */
type Cell = number | { readonly samplesNeeded: number }

const percentile = (seconds: Histogram.ExponentialHistogram, name: keyof typeof PERCENTILES): Cell => {
  const { q, samplesNeeded } = PERCENTILES[name]
  return seconds.count < samplesNeeded
    ? { samplesNeeded }
    : Option.getOrElse(Histogram.quantile(seconds, q), () => ({ samplesNeeded }))
}

const lineOf =
  (covered: number) =>
  ({ failed, interrupted, labels, name, seconds }: OperationSnapshot) => ({
    name,
    labels,
    count: seconds.count,
    failed,
    interrupted,
    perSecond: covered > 0 ? seconds.count / covered : 0,
    meanSeconds: Option.getOrElse(Histogram.mean(seconds), () => 0),
    medianSeconds: percentile(seconds, "median"),
    p95Seconds: percentile(seconds, "p95"),
    p99Seconds: percentile(seconds, "p99"),
    maxSeconds: Math.max(seconds.max, 0)
  })

const UNITS = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"]
] as const

/** Three significant digits; all digits of larger whole numbers. */
const digits = (value: number): string => (value >= 100 ? Math.round(value).toString() : value.toPrecision(3))

const duration = (seconds: number): string => {
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? UNITS[3]
  return `${digits(seconds / size)} ${unit}`
}

const cell = (value: Cell): string => (typeof value === "number" ? duration(value) : `needs ${value.samplesNeeded}`)

const titleOf = ({ labels, name }: { readonly name: string; readonly labels: Labels }): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`
}

const HEADER = ["operation", "count", "failed", "interrupted", "per second", "mean", "median", "P95", "P99", "max"]

type Rows = ReadonlyArray<ReadonlyArray<string>>

/** The parts of a report: a title, a header and rows. */
const tables = ({ counters, gauges, invalid, operations, overflow, seconds }: Snapshot) => {
  const values = [...counters, ...gauges]
  const refused = [
    ["invalid values, not recorded", invalid],
    ["values recorded under _OTHER", overflow]
  ] as const
  const lines: Rows = operations
    .map(lineOf(seconds))
    .map((line) => [
      titleOf(line),
      String(line.count),
      String(line.failed),
      String(line.interrupted),
      digits(line.perSecond),
      duration(line.meanSeconds),
      cell(line.medianSeconds),
      cell(line.p95Seconds),
      cell(line.p99Seconds),
      duration(line.maxSeconds)
    ])
  return [
    { header: HEADER, rows: lines },
    { header: ["name", "value"], rows: values.map((series) => [titleOf(series), String(series.value)]) },
    { header: ["problem", "count"], rows: refused.filter(([, n]) => n > 0).map(([what, n]) => [what, String(n)]) }
  ].filter(({ rows }) => rows.length > 0)
}

const text = (snapshot: Snapshot): string =>
  [
    `Over ${duration(snapshot.seconds)}`,
    ...tables(snapshot).map(({ header, rows }) => aligned([header, ...rows]))
  ].join("\n\n")

/** Escapes characters with a meaning in a table of Markdown. */
const escaped = (value: string): string => value.replaceAll(/[\\`|<>*_[\]]/g, "\\$&")

const markdown = (snapshot: Snapshot): string =>
  [
    `Over ${duration(snapshot.seconds)}`,
    ...tables(snapshot).map(({ header, rows }) =>
      [
        `| ${header.join(" | ")} |`,
        `|---|${header
          .slice(1)
          .map(() => "---:|")
          .join("")}`,
        ...rows.map((row) => `| ${row.map(escaped).join(" | ")} |`)
      ].join("\n")
    )
  ].join("\n\n")

const json = (snapshot: Snapshot): string =>
  JSON.stringify(
    Jsonable.toJson({ ...snapshot, operations: snapshot.operations.map(lineOf(snapshot.seconds)) }),
    undefined,
    2
  )

export const report = (snapshot: Snapshot, format: Format): string =>
  format === "json" ? json(snapshot) : format === "markdown" ? markdown(snapshot) : text(snapshot)
