/**
 * Runs benchmarks one after another, each in its own process, so that the compiled code and the memory of one do not
 * affect the next. A failed benchmark is reported, and the others continue.
 *
 * With `--json` it prints an object with the JSON of each by its name. With `--html FILE` it writes one page of all reports.
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import * as BenchmarkTarget from "../src/observe/BenchmarkTarget.js"
import * as BenchmarkText from "../src/observe/BenchmarkText.js"
import { flagsOf, writePage } from "./report.js"

/** Removes `--html` with its value. */
const withoutPage = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = args.indexOf("--html")
  return at === -1 ? args : args.filter((_, index) => index !== at && index !== at + 1)
}

/** The standard output of a process, and its exit code. The output is passed through unless it is collected. */
const execute = (
  args: ReadonlyArray<string>,
  isKept: boolean
): Promise<{ readonly output: string; readonly code: number }> =>
  new Promise((resolve, reject) => {
    const main = fileURLToPath(new URL("main.ts", import.meta.url))
    const child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
      stdio: ["ignore", isKept ? "pipe" : "inherit", "inherit"]
    })
    const chunks: Array<Buffer> = []
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.once("error", reject)
    child.once("close", (code) => resolve({ output: Buffer.concat(chunks).toString(), code: code ?? 1 }))
  })

const parsed = Schema.decodeUnknownOption(Schema.parseJson())

/** A benchmark writes its reports, or an object that contains them and other figures. */
const Written = Schema.Union(
  Schema.Array(BenchmarkReport.Report),
  Schema.Struct({
    reports: Schema.Array(BenchmarkReport.Report),
    targets: Schema.optionalWith(Schema.Array(BenchmarkTarget.Target), { default: () => [] })
  })
)

const decode = Schema.decodeUnknownEither(Written)

/** The reports and targets of an output. A benchmark without times has none. */
const measuredOf = (output: unknown) =>
  Either.match(decode(output), {
    onLeft: () => ({ reports: [], targets: [] }),
    onRight: (written) => ("reports" in written ? written : { reports: written, targets: [] })
  })

/** The output of a benchmark without `--json`, except figures that only the benchmark can format. */
const textOf = (written: unknown, output: string): string => {
  const { reports, targets } = measuredOf(written)
  if (reports.length === 0) return output
  const tables = targets.length === 0 ? [] : [BenchmarkText.targets(targets)]
  return [...tables, ...reports.map((report) => BenchmarkText.markdown(report))].join("\n")
}

/** Runs benchmarks with their arguments. `args` are common to all. */
export const run = async (
  benchmarks: ReadonlyMap<string, ReadonlyArray<string>>,
  args: ReadonlyArray<string>
): Promise<void> => {
  const { html, json } = flagsOf(args)
  const isKept = json || html !== undefined
  const outputs: Record<string, unknown> = {}
  const failed: Array<string> = []
  const started = performance.now()
  for (const [name, own] of benchmarks) {
    const start = performance.now()
    const { code, output } = await execute([name, ...withoutPage(own), ...(isKept && !json ? ["--json"] : [])], isKept)
    if (code !== 0) failed.push(`${name} (code ${code})`)
    if (isKept) outputs[name] = Option.getOrUndefined(parsed(output))
    if (isKept && !json) console.log(textOf(outputs[name], output))
    console.error(`${name}: ${Math.round((performance.now() - start) / 1000)} s`)
  }
  if (json) console.log(JSON.stringify(outputs))
  if (html !== undefined) {
    const measured = Object.values(outputs).map(measuredOf)
    await writePage(
      html,
      measured.flatMap(({ reports }) => reports),
      measured.flatMap(({ targets }) => targets)
    )
  }
  console.error(`all: ${Math.round((performance.now() - started) / 60_000)} min`)
  if (failed.length > 0) {
    console.error(`failed: ${failed.join(", ")}`)
    process.exitCode = 1
  }
}
