/**
 * Writes the published parts of the stored benchmark run: the page, the tables of the README, and the targets of `docs/guide.md`. All
 * follow from `docs/benchmark-report.json`, which a run writes:
 *
 *     npm run -s bench -- sdks guide --json > docs/benchmark-report.json
 *     npx tsx scripts/benchmarks.ts
 */
import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import * as BenchmarkPage from "../src/observe/BenchmarkPage.js"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import type { Report } from "../src/observe/BenchmarkReport.js"
import * as BenchmarkTarget from "../src/observe/BenchmarkTarget.js"
import * as BenchmarkText from "../src/observe/BenchmarkText.js"
import { root } from "./publicModules.js"

const Stored = Schema.parseJson(
  Schema.Struct({
    sdks: Schema.Array(BenchmarkReport.Report),
    guide: Schema.Struct({
      targets: Schema.Array(BenchmarkTarget.Target),
      reports: Schema.Array(BenchmarkReport.Report)
    })
  })
)

const read = (file: string): string => readFileSync(path.join(root, file), "utf8")

const SHOWN = ["case", "mean (95 %)", "median", "P95", "throughput"]

/** The guide's columns of a report's table. */
const table = (report: Report): string => {
  const rows = BenchmarkText.markdown(report)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "))
  const columns = SHOWN.map((title) => rows[0]?.indexOf(title) ?? -1)
  return rows.map((row) => `| ${columns.map((column) => row[column] ?? "").join(" | ")} |`).join("\n")
}

const count = (report: Report | undefined): string =>
  (report?.cases.find(({ name }) => name === report.base)?.operations ?? 0).toLocaleString("en")

/** The machine's line and the A/A verdicts of reports. */
const about = (reports: ReadonlyArray<Report>): ReadonlyArray<string> => {
  const [first] = reports
  if (first === undefined) return []
  const { cores, cpu, load, runtime } = first.machine
  const day = new Date(first.at).toISOString().slice(0, 10)
  const busy = load === undefined ? "" : `, load ${load.toFixed(1)}`
  return [
    `${day}, commit ${first.of ?? "unknown"}: ${runtime} on ${cores} × ${cpu}${busy}.`,
    ...reports.map((report) => {
      const control = BenchmarkText.markdown(report)
        .split("\n")
        .find((line) => line.startsWith("- A/A"))
      return `${report.name}, ${control?.slice(2) ?? "A/A: not measured"}.`
    })
  ]
}

const between = (text: string, name: string, content: string): string =>
  text.replace(
    new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, open: string, close: string) => `${open}\n\n${content}\n\n${close}`
  )

/** The files that this script writes, by path from the root, and their contents. */
export const generated = (): ReadonlyMap<string, string> => {
  const { guide, sdks } = Schema.decodeUnknownSync(Stored)(read("docs/benchmark-report.json"))
  const [register, send] = sdks
  const tables = [
    `Agent registration (${count(register)} operations):`,
    ...sdks.slice(0, 1).map(table),
    `Message send (${count(send)} operations):`,
    ...sdks.slice(1, 2).map(table),
    about(sdks).join(" ")
  ]
  return new Map([
    [
      "docs/benchmark-report.html",
      BenchmarkPage.html({
        title: "PoD Protocol benchmarks",
        targets: guide.targets,
        parts: [...sdks, ...guide.reports].map((report) => ({ report }))
      })
    ],
    ["README.md", between(read("README.md"), "benchmarks", tables.join("\n\n"))],
    [
      "docs/guide.md",
      between(
        read("docs/guide.md"),
        "targets",
        [BenchmarkText.targets(guide.targets).trimEnd(), about(guide.reports.slice(0, 1)).join(" ")].join("\n\n")
      )
    ]
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of generated()) writeFileSync(path.join(root, file), text)
}
