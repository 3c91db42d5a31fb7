/** Runs the cases of the hot path, each contender in its own process, and prints the tables and the goals. */
import type { Target } from "../../src/observe/BenchmarkTarget.js"
import * as BenchmarkTarget from "../../src/observe/BenchmarkTarget.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"
import { type Case, longestTurn, measure, median, microsOf, type Report } from "../harness.js"
import * as Apart from "./apart.js"
import { type Contender, type Group, groups } from "./cases.js"
import * as Goals from "./goals.js"

const CONTENDERS: ReadonlyArray<Contender> = [
  "floor",
  "ours",
  "oursTraced",
  "sodium",
  "sodiumTraced",
  "rust",
  "kit",
  "web3js",
  "anchor",
  "pod"
]

const json = process.argv.includes("--json")
const names = process.argv.slice(2).filter((word) => word !== "--json")

const turnsOf = async (cases: ReadonlyArray<Case>) => {
  const longest: Record<string, number | undefined> = {}
  for (const each of cases) if ("run" in each) longest[each.name] = round(await longestTurn(each.run))
  return longest
}

const casesOf = async (group: Group): Promise<ReadonlyArray<Case>> => {
  const { contenders, isApart = false } = group
  const started = (await group.start?.()) ?? ""
  const cases: Array<Case> = []
  for (const name of CONTENDERS) {
    if (contenders[name] === undefined) continue
    const work = isApart ? await Apart.start(group, name, started) : await contenders[name]?.(started)
    if (work !== undefined) cases.push({ name, ...work })
  }
  return cases
}

const measured = async (group: Group) => {
  const cases = await casesOf(group)
  const report = await measure(group.title, cases, { base: "floor", ...group.options })
  Apart.stop()
  return {
    row: { ...row(report), ...(group.turns === true ? { longestTurnMillis: await turnsOf(cases) } : {}) },
    goals: Goals.of(report)
  }
}

const round = (value: number | undefined): number | undefined =>
  value === undefined || !Number.isFinite(value) ? undefined : Number(value.toPrecision(3))

const roundsOf = (report: Report, name: Contender): ReadonlyArray<number> =>
  report.cases.find((one) => one.name === name && !one.isControl)?.rounds[0] ?? []

const row = (report: Report) => {
  const ratio = (name: Contender, base: Contender) => {
    const ofBase = roundsOf(report, base)
    return round(median(roundsOf(report, name).map((micros, nth) => micros / (ofBase[nth] ?? Number.NaN))))
  }
  return {
    case: report.name,
    unit: "µs of CPU",
    ...Object.fromEntries(CONTENDERS.map((name) => [name, round(microsOf(report, name))])),
    ratioToFloor: ratio("ours", "floor"),
    ratioToFloorTraced: ratio("oursTraced", "floor"),
    ratioToKit: ratio("ours", "kit"),
    sodiumToRust: ratio("sodium", "rust"),
    sodiumTracedToRust: ratio("sodiumTraced", "rust")
  }
}

const main = async (): Promise<void> => {
  const rows: Array<object> = []
  const goals: Array<Target> = []
  for (const group of groups) {
    if (names.length > 0 && !names.some((name) => group.title.includes(name))) continue
    const result = await measured(group)
    rows.push(result.row)
    goals.push(...result.goals)
    if (!json) console.log(result.row)
  }
  if (json) {
    const decided = goals.map((goal) => ({ ...goal, outcome: BenchmarkTarget.outcome(goal) }))
    console.log(JSON.stringify({ cases: rows, goals: decided }, null, 2))
  } else console.log(BenchmarkText.targets(goals))
  process.exit()
}

if (!(await Apart.serve(process.argv.slice(2)))) await main()
