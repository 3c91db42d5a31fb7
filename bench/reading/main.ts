/**
 * Builds the index in a process of its own, measures all else in this one, and compares each figure with its goal.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { microsOf, ratioOf } from "../harness.js"
import { finish, flagsOf } from "../report.js"
import { diskHits } from "./disk.js"
import { deriving } from "./events.js"
import { agents } from "./fixtures.js"
import { hits, ratios } from "./memory.js"
import { searching } from "./search.js"
import { together } from "./together.js"

const AGENTS = 100_000

const Built = Schema.parseJson(
  Schema.Struct({
    agents: Schema.Number,
    cpuMillis: Schema.Number,
    searchMillis: Schema.Number,
    rssMegabytes: Schema.Number,
    heapMegabytes: Schema.Number
  })
)

const Turns = Schema.parseJson(Schema.Struct({ longestTurnMillis: Schema.Number }))

/** The output of a new process that builds the index, in which V8 has compiled nothing yet. */
const outputOf = (...args: ReadonlyArray<string>): string => {
  const program = fileURLToPath(new URL("index.mjs", import.meta.url))
  return execFileSync(process.execPath, ["--expose-gc", "--max-old-space-size=6144", program, ...args], {
    encoding: "utf8"
  })
}

const build = (agents: number): typeof Built.Type & typeof Turns.Type => ({
  ...Schema.decodeUnknownSync(Built)(outputOf(String(agents))),
  ...Schema.decodeUnknownSync(Turns)(outputOf(String(agents), "turns"))
})

const args = process.argv.slice(2)
const scope = await Effect.runPromise(Scope.make())
const index = build(AGENTS)
const million = args.includes("--million") ? build(1_000_000) : undefined
console.error("index built")
const memory = await hits(scope)
const disk = await diskHits(scope)
const crowd = await together(scope)
const events = await deriving(scope)
console.error("hits and events measured")
const { filter, text } = await searching(scope, agents(AGENTS), args.includes("--alone"))
await Effect.runPromise(Scope.close(scope, Exit.void))
const shares = ratios()
const goals = {
  "memory: Agent.get / lru-cache in Effect.sync ≤ 1.3": ratioOf(memory, "Agent.get through Cache"),
  "memory: Agent.get / Effect's Cache ≤ 0.45":
    ratioOf(memory, "Agent.get through Cache") / ratioOf(memory, "Effect's Cache"),
  "disk: Agent.get / raw get ≤ 1.6": ratioOf(disk, "Agent.get through both levels"),
  "share of hits with scans ≥ 0.66": shares.sieve.scans,
  "100 readers: calls = 1": crowd.calls,
  "100 readers: Agent.get / Deferred.await ≤ 1.5": ratioOf(crowd.report, "Agent.get"),
  "search of 100,000 ≤ 0.5 ms": microsOf(filter, "Discovery") / 1000,
  "search of 100,000 with text ≤ 3 ms": microsOf(text, "Discovery") / 1000,
  "index of 100,000 ≤ 1,000 ms": index.cpuMillis,
  "index of 100,000: longest turn ≤ 20 ms": index.longestTurnMillis,
  "index of 100,000 ≤ 60 MB": index.rssMegabytes,
  ...(million === undefined ? {} : { "search of 1,000,000 ≤ 5 ms": million.searchMillis }),
  "events: with getTransaction / getTransaction ≤ 1.5": ratioOf(events, "getTransaction and its events")
}
const reports = [memory, disk, crowd.report, events, filter, text]
const flags = flagsOf(args)
await finish(reports, flags, { goals, index, million, shares })
if (!flags.json) {
  console.log("### Share of hits\n\n| policy | alone | with listings |\n|---|---:|---:|")
  for (const [name, { alone, scans }] of Object.entries(shares)) {
    console.log(`| ${name} | ${(100 * alone).toFixed(1)} % | ${(100 * scans).toFixed(1)} % |`)
  }
  console.log()
  for (const [goal, value] of Object.entries(goals)) console.log(`${goal}: ${value.toFixed(2)}`)
}
process.exit()
