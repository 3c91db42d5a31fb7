/**
 * Builds the index of 100,000 agents from the bytes of a listing, in its own process. Prints JSON: CPU time of all
 * threads, the memory of the index, and a search. Run with `--expose-gc`.
 *
 * With `turns`: only the longest turn of the event loop. Looking at each turn takes CPU time, so that is another run. An
 * index of one agent is built before: the first run of Effect's code in a process takes a turn of 30 ms, for an index of
 * any size.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Discovery from "../../services/Discovery.js"
import { longestTurnOf, median } from "../harness.js"
import { agents, discovery, QUERY } from "./fixtures.js"

const count = Number(process.argv[2] ?? 100_000)
const isOfTurns = process.argv[3] === "turns"

const collect = (): void => {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
}

const live = discovery(agents(count))
const scope = await Effect.runPromise(Scope.make())
const build = async (live: ReturnType<typeof discovery>): Promise<Discovery.Service> =>
  Context.get(await Effect.runPromise(Layer.buildWithScope(live, scope)), Discovery.Discovery)
/** A function, so that the listing stays in memory: the index is measured beside it. */
const run = (): Promise<Discovery.Service> => build(live)
if (isOfTurns) {
  await build(discovery(agents(1)))
  collect()
  console.log(JSON.stringify({ longestTurnMillis: await longestTurnOf(run) }))
  process.exit()
}
collect()
const before = process.memoryUsage()
const started = process.cpuUsage()
const service = await run()
const { system, user } = process.cpuUsage(started)
collect()
const after = process.memoryUsage()
/** Milliseconds of CPU of a search, the median of 51. */
const searchMillis = ({ agents }: Discovery.Service): number => {
  const millis = Array.from({ length: 51 }, () => {
    const started = process.cpuUsage()
    for (let times = 0; times < 20; times++) Effect.runSync(agents(QUERY))
    const { system, user } = process.cpuUsage(started)
    return (system + user) / 20_000
  })
  return median(millis)
}
const found = (await Effect.runPromise(service.counts)).agents
console.log(
  JSON.stringify({
    agents: found,
    cpuMillis: (system + user) / 1000,
    searchMillis: searchMillis(service),
    rssMegabytes: (after.rss - before.rss) / 1e6,
    heapMegabytes: (after.heapUsed - before.heapUsed + after.external - before.external) / 1e6
  })
)
await Effect.runPromise(Scope.close(scope, Exit.void))
