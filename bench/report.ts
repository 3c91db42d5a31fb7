/**
 * Handles the reports of a benchmark: prints them, writes a page, compares them with the last run, and sets the exit
 * code.
 *
 *     [--json] [--html FILE] [--compare] [--assert]
 *
 * Every run is stored in `node_modules/.cache/pod-bench/history`. `--compare` prints the changes since the last run;
 * the page always shows them. `--assert` ends with code 1 if a case failed or became slower, or if a target was missed,
 * and with code 2 if the machine was too noisy for a verdict.
 */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BenchmarkHistory from "../services/BenchmarkHistory.js"
import * as BenchmarkPage from "../src/observe/BenchmarkPage.js"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import type { Change, Report } from "../src/observe/BenchmarkReport.js"
import type { Target } from "../src/observe/BenchmarkTarget.js"
import * as BenchmarkTarget from "../src/observe/BenchmarkTarget.js"
import * as BenchmarkText from "../src/observe/BenchmarkText.js"

export interface Flags {
  readonly json: boolean
  readonly html: string | undefined
  readonly compare: boolean
  readonly assert: boolean
  /** The arguments that are not flags: names of cases or groups to measure. */
  readonly names: ReadonlyArray<string>
}

/** Reads the common flags of all benchmarks. Other flags are ignored. */
export const flagsOf = (args: ReadonlyArray<string>): Flags => {
  const { positionals, values } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      html: { type: "string" },
      compare: { type: "boolean" },
      assert: { type: "boolean" }
    }
  })
  return {
    json: values["json"] === true,
    html: typeof values["html"] === "string" ? values["html"] : undefined,
    compare: values["compare"] === true,
    assert: values["assert"] === true,
    names: positionals
  }
}

const ROOT = process.env["BENCH_ROOT"] ?? path.resolve(import.meta.dirname, "..")

const history = BenchmarkHistory.layerFileSystem(path.join(ROOT, "node_modules/.cache/pod-bench/history")).pipe(
  Layer.provide(NodeFileSystem.layer)
)

/** The commit that is measured, if this is a clone. */
const commit = (): string | undefined => {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim()
  } catch {
    return undefined
  }
}

const failsBy = (report: Report, changes: ReadonlyArray<Change>): 0 | 1 | 2 => {
  const isWorse = changes.some(({ verdict }) => verdict._tag === "Slower")
  if (isWorse || report.cases.some(({ failure }) => failure !== undefined)) return 1
  return BenchmarkReport.isTooNoisy(report) ? 2 : 0
}

/** Results of a benchmark other than reports. */
export interface Beside {
  readonly targets?: ReadonlyArray<Target>
  readonly [figure: string]: unknown
}

/** A report with the earlier ones of its name. A damaged history is reported, and does not fail the run. */
const withEarlier = (report: Report) =>
  Effect.gen(function* () {
    const { all } = yield* BenchmarkHistory.BenchmarkHistory
    const kept = yield* Effect.catchAll(all(report.name), (error) => Effect.as(Effect.logWarning(error.message), []))
    return { report, earlier: kept.filter(({ at }) => at < report.at) }
  })

/** Writes the page of stored reports. */
export const writePage = (file: string, reports: ReadonlyArray<Report>, targets?: ReadonlyArray<Target>) =>
  Effect.gen(function* () {
    const parts = yield* Effect.forEach(reports, withEarlier)
    yield* Effect.sync(() => {
      writeFileSync(file, BenchmarkPage.html({ title: "PoD Protocol benchmarks", targets, parts }))
      console.error(`written: ${path.resolve(file)}`)
    })
  }).pipe(Effect.provide(history), Effect.runPromise)

const changesOf = ({ earlier, report }: { readonly report: Report; readonly earlier: ReadonlyArray<Report> }) => {
  const then = earlier.at(-1)
  return then === undefined ? [] : BenchmarkReport.compare(report, then)
}

/**
 * Stores the reports, and prints, writes and judges them by the flags. `beside` has other results: with it, the JSON is
 * an object with the field `reports`.
 */
export const finish = async (measured: ReadonlyArray<Report>, flags: Flags, beside?: Beside): Promise<void> => {
  const of = commit()
  const reports = of === undefined ? measured : measured.map((report) => ({ ...report, of }))
  const { targets = [] } = beside ?? {}
  const parts = await Effect.gen(function* () {
    const { add } = yield* BenchmarkHistory.BenchmarkHistory
    const parts = yield* Effect.forEach(reports, withEarlier)
    for (const report of reports) yield* Effect.catchAll(add(report), (error) => Effect.logWarning(error.message))
    return parts
  }).pipe(Effect.provide(history), Effect.runPromise)
  if (flags.json) {
    const json = BenchmarkText.json(reports)
    console.log(beside === undefined ? json : JSON.stringify({ ...beside, reports: JSON.parse(json) as unknown }))
  } else {
    if (targets.length > 0) console.log(BenchmarkText.targets(targets))
    for (const part of parts) console.log(BenchmarkText.markdown(part.report, flags.compare ? changesOf(part) : []))
  }
  if (flags.html !== undefined) await writePage(flags.html, reports, targets)
  if (flags.assert)
    process.exitCode = Math.max(
      Number(process.exitCode ?? 0),
      targets.some((target) => BenchmarkTarget.outcome(target) === "Missed") ? 1 : 0,
      ...parts.map((part) => failsBy(part.report, changesOf(part)))
    )
}
