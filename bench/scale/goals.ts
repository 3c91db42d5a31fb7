/** The targets for threads, computed from the reports that measure them. */
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type { Report } from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkTarget from "../../src/observe/BenchmarkTarget.js"
import * as Statistics from "../../src/observe/Statistics.js"

/** Microseconds of an operation in each round. */
const roundsOf = ({ cases }: Report, name: string): ReadonlyArray<number> =>
  cases.find((one) => one.name === name && !one.isControl)?.rounds.flat() ?? []

const estimate = (values: ReadonlyArray<number>) =>
  Statistics.bootstrap(values, (all) => Option.getOrElse(Statistics.median(all), () => Number.NaN), {
    random: Statistics.seeded(1)
  })

const target = (name: string, values: ReadonlyArray<number>, below: number, unit: string, note?: string) =>
  Option.toArray(Option.map(estimate(values), (found) => BenchmarkTarget.make(name, found, { below, unit, note })))

/** The overhead of a task: its CPU time without its work, in microseconds and as a ratio to piscina's. */
export const ofTasks = (report: Report): ReadonlyArray<BenchmarkTarget.Target> => {
  const work = roundsOf(report, "on this thread")
  const over = (name: string) => Arr.zipWith(roundsOf(report, name), work, (all, work) => all - work)
  const own = over("WorkerPoolThreads")
  return [
    ...target("a task over its work", own, 15, "µs", "CPU of the process"),
    ...target(
      "a batch's task over its work",
      over("WorkerPoolThreads.map"),
      15,
      "µs",
      "CPU of the process; the inputs of a call go to the threads in chunks"
    ),
    ...target(
      "a task over its work, to piscina's",
      Arr.zipWith(own, over("piscina"), (own, theirs) => own / theirs),
      0.15,
      "×"
    )
  ]
}

/** The time to sign a batch on threads, as a ratio to one thread, and that of threads without a pool. */
export const ofSignatures = (report: Report): ReadonlyArray<BenchmarkTarget.Target> => {
  const ratio = (name: string) =>
    Arr.zipWith(roundsOf(report, name), roundsOf(report, "on this thread"), (own, base) => own / base)
  return [
    ...target("time of 1,000 signatures, to one thread's", ratio("WalletThreads"), 1 / 1.8, "×"),
    ...target(
      "the same on threads without a pool",
      ratio("threads without a pool"),
      1 / 1.8,
      "×",
      "what the machine allows: if it misses, its cores are not two"
    )
  ]
}
