import { type Case, longestTurn, measure, pairedRatio, type Report } from "../harness.js"
import { type Contender, type Group, groups } from "./cases.js"

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

const measured = async ({ turns = false, contenders, options, title }: Group) => {
  const all = await contenders()
  const cases = CONTENDERS.flatMap((name) => {
    const contender = all[name]
    return contender === undefined ? [] : [{ name, ...contender }]
  })
  const report = await measure(title, cases, { base: "floor", ...options })
  return { ...row(report), ...(turns ? { longestTurnMillis: await turnsOf(cases) } : {}) }
}

const round = (value: number | undefined): number | undefined =>
  value === undefined || !Number.isFinite(value) ? undefined : Number(value.toPrecision(3))

const row = ({ rows, title }: Report) => {
  const of = (name: Contender) => rows.find((row) => row.name === name)
  const ratio = (name: Contender, base: Contender) => {
    const [own, other] = [of(name), of(base)]
    return own && other && round(pairedRatio(own.rounds, other.rounds))
  }
  return {
    case: title,
    unit: "µs of CPU",
    ...Object.fromEntries(CONTENDERS.map((name) => [name, round(of(name)?.micros)])),
    ratioToFloor: ratio("ours", "floor"),
    ratioToFloorTraced: ratio("oursTraced", "floor"),
    ratioToKit: ratio("ours", "kit"),
    sodiumToRust: ratio("sodium", "rust"),
    sodiumTracedToRust: ratio("sodiumTraced", "rust")
  }
}

const rows: Array<object> = []
for (const group of groups) {
  if (names.length > 0 && !names.some((name) => group.title.includes(name))) continue
  const result = await measured(group)
  rows.push(result)
  if (!json) console.log(result)
}
if (json) console.log(JSON.stringify(rows, null, 2))
process.exit()
