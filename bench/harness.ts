/**
 * The benchmarks' short form of `Benchmark`: cases that are functions, measured in this process, in mode `cpu`.
 */

import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as StopwatchNode from "../layers/StopwatchNode.js"
import * as Benchmark from "../services/Benchmark.js"
import * as BenchmarkReport from "../src/observe/BenchmarkReport.js"
import * as Statistics from "../src/observe/Statistics.js"

/** The result of a measurement. */
export type Report = BenchmarkReport.Report

/** The work of a contender. */
export type Work = {
  /** Operations in one call. Times are per operation. Default 1. */
  readonly operations?: number
} & (
  | {
      /** One call. A promise is awaited before the next call. The result is kept, so that it is not optimised away. */
      readonly run: (iteration: number) => unknown
    }
  | {
      /** For work in another process: the milliseconds of CPU that a number of calls took. */
      readonly time: (calls: number) => Promise<number>
    }
)

/** One contender. */
export type Case = Work & { readonly name: string }

/** How long to measure. */
export interface Options {
  /** Name of the case that ratios are relative to. Default: the first. */
  readonly base?: string
  /** Number of rounds. Too few: noisy medians. Too many: a long run. Default 21. */
  readonly rounds?: number
  /** Milliseconds of CPU of a case in one round. Below 2: timer noise. Above 50: the machine changes within a round. Default 12. */
  readonly roundMillis?: number
  /** Milliseconds of warm-up of each case, in which the compiler optimises it. Default 150. */
  readonly warmMillis?: number
}

/** Keeps results alive. */
let sink: unknown

/** Milliseconds of CPU of the calls. Other processes do not count. */
export const repeat = async (work: Work, times: number): Promise<number> => {
  if ("time" in work) return work.time(times)
  const started = process.cpuUsage()
  for (let i = 0; i < times; i++) {
    sink = work.run(i)
    if (sink instanceof Promise) await sink
  }
  const { system, user } = process.cpuUsage(started)
  return Math.max(0.001, (system + user) / 1000)
}

const caseOf = (contender: Case) => {
  const { operations } = contender
  if ("run" in contender) return Benchmark.call(contender.run, { operations })
  const cpu = (calls: number) =>
    Effect.map(
      Effect.tryPromise({ try: () => contender.time(calls), catch: (cause) => cause }),
      (millis) => millis * 1000
    )
  return Benchmark.remote(Effect.succeed({ cpu }), { operations })
}

/** Measures the cases against each other, and the base against itself. */
export const measure = (
  title: string,
  cases: ReadonlyArray<Case>,
  { base = cases[0]?.name ?? "", roundMillis = 12, rounds = 21, warmMillis = 150 }: Options = {}
): Promise<Report> =>
  Benchmark.run(
    { name: title, base, cases: cases.map((contender) => [contender.name, caseOf(contender)] as const) },
    { rounds, maxRounds: 2 * rounds, roundTime: roundMillis, warmUp: warmMillis, timeout: "10 minutes" }
  ).pipe(Effect.provide(StopwatchNode.layer), Effect.runPromise)

/** The middle of the values. */
export const median = (values: ReadonlyArray<number>): number =>
  Option.getOrElse(Statistics.median(values), () => Number.NaN)

const rowOf = (report: Report, name: string): BenchmarkReport.Row | undefined =>
  BenchmarkReport.rows(report).find((row) => row.name === name && !row.isControl)

/** The median of a case's rounds, in microseconds an operation. */
export const microsOf = (report: Report, name: string): number =>
  Option.match(
    Option.flatMap(Option.fromNullable(rowOf(report, name)), ({ micros }) => micros),
    {
      onNone: () => Number.NaN,
      onSome: ({ value }) => value
    }
  )

/** A case's time divided by the base's time. */
export const ratioOf = (report: Report, name: string): number => median(BenchmarkReport.ratios(report, name))

/** The main thread's CPU time, if Linux reports it. */
const SCHEDULED = `/proc/self/task/${process.pid}/schedstat`

/** Milliseconds of CPU of the event loop's thread. Without Linux: of all threads of the process. */
const loopMillis = (): number => {
  if (process.platform === "linux") return Number(readFileSync(SCHEDULED, "latin1").split(" ", 1)[0]) / 1e6
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** Milliseconds of CPU of the longest turn of the event loop during a call. No other work can run during a turn. */
export const longestTurnOf = async (run: () => unknown): Promise<number> => {
  let worst = 0
  let isOver = false
  let last = loopMillis()
  const look = (): void => {
    const now = loopMillis()
    worst = Math.max(worst, now - last)
    last = loopMillis()
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  sink = await run()
  isOver = true
  await new Promise(setImmediate)
  return worst
}

/** The median of {@link longestTurnOf} over some calls. */
export const longestTurn = async (run: (iteration: number) => unknown, calls = 21): Promise<number> => {
  const longest: Array<number> = []
  for (let call = 0; call < calls; call++) longest.push(await longestTurnOf(() => run(call)))
  return median(longest)
}
