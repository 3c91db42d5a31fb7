/**
 * How far the verdicts can be trusted on this machine: runs of unchanged code and of the same code with 5 % more work, 20 of
 * each. At most one of the first should be called a change, and 18 of the second should be found.
 *
 *     npm run -s bench -- verdicts [--json]
 */
import * as Option from "effect/Option"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import { measure } from "./harness.js"

const RUNS = 20

/** Steps of the base; the planted change does a twentieth more. */
const STEPS = 4000

/** Closures of one function share its compiled code, so each case has the same. */
const work = (steps: number) => (): number => {
  let sum = 1
  for (let index = 0; index < steps; index++) sum = (Math.imul(sum, 31) + index) | 0
  return sum
}

const verdictOf = (report: BenchmarkReport.Report, name: string): string =>
  BenchmarkReport.rows(report)
    .filter((row) => row.name === name && !row.isControl)
    .map(({ verdict }) => Option.match(verdict, { onNone: () => "none", onSome: ({ _tag }) => _tag }))[0] ?? "none"

const tally = (verdicts: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  verdicts.reduce<Record<string, number>>((counts, verdict) => {
    counts[verdict] = (counts[verdict] ?? 0) + 1
    return counts
  }, {})

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const reports: Array<BenchmarkReport.Report> = []
  for (let nth = 0; nth < RUNS; nth++) {
    reports.push(
      await measure("verdicts", [
        { name: "base", run: work(STEPS) },
        { name: "unchanged", run: work(STEPS) },
        { name: "5 % more", run: work(STEPS * 1.05) }
      ])
    )
  }
  const found = {
    unchanged: tally(reports.map((report) => verdictOf(report, "unchanged"))),
    "5 % more": tally(reports.map((report) => verdictOf(report, "5 % more"))),
    "runs too noisy by their A/A": reports.filter(BenchmarkReport.isTooNoisy).length
  }
  console.log(args.includes("--json") ? JSON.stringify(found) : found)
}
