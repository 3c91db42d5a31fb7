/**
 * Writes benchmark reports as text for terminals, as Markdown and as JSON.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as SafeText from "../SafeText.js"
import * as Format from "./benchmark/format.js"
import type { Change, Report, Row } from "./BenchmarkReport.js"
import * as BenchmarkReport from "./BenchmarkReport.js"
import type { Target } from "./BenchmarkTarget.js"
import * as BenchmarkTarget from "./BenchmarkTarget.js"

/** Columns with their cells, for one report. */
const columns = (report: Report): ReadonlyArray<readonly [title: string, cell: (row: Row) => string]> => {
  const rows = BenchmarkReport.rows(report)
  return [
    ["case", ({ isControl, name }) => (isControl ? `${name} (A/A)` : name)],
    ["mean (95 %)", ({ mean }) => Format.estimatedTimeOr(mean)],
    ["median", ({ median }) => Format.timeOr(median)],
    ["P95", Format.p95],
    ["throughput", ({ throughput }) => Format.rateOr(throughput)],
    [`× ${report.base} (95 %)`, (row) => (isBase(report, row) ? "1" : Format.estimateOr(row.ratio))],
    ["verdict", (row) => (isBase(report, row) ? "base" : Format.verdictOr(row.verdict))],
    ["outliers", ({ outliers }) => Format.outliers(outliers)],
    ...Format.figureNames(rows).map((name) => [name, (row: Row) => Format.figure(row, name)] as const)
  ]
}

const isBase = (report: Report, { isControl, name }: Row): boolean => name === report.base && !isControl

const remarks = (report: Report): ReadonlyArray<string> => [
  Format.control(report),
  ...BenchmarkReport.rows(report).flatMap(({ failure, isControl, name, note }) => [
    ...Option.toArray(failure).map((why) => `${name}: failed: ${why}`),
    ...(isControl ? [] : Option.toArray(note)).map((text) => `${name}: ${text}`)
  ]),
  ...Format.drifts(report)
]

const isMeasured = ({ micros }: Row): boolean => Option.isSome(micros)

const cells = (report: Report): ReadonlyArray<ReadonlyArray<string>> => {
  const all = columns(report)
  return [
    all.map(([title]) => title),
    ...BenchmarkReport.rows(report)
      .filter(isMeasured)
      .map((row) => all.map(([, cell]) => cell(row)))
  ].map((line) => line.map((cell) => SafeText.make(cell)))
}

/**
 * The report as lines for a terminal: a table, then remarks. `changes` adds the changes since an earlier run.
 *
 * @since 0.1.0
 * @category encoding
 */
export const text = (report: Report, changes: ReadonlyArray<Change> = []): string => {
  const lines = cells(report)
  const widths = (lines[0] ?? []).map((_, index) => Math.max(...lines.map((line) => (line[index] ?? "").length)))
  const aligned = lines.map((line) =>
    line
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ")
      .trimEnd()
  )
  return [
    SafeText.make(`${report.name}: ${Format.measured(report)}`),
    ...aligned,
    ...remarks(report).map((line) => SafeText.make(line)),
    ...changes.map((change) => SafeText.make(`since the last run, ${Format.change(change)}`)),
    ""
  ].join("\n")
}

/** Escapes characters that would begin another cell, an element or code. */
const inCell = (cell: string): string => cell.replace(/[\\|`<>*_[\]]/g, "\\$&")

const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

/**
 * The report as a Markdown table.
 *
 * @since 0.1.0
 * @category encoding
 */
export const markdown = (report: Report, changes: ReadonlyArray<Change> = []): string => {
  const [head = [], ...body] = cells(report).map((line) => line.map(inCell))
  return [
    `### ${inCell(SafeText.make(report.name))}`,
    "",
    line(head),
    line(head.map((_, index) => (index === 0 ? "---" : "---:"))),
    ...body.map(line),
    "",
    ...remarks(report).map((remark) => `- ${inCell(SafeText.make(remark))}`),
    ...changes.map((change) => `- since the last run, ${inCell(SafeText.make(Format.change(change)))}`),
    ""
  ].join("\n")
}

/**
 * Targets as a Markdown table: the bound, the figure with its interval, and whether it is met.
 *
 * @since 0.1.0
 * @category encoding
 */
export const targets = (all: ReadonlyArray<Target>): string =>
  [
    line(["target", "below", "measured (95 %)", "", "how"]),
    line(["---", "---:", "---:", "---", "---"]),
    ...all.map((target) =>
      line(
        [
          target.name,
          `${Format.digits(target.below)} ${target.unit}`,
          `${Format.digits(target.measured.value)} ${target.unit} (${Format.interval(target.measured)})`,
          Format.outcome(BenchmarkTarget.outcome(target)),
          target.note ?? ""
        ].map((cell) => inCell(SafeText.make(cell)))
      )
    ),
    ""
  ].join("\n")

const plainRow = (row: Row) => ({
  ...row,
  micros: Option.getOrNull(row.micros),
  mean: Option.getOrNull(row.mean),
  median: Option.getOrNull(row.median),
  p95: Option.getOrNull(row.p95),
  throughput: Option.getOrNull(row.throughput),
  ratio: Option.getOrNull(row.ratio),
  verdict: Option.getOrNull(row.verdict),
  drift: Option.getOrNull(row.drift),
  failure: Option.getOrNull(row.failure),
  note: Option.getOrNull(row.note)
})

/**
 * The reports as JSON, with the figures of the tables under `rows`. `BenchmarkReport.decode` reads only the
 * measurements back; the figures are computed again.
 *
 * @since 0.1.0
 * @category encoding
 */
export const json = (reports: ReadonlyArray<Report>): string =>
  JSON.stringify(reports.map((report) => ({ ...report, rows: BenchmarkReport.rows(report).map(plainRow) })))
