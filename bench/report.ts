/**
 * What a benchmark does with its reports: it prints them, writes a page, compares them with the last run, and fails.
 *
 *     [--json] [--html FILE] [--compare] [--assert]
 *
 * Every run is kept in `node_modules/.cache/pod-bench/history`. `--compare` prints what changed since the last run, and the
 * page shows it in any case. `--assert` ends with code 1 where a case failed or became slower, and with code 2 where the
 * machine was too noisy to tell.
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
import * as BenchmarkText from "../src/observe/BenchmarkText.js"

export interface Flags {
  readonly json: boolean
  readonly html: string | undefined
  readonly compare: boolean
  readonly assert: boolean
  /** The words that are no flags: names of what to measure. */
  readonly names: ReadonlyArray<string>
}

/** Reads the flags that all benchmarks have. Flags of a benchmark of its own are ignored. */
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

/**
 * Keeps the reports, and prints, writes and judges them as the flags say. `beside` is what else was measured: JSON then is an
 * object with the `reports` among its fields.
 */
export const finish = (reports: ReadonlyArray<Report>, flags: Flags, beside?: object): Promise<void> =>
  Effect.gen(function* () {
    const of = commit()
    const kept = yield* BenchmarkHistory.BenchmarkHistory
    const parts = yield* Effect.forEach(reports, (measured) =>
      Effect.gen(function* () {
        const report = of === undefined ? measured : { ...measured, of }
        // A damaged history is told, and does not cost the run
        const earlier = yield* Effect.catchAll(kept.all(report.name), (error) =>
          Effect.as(Effect.logWarning(error.message), [])
        )
        yield* Effect.catchAll(kept.add(report), (error) => Effect.logWarning(error.message))
        const then = earlier.at(-1)
        return { report, earlier, changes: then === undefined ? [] : BenchmarkReport.compare(report, then) }
      })
    )
    yield* Effect.sync(() => {
      const json = BenchmarkText.json(parts.map(({ report }) => report))
      if (flags.json)
        console.log(beside === undefined ? json : JSON.stringify({ ...beside, reports: JSON.parse(json) as unknown }))
      else
        for (const { changes, report } of parts)
          console.log(BenchmarkText.markdown(report, flags.compare ? changes : []))
      if (flags.html !== undefined) {
        writeFileSync(flags.html, BenchmarkPage.html({ title: "PoD Protocol benchmarks", parts }))
        console.error(`written: ${path.resolve(flags.html)}`)
      }
      if (flags.assert)
        process.exitCode = Math.max(
          Number(process.exitCode ?? 0),
          ...parts.map(({ changes, report }) => failsBy(report, changes))
        )
    })
  }).pipe(Effect.provide(history), Effect.runPromise)
