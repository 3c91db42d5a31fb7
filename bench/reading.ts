/**
 * Measures reading at memory speed: hits in memory and on disk, searches, the index, events, and many readers of one
 * account, each against a base.
 *
 *     npm run -s bench -- reading [--json] [--alone] [--million]
 *
 * `--million` also builds and searches an index of 1,000,000 agents, which takes minutes and 3 GB of memory. `--alone`
 * excludes the search libraries, which are installed under `bench/peers` on first use. Each report has its base a
 * second time: the difference of that row from 1 is noise. Goals for absolute times depend on the machine.
 */
import { execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { microsOf, ratioOf } from "./harness.js"
import { diskHits } from "./reading/disk.js"
import { deriving } from "./reading/events.js"
import { agents } from "./reading/fixtures.js"
import { hits, ratios } from "./reading/memory.js"
import { searching } from "./reading/search.js"
import { together } from "./reading/together.js"
import { finish, flagsOf } from "./report.js"

const AGENTS = 100_000

const Built = Schema.parseJson(
  Schema.Struct({
    agents: Schema.Number,
    cpuMillis: Schema.Number,
    longestTurnMillis: Schema.Number,
    searchMillis: Schema.Number,
    rssMegabytes: Schema.Number,
    heapMegabytes: Schema.Number
  })
)

/** Builds the index in a new process, without compiled code. */
const build = (agents: number): typeof Built.Type =>
  Schema.decodeUnknownSync(Built)(
    execFileSync(
      process.execPath,
      ["--expose-gc", "--max-old-space-size=6144", "--import", "tsx", "bench/reading/index.ts", String(agents)],
      { encoding: "utf8" }
    )
  )

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
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
  if (flags.json) return
  console.log("### Share of hits\n\n| policy | alone | with listings |\n|---|---:|---:|")
  for (const [name, { alone, scans }] of Object.entries(shares)) {
    console.log(`| ${name} | ${(100 * alone).toFixed(1)} % | ${(100 * scans).toFixed(1)} % |`)
  }
  console.log()
  for (const [goal, value] of Object.entries(goals)) console.log(`${goal}: ${value.toFixed(2)}`)
}
