/**
 * Tests the verdicts on this machine, by 20 runs of unchanged code and 20 of the same code with 5 % more work. Of the
 * unchanged runs, at most one should be judged a change. Of the others, at least 18 should be judged slower. A run has
 * several processes, one after another; each is an independent trial.
 *
 *     npm run -s bench -- verdicts [--runs 20] [--processes 5] [--json]
 */
import { parseArgs } from "node:util"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Command from "@effect/platform/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Benchmark from "../services/Benchmark.js"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import { compiled } from "./compiled.js"

const verdictOf = (report: BenchmarkReport.Report, name: string): string =>
  BenchmarkReport.rows(report)
    .filter((row) => row.name === name && !row.isControl)
    .map(({ verdict }) => Option.match(verdict, { onNone: () => "none", onSome: ({ _tag }) => _tag }))[0] ?? "none"

const tally = (verdicts: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  verdicts.reduce<Record<string, number>>((counts, verdict) => {
    counts[verdict] = (counts[verdict] ?? 0) + 1
    return counts
  }, {})

const percent = (ratio: number): number => Math.round((ratio - 1) * 1000) / 10

/** The interval of each ratio, in percent of change. */
const intervalsOf = (report: BenchmarkReport.Report) =>
  Object.fromEntries(
    BenchmarkReport.rows(report).flatMap(({ isControl, name, ratio }) =>
      Option.toArray(ratio).map(({ high, low }) => [isControl ? "A/A" : name, `${percent(low)} – ${percent(high)} %`])
    )
  )

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: { runs: { type: "string", default: "20" }, processes: { type: "string", default: "5" } }
  })
  const file = await compiled("verdicts/process.ts")
  const one = Benchmark.command(Command.make(process.execPath, file))
  const reports: Array<BenchmarkReport.Report> = []
  for (let nth = 0; nth < Number(values.runs); nth++) {
    const report = await Benchmark.processes(Number(values.processes), () => one).pipe(
      Effect.provide(NodeContext.layer),
      Effect.runPromise
    )
    reports.push(report)
    console.error(`run ${nth + 1}: ${JSON.stringify(intervalsOf(report))}`)
  }
  const found = {
    unchanged: tally(reports.map((report) => verdictOf(report, "unchanged"))),
    "5 % more": tally(reports.map((report) => verdictOf(report, "5 % more"))),
    "runs too noisy by their A/A": reports.filter(BenchmarkReport.isTooNoisy).length,
    "load at the end": reports.at(-1)?.machine.load
  }
  console.log(args.includes("--json") ? JSON.stringify(found) : found)
}
