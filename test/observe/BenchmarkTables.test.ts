import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as BenchmarkPage from "../../src/observe/BenchmarkPage.js"
import type { Report } from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkTarget from "../../src/observe/BenchmarkTarget.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"
import { reportOf, sdks } from "../support/benchmarks.js"

const Estimate = Schema.Struct({ value: Schema.Number, low: Schema.Number, high: Schema.Number })

const Written = Schema.Struct({
  rows: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      mean: Estimate,
      median: Schema.Number,
      p95: Schema.NullOr(Schema.Number),
      throughput: Schema.Number,
      ratio: Schema.NullOr(Estimate),
      verdict: Schema.NullOr(Schema.Struct({ _tag: Schema.String }))
    })
  )
})

const read = Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Written)))

/** The cells of the tables of a page, row by row. */
const rowsOf = (html: string): ReadonlyArray<ReadonlyArray<string>> =>
  [...html.matchAll(/<tr[^>]*>(<td>.*?)<\/tr>/g)].map(([, cells = ""]) =>
    [...cells.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell = ""]) => cell.replaceAll(/<[^>]*>/g, ""))
  )

const UNITS: Readonly<Record<string, number>> = { ns: 1e-3, µs: 1, ms: 1e3, s: 1e6 }

const numberOf = (text = ""): number => Number(text.replaceAll(",", ""))

/** `93.0 ms 90.1 – 95.2` in microseconds. */
const timesOf = (cell: string) => {
  const [, value, unit = "", , low, high] = /^(\S+) (\S+)( (\S+) – (\S+))?$/.exec(cell) ?? []
  const of = (text?: string) => numberOf(text) * (UNITS[unit] ?? Number.NaN)
  return { value: of(value), low: of(low), high: of(high) }
}

/** Cells show three figures. */
const shows = (shown: number, value: number) => expect(Math.abs(shown / value - 1)).toBeLessThan(0.006)

const showsEstimate = (shown: typeof Estimate.Type, estimate: typeof Estimate.Type) => {
  shows(shown.value, estimate.value)
  shows(shown.low, estimate.low)
  shows(shown.high, estimate.high)
}

const compare = (report: Report) => {
  const [written] = read(BenchmarkText.json([report]))
  const shown = rowsOf(BenchmarkPage.html({ title: "t", parts: [{ report }] }))
  expect(shown.length).toBe(written?.rows.length)
  for (const [index, row] of (written?.rows ?? []).entries()) {
    const [name = "", mean = "", median = "", p95 = "", throughput = "", ratio = "", verdict] = shown[index] ?? []
    expect(name.replace(" (A/A)", "")).toBe(row.name)
    expect(row.mean.low).toBeLessThan(row.mean.value)
    expect(row.mean.high).toBeGreaterThan(row.mean.value)
    showsEstimate(timesOf(mean), row.mean)
    shows(timesOf(median).value, row.median)
    if (row.p95 === null) expect(p95).toBe("needs 200")
    else shows(timesOf(p95).value, row.p95)
    shows(numberOf(throughput.replace("/s", "")), row.throughput)
    if (row.ratio === null) expect([ratio, verdict]).toEqual(["1", "base"])
    else {
      const [value, low, , high] = ratio.split(" ")
      showsEstimate({ value: numberOf(value), low: numberOf(low), high: numberOf(high) }, row.ratio)
      expect(verdict?.replaceAll(" ", "").toLowerCase()).toContain(row.verdict?._tag.toLowerCase())
    }
  }
}

const target = (value: number, low: number, high: number, below: number) =>
  BenchmarkTarget.make("Message Send", { value, low, high }, { below, unit: "ms", note: "confirmed" })

describe("tables of a page", () => {
  it("Given reports of both modes, When page and JSON are written, Then each row has the same numbers, with an interval", () => {
    compare(reportOf(1, "latency", sdks))
    compare(reportOf(2, "cpu", sdks))
  })

  it("Given the A/A row, When the page is written, Then its verdict comes before the table", () => {
    const html = BenchmarkPage.html({ title: "t", parts: [{ report: reportOf(1, "latency", sdks) }] })
    expect(html.indexOf("A/A: ")).toBeGreaterThan(-1)
    expect(html.indexOf("A/A: ")).toBeLessThan(html.indexOf("<table"))
  })

  it("Given targets, When their interval is below, above or around the bound, Then they are met, missed or undecided", () => {
    const targets = [target(8, 7, 9, 10), target(12, 11, 13, 10), target(10, 9, 11, 10), target(9, 8, 10, 10)]
    expect(targets.map(BenchmarkTarget.outcome)).toEqual(["Met", "Missed", "Undecided", "Undecided"])
    const html = BenchmarkPage.html({ title: "t", targets, parts: [] })
    expect(rowsOf(html)[0]).toEqual(["Message Send", "10.0 ms", "8.00 ms 7.00 – 9.00", "met", "confirmed"])
    expect(BenchmarkText.targets(targets)).toContain(
      "| Message Send | 10.0 ms | 12.0 ms (11.0 – 13.0) | missed | confirmed |"
    )
  })

  it("Given a target with markup, When it is shown, Then it is text", () => {
    const hostile = "<b>|`x`"
    const targets = [BenchmarkTarget.make(hostile, { value: 1, low: 1, high: 1 }, { below: 2, unit: hostile })]
    expect(BenchmarkPage.html({ title: "t", targets, parts: [] })).not.toContain("<b>")
    expect(BenchmarkText.targets(targets)).not.toMatch(/[^\\]<b>/)
  })
})
