/** The goals of the hot path, computed from the reports of its cases. */
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type { Report } from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkTarget from "../../src/observe/BenchmarkTarget.js"
import * as Statistics from "../../src/observe/Statistics.js"
import { type Contender, titles } from "./cases.js"

interface Goal {
  readonly name: string
  /** The title of the case. */
  readonly title: string
  readonly of: Contender
  /** The contender to divide by. Without it, the figure is in microseconds. */
  readonly by?: Contender
  readonly below: number
}

const GOALS: ReadonlyArray<Goal> = [
  { name: "build and sign, to the floor", title: titles.buildAndSign, of: "ours", by: "floor", below: 1.25 },
  { name: "traced, to untraced", title: titles.buildAndSign, of: "oursTraced", by: "ours", below: 1.5 },
  { name: "with sodium, to the client in Rust", title: titles.buildAndSign, of: "sodium", by: "rust", below: 1.2 },
  { name: "packed by eight, to the packed floor", title: titles.packed, of: "ours", by: "floor", below: 1.5 },
  { name: "packed, with sodium, to packed Rust", title: titles.packed, of: "sodium", by: "rust", below: 0.9 },
  { name: "getMultipleAccounts, to JSON.parse", title: titles.multiple, of: "ours", by: "floor", below: 1.6 },
  { name: "getProgramAccounts, to JSON.parse", title: titles.program, of: "ours", by: "floor", below: 1.6 },
  { name: "a refused call's error", title: titles.refused, of: "ours", below: 3 },
  { name: "an undecodable account's error", title: titles.undecodable, of: "ours", below: 3 },
  { name: "end to end, to the floor", title: titles.endToEnd, of: "ours", by: "floor", below: 1.6 },
  { name: "end to end, to Kit", title: titles.endToEnd, of: "ours", by: "kit", below: 1 / 15 },
  { name: "end to end, to the npm SDK", title: titles.endToEnd, of: "ours", by: "pod", below: 1 / 40 }
]

/** Microseconds of an operation in each round. */
const roundsOf = ({ cases }: Report, name: Contender): ReadonlyArray<number> =>
  cases.find((one) => one.name === name && !one.isControl)?.rounds[0] ?? []

const figuresOf = (report: Report, { by, of }: Goal): ReadonlyArray<number> =>
  by === undefined
    ? roundsOf(report, of)
    : Arr.zipWith(roundsOf(report, of), roundsOf(report, by), (micros, base) => micros / base)

const targetOf = (report: Report, goal: Goal): Option.Option<BenchmarkTarget.Target> =>
  Option.map(
    Statistics.bootstrap(figuresOf(report, goal), (all) => Option.getOrElse(Statistics.median(all), () => Number.NaN), {
      random: Statistics.seeded(1)
    }),
    (found) =>
      BenchmarkTarget.make(goal.name, found, { below: goal.below, unit: goal.by === undefined ? "µs of CPU" : "×" })
  )

/** The goals that the report decides. */
export const of = (report: Report): ReadonlyArray<BenchmarkTarget.Target> =>
  Arr.filterMap(GOALS, (goal) => (goal.title === report.name ? targetOf(report, goal) : Option.none()))
