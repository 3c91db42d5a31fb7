/**
 * Writes benchmark reports as a page for people: one HTML file that makes no request and runs no script.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Format from "./benchmark/format.js"
import * as Pictures from "./benchmark/pictures.js"
import { style } from "./benchmark/style.js"
import type { Change, Report, Row } from "./BenchmarkReport.js"
import * as BenchmarkReport from "./BenchmarkReport.js"
import type { Target } from "./BenchmarkTarget.js"
import * as BenchmarkTarget from "./BenchmarkTarget.js"
import * as Flamegraph from "./Flamegraph.js"
import * as Statistics from "./Statistics.js"

/**
 * A benchmark on the page.
 *
 * @since 0.1.0
 * @category models
 */
export interface Part {
  readonly report: Report
  /** Earlier reports of the benchmark, the oldest first. The last is the one to compare with. */
  readonly earlier?: ReadonlyArray<Report> | undefined
}

/**
 * The content of the page.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The headline. */
  readonly title: string
  /** Targets to show in a table above all reports. Default: none. */
  readonly targets?: ReadonlyArray<Target> | undefined
  /** One section each, in this order. */
  readonly parts: ReadonlyArray<Part>
}

const { escape } = Flamegraph

const COLOURS = 10

/** The colour of the n-th case. The base is grey, and so is its control. */
const colourOf = (report: Report, name: string): string => {
  const names = report.cases.filter((one) => !one.isControl && one.name !== report.base).map((one) => one.name)
  const index = names.indexOf(name)
  return index === -1 ? "--c0" : `--c${1 + (index % (COLOURS - 1))}`
}

const isBase = (report: Report, { isControl, name }: Row): boolean => name === report.base && !isControl

const estimateCell = (
  estimate: Option.Option<Statistics.Estimate>,
  value: (value: number) => string,
  interval: (estimate: Statistics.Estimate) => string
): string =>
  Option.match(estimate, {
    onNone: () => Format.NONE,
    onSome: (estimate) => `${value(estimate.value)} <small>${interval(estimate)}</small>`
  })

const ratioCell = (report: Report, row: Row): string =>
  isBase(report, row) ? "1" : estimateCell(row.ratio, Format.digits, Format.interval)

const verdictCell = (report: Report, row: Row): string =>
  isBase(report, row)
    ? "base"
    : Option.match(row.verdict, {
        onNone: () => Format.NONE,
        onSome: (verdict) => `<span class="${verdict._tag}">${escape(Format.verdict(verdict))}</span>`
      })

const rowOf =
  (report: Report, figures: ReadonlyArray<string>) =>
  (row: Row): string => {
    const name = row.isControl ? `${row.name} (A/A)` : row.name
    const cells = [
      `<i style="background:var(${colourOf(report, row.name)})"></i>${escape(name)}`,
      estimateCell(row.mean, Format.time, Format.timeInterval),
      Format.timeOr(row.median),
      Format.p95(row),
      Format.rateOr(row.throughput),
      ratioCell(report, row),
      verdictCell(report, row),
      Format.outliers(row.outliers),
      ...figures.map((figure) => escape(Format.figure(row, figure)))
    ]
    const kind = isBase(report, row) ? ` class="base"` : row.isControl ? ` class="control"` : ""
    return `<tr${kind}>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`
  }

const measuredRows = (report: Report): ReadonlyArray<Row> =>
  BenchmarkReport.rows(report).filter(({ micros }) => Option.isSome(micros))

const table = (report: Report): string => {
  const rows = measuredRows(report)
  const figures = Format.figureNames(rows)
  const head = [
    "case",
    "mean <small>95 %</small>",
    "median",
    "P95",
    "throughput",
    `× ${escape(report.base)} <small>95 %</small>`,
    "verdict",
    "outliers",
    ...figures.map((figure) => escape(figure))
  ]
  return [
    `<div class="wide"><table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join("")}</tr></thead><tbody>`,
    ...rows.map(rowOf(report, figures)),
    `</tbody></table></div>`
  ].join("\n")
}

const item = (kind: "good" | "bad" | "warn" | "", text: string): string =>
  `<li${kind === "" ? "" : ` class="${kind}"`}>${escape(text, 800)}</li>`

const KINDS = { Faster: "good", Slower: "bad", NoChange: "", TooNoisy: "warn", NotComparable: "warn" } as const

const remarks = (report: Report, changes: ReadonlyArray<Change>): string =>
  [
    "<ul>",
    item(BenchmarkReport.isTooNoisy(report) ? "warn" : "good", Format.control(report)),
    ...changes.map((change) => item(KINDS[change.verdict._tag], `Since the last run, ${Format.change(change)}`)),
    ...BenchmarkReport.rows(report).flatMap(({ failure, isControl, name, note }) => [
      ...Option.toArray(failure).map((why) => item("bad", `${name} failed: ${why}`)),
      ...(isControl ? [] : Option.toArray(note)).map((text) => item("", `${name}: ${text}`))
    ]),
    ...Format.drifts(report).map((text) => item("warn", text)),
    "</ul>"
  ].join("\n")

/** The value below which a share of weighted samples lies. The samples must be in rising order. */
const weightedQuantile = (samples: ReadonlyArray<Statistics.Sample>, share: number): number => {
  const whole = samples.reduce((sum, { weight }) => sum + weight, 0)
  let below = 0
  return samples.find(({ weight }) => (below += weight) >= share * whole)?.value ?? Number.NaN
}

const violins = (report: Report): string =>
  Pictures.violins(
    report.cases
      .filter(({ isControl, rounds }) => !isControl && rounds.flat().length > 0)
      .map((own) => {
        const samples = BenchmarkReport.samples(own).toSorted((left, right) => left.value - right.value)
        return {
          name: own.name,
          colour: colourOf(report, own.name),
          samples,
          quartiles: [
            weightedQuantile(samples, 0.25),
            weightedQuantile(samples, 0.5),
            weightedQuantile(samples, 0.75)
          ] as const
        }
      })
  )

const intervals = (report: Report): string =>
  Pictures.intervals(
    BenchmarkReport.rows(report).flatMap(({ isControl, name, ratio }) =>
      Option.toArray(ratio).map((estimate) => ({
        name: isControl ? `${name} (A/A)` : name,
        colour: colourOf(report, name),
        estimate
      }))
    ),
    report.threshold
  )

const figure = (title: string, picture: string): string => (picture === "" ? "" : `<h3>${escape(title)}</h3>${picture}`)

/** Pictures of the first case that is not the base: its ratios now, in the last run, and over all runs. */
const subject = (report: Report, earlier: ReadonlyArray<Report>): string => {
  const name = report.cases.find((one) => !one.isControl && one.name !== report.base)?.name
  if (name === undefined) return ""
  const ratios = (of: Report | undefined): ReadonlyArray<number> =>
    of === undefined ? [] : BenchmarkReport.ratios(of, name)
  const colour = colourOf(report, name)
  const now = ratios(report)
  const medians = [...earlier, report]
    .map((one) => Statistics.median(ratios(one)))
    .flatMap((median) => Option.toArray(median))
  const then = earlier.at(-1)
  return [
    `<div class="two"><div>`,
    figure(
      then === undefined
        ? `${name} by ${report.base}: density of the rounds`
        : `${name} by ${report.base}: now, and in the last run (grey)`,
      Pictures.densities(now, ratios(then), colour)
    ),
    `</div><div>`,
    figure(`${name} by ${report.base}: each round`, Pictures.dots(now, colour, String(now.length))),
    `</div></div>`,
    medians.length < 3
      ? ""
      : `<div class="two"><div>${figure(`${name} by ${report.base}: the last runs`, Pictures.dots(medians, colour, "now"))}</div></div>`
  ].join("")
}

const part = ({ earlier = [], report }: Part): string => {
  const then = earlier.at(-1)
  const changes = then === undefined ? [] : BenchmarkReport.compare(report, then)
  const base = report.cases.find((one) => one.name === report.base)
  const operations = (base?.operations ?? 0).toLocaleString("en")
  return [
    `<section><h2>${escape(report.name)}</h2>`,
    `<p class="soft">${Format.measured(report)}; ${operations} operations of the base</p>`,
    remarks(report, changes),
    table(report),
    figure("Times", violins(report)),
    figure(`Ratios to ${report.base}, with 95 % intervals`, intervals(report)),
    subject(report, earlier),
    `</section>`
  ].join("\n")
}

const targetRow = (target: Target): string => {
  const { below, measured, name, note = "", unit } = target
  const outcome = BenchmarkTarget.outcome(target)
  const cells = [
    escape(name),
    escape(`${Format.digits(below)} ${unit}`),
    `${escape(`${Format.digits(measured.value)} ${unit}`)} <small>${Format.interval(measured)}</small>`,
    `<span class="${outcome}">${Format.outcome(outcome)}</span>`,
    `<small>${escape(note, 800)}</small>`
  ]
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`
}

const targetTable = (targets: ReadonlyArray<Target>): string =>
  targets.length === 0
    ? ""
    : [
        `<section><h2>Targets</h2><div class="wide"><table class="targets"><thead><tr>`,
        ...["target", "below", "measured <small>95 %</small>", "", "how"].map((cell) => `<th>${cell}</th>`),
        `</tr></thead><tbody>`,
        ...targets.map(targetRow),
        `</tbody></table></div></section>`
      ].join("\n")

const about = (reports: ReadonlyArray<Report>): string => {
  const [first] = reports
  if (first === undefined) return "Nothing was measured."
  const when = Number.isFinite(new Date(first.at).getTime())
    ? `${new Date(first.at).toISOString().slice(0, 16)} UTC`
    : ""
  return [when.replace("T", " "), first.of ?? "", Format.machine(first)].filter((text) => text !== "").join(" · ")
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

/**
 * Writes the page: the targets, then each report. A report has its A/A verdict, the changes since the last run, a table,
 * and pictures of times, ratios and rounds. The page is self-contained. It has no request, font or script, and its
 * content policy forbids them; texts of reports are escaped. It follows the reader's light or dark scheme.
 *
 * @since 0.1.0
 * @category encoding
 */
export const html = ({ parts, targets = [], title }: Options): string =>
  [
    `<!doctype html>`,
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>${escape(title)}</title>`,
    `<style>${style}</style></head><body><main>`,
    `<header><h1>${escape(title)}</h1><p class="soft">${escape(about(parts.map(({ report }) => report)))}</p>`,
    `<p class="soft">Every round runs every case once, in shuffled order. A ratio is the median over rounds of a case's time by that of the base in the same round. A case is faster or slower only if its whole 95 % interval is beyond the threshold and beyond the difference of the base from itself.</p></header>`,
    targetTable(targets),
    ...parts.map(part),
    `</main></body></html>\n`
  ].join("\n")
