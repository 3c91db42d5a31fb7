/** Numbers, intervals and verdicts of benchmarks as people read them. The table and the page share them. */
import * as Option from "effect/Option"
import type { Change, Report, Row, Verdict } from "../BenchmarkReport.js"
import * as BenchmarkReport from "../BenchmarkReport.js"
import type { Outcome } from "../BenchmarkTarget.js"
import type * as Statistics from "../Statistics.js"

/** Three figures, without an exponent. */
export const digits = (value: number): string => {
  const size = Math.abs(value)
  if (!Number.isFinite(value) || size === 0) return String(value)
  if (size >= 100) return Math.round(value).toLocaleString("en")
  return value.toFixed(Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(size)))))
}

/** The unit in which a time of microseconds reads best. */
const timeUnit = (micros: number): readonly [name: string, micros: number] => {
  const size = Math.abs(micros)
  if (size >= 1e6) return ["s", 1e6]
  if (size >= 1e3) return ["ms", 1e3]
  return size >= 1 || size === 0 ? ["µs", 1] : ["ns", 1e-3]
}

/** A time of microseconds with its unit. */
export const time = (micros: number): string => {
  const [name, unit] = timeUnit(micros)
  return `${digits(micros / unit)} ${name}`
}

export const NONE = "–"

const optional =
  <A>(write: (value: A) => string) =>
  (value: Option.Option<A>): string =>
    Option.match(value, { onNone: () => NONE, onSome: write })

export const timeOr = optional(time)
export const rateOr = optional((perSecond: number) => `${digits(perSecond)}/s`)

/** A 95th percentile, or the number of samples that it needs. */
export const p95 = (row: Row): string =>
  Option.match(row.p95, {
    onNone: () => (Option.isSome(row.median) ? "needs 200" : NONE),
    onSome: time
  })

export const interval = ({ high, low }: Statistics.Estimate): string => `${digits(low)} – ${digits(high)}`

/** The interval of a time, in the unit of the time. */
export const timeInterval = ({ high, low, value }: Statistics.Estimate): string => {
  const [, unit] = timeUnit(value)
  return interval({ value: value / unit, low: low / unit, high: high / unit })
}

export const estimatedTimeOr = optional(
  (estimate: Statistics.Estimate) => `${time(estimate.value)} (${timeInterval(estimate)})`
)

export const estimateOr = optional(
  (estimate: Statistics.Estimate) => `${digits(estimate.value)} (${interval(estimate)})`
)

/** A ratio as a change: `+5.1 %`. */
export const percent = (ratio: number): string => {
  const change = (ratio - 1) * 100
  return `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(1)} %`
}

const WORDS: Readonly<Record<Verdict["_tag"], string>> = {
  Faster: "faster",
  Slower: "slower",
  NoChange: "no change",
  TooNoisy: "too noisy",
  NotComparable: "not comparable"
}

export const verdict = (verdict: Verdict): string =>
  verdict._tag === "NotComparable" ? `${WORDS.NotComparable}: ${verdict.why}` : WORDS[verdict._tag]

export const verdictOr = optional(verdict)

export const outcome = (outcome: Outcome): string => outcome.toLowerCase()

/** `1 mild, 3 severe`; nothing if there are none. */
export const outliers = ({ highMild, highSevere, lowMild, lowSevere }: Statistics.Outliers): string =>
  [
    [lowMild + highMild, "mild"],
    [lowSevere + highSevere, "severe"]
  ]
    .filter(([count]) => count !== 0)
    .map(([count, name]) => `${count} ${name}`)
    .join(", ")

/** The change of a case since the last run, as a sentence. */
export const change = ({ change, name, verdict: decided }: Change): string =>
  `${name}: ${verdict(decided)}${Option.match(change, {
    onNone: () => "",
    onSome: ({ high, low, value }) => ` (${percent(value)}, 95 % from ${percent(low)} to ${percent(high)})`
  })}`

/** Normal quantile of 99.9 %. Only drifts beyond it are reported. */
const CLEAR_DRIFT = 3.09

/** The result of the A/A control, which a reader needs before the numbers. */
export const control = (report: Report): string => {
  const row = BenchmarkReport.rows(report).find(({ isControl }) => isControl)
  const ratio = row === undefined ? Option.none() : row.ratio
  const limit = `${digits(report.threshold * 100)} %`
  return Option.match(ratio, {
    onNone: () => "A/A: not measured, so nothing is decided",
    onSome: ({ high, low, value }) => {
      const found = `the base against itself is ${percent(value)}, 95 % from ${percent(low)} to ${percent(high)}`
      return BenchmarkReport.isTooNoisy(report)
        ? `A/A: too noisy. ${found}: it decides only what is larger than that, not ${limit}`
        : `A/A: no change. ${found}: within ${limit}`
    }
  })
}

/** Cases that became slower or faster during the run. */
export const drifts = (report: Report): ReadonlyArray<string> =>
  BenchmarkReport.rows(report).flatMap(({ drift, name }) =>
    Option.match(drift, {
      onNone: () => [],
      onSome: ({ z }) =>
        Math.abs(z) < CLEAR_DRIFT ? [] : [`${name} became ${z > 0 ? "slower" : "faster"} during the run`]
    })
  )

const UNITS = { cpu: "CPU time of the process, its collector included", latency: "time of each operation on the clock" }

export const measured = ({ mode }: Report): string => UNITS[mode]

/** The machine in one line. */
export const machine = ({ machine: { cores, cpu, load, runtime } }: Report): string =>
  [runtime, `${cores} × ${cpu}`, ...(load === undefined ? [] : [`load ${load.toFixed(1)}`])].join(" · ")

/** The names of figures that any case has, in order of appearance. */
export const figureNames = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  ...new Set(rows.flatMap(({ figures }) => figures.map(({ name }) => name)))
]

export const figure = (row: Row, name: string): string => {
  const found = row.figures.find((figure) => figure.name === name)
  if (found === undefined) return NONE
  return found.unit === "µs" ? time(found.value) : `${digits(found.value)} ${found.unit}`.trim()
}

/** A name that fits beside a picture. */
export const shortened = (name: string): string => (name.length > 26 ? `${name.slice(0, 25)}…` : name)
