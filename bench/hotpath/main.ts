import { measure, type Report } from "../harness.js"
import { type Contender, type Group, groups } from "./cases.js"
import { rust } from "./install.js"

const CONTENDERS: ReadonlyArray<Contender> = ["floor", "ours", "oursTraced", "kit", "web3js", "anchor", "pod"]

const json = process.argv.includes("--json")
const names = process.argv.slice(2).filter((word) => word !== "--json")

const report = async ({ contenders, options, title }: Group): Promise<Report> => {
  const all = await contenders()
  const cases = CONTENDERS.flatMap((name) => {
    const contender = all[name]
    return contender === undefined ? [] : [{ name, ...contender }]
  })
  return measure(title, cases, { base: "floor", ...options })
}

const round = (value: number | undefined): number | undefined =>
  value === undefined || !Number.isFinite(value) ? undefined : Number(value.toPrecision(3))

const row = ({ rows, title }: Report) => {
  const of = (name: Contender) => rows.find((row) => row.name === name)
  const ours = of("ours")?.ratio
  const kit = of("kit")?.ratio
  return {
    case: title,
    unit: "µs of CPU",
    ...Object.fromEntries(CONTENDERS.map((name) => [name, round(of(name)?.micros)])),
    ratioToFloor: round(ours),
    ratioToFloorTraced: round(of("oursTraced")?.ratio),
    ratioToKit: kit === undefined || ours === undefined ? undefined : round(ours / kit)
  }
}

/** The client in Rust measures itself, in a process of its own. */
const inRust = () => {
  const micros = rust()
  return micros === undefined ? [] : [{ case: "build and sign in Rust: alone, packed", unit: "µs", ...micros }]
}

const rows: Array<object> = names.length === 0 ? inRust() : []
for (const group of groups) {
  if (names.length > 0 && !names.some((name) => group.title.includes(name))) continue
  const measured = row(await report(group))
  rows.push(measured)
  if (!json) console.log(measured)
}
if (json) console.log(JSON.stringify(rows, null, 2))
process.exit()
