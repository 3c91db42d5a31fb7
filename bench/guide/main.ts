/** Measures the guide's targets and reports them. */
import { execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as StopwatchNode from "../../layers/StopwatchNode.js"
import * as Benchmark from "../../services/Benchmark.js"
import * as BenchmarkReport from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkTarget from "../../src/observe/BenchmarkTarget.js"
import * as Statistics from "../../src/observe/Statistics.js"
import { finish, flagsOf } from "../report.js"
import { asked, type Node, spawned, started, startNode } from "../sdks/processes.js"
import type { Idle, Job } from "./protocol.js"

/** An operation of the guide. `below` is its target in milliseconds. */
interface Operation {
  readonly name: string
  readonly operation: Job["operation"]
  readonly below: number
  readonly operations: number
}

const OPERATIONS: ReadonlyArray<Operation> = [
  { name: "Agent Registration", operation: "register", below: 20, operations: 1000 },
  { name: "Message Send", operation: "send", below: 10, operations: 1000 },
  { name: "Channel Join", operation: "join", below: 15, operations: 1000 },
  { name: "Batch Operations (100 messages)", operation: "batch", below: 100, operations: 200 }
]

const ROUNDS = 20

/** The warm-up of criterion, with which the guide's tables were made. */
const WARM_UP = "3 seconds"

/** Idle processes: each is one trial. */
const IDLE = 6

const LOOPBACK = "over loopback"
const IN_PROCESS = "in process"

const HOW: Readonly<Record<string, string>> = {
  [LOOPBACK]: "mean of the operations, confirmed, one after another; the cluster is served in a process of its own",
  [IN_PROCESS]: "the same, with the cluster in the process"
}

const targetsOf = (report: BenchmarkReport.Report, below: number): ReadonlyArray<BenchmarkTarget.Target> =>
  BenchmarkReport.rows(report).flatMap(({ isControl, mean, name }) =>
    isControl
      ? []
      : Option.toArray(mean).map(({ high, low, value }) =>
          BenchmarkTarget.make(
            `${report.name}, ${name}`,
            { value: value / 1000, low: low / 1000, high: high / 1000 },
            { below, unit: "ms", note: HOW[name] }
          )
        )
  )

const flags = flagsOf(process.argv.slice(2))
const at = process.argv.indexOf("--share")
/** The share of the operations to run. */
const share = at === -1 ? 1 : Number(process.argv[at + 1])

const measured = (node: Node, { name, operation, operations }: Operation) => {
  const { url, wsUrl } = node
  const contender = (job: Job) => started("guide/contender.mjs", node, job)
  return Benchmark.run(
    Benchmark.make({
      name,
      base: LOOPBACK,
      cases: {
        [LOOPBACK]: contender({ operation, node: { url, wsUrl } }),
        [IN_PROCESS]: contender({ operation })
      }
    }),
    {
      mode: "latency",
      operations: Math.max(ROUNDS, Math.round(operations * share)),
      rounds: ROUNDS,
      warmUp: WARM_UP,
      timeout: "10 minutes",
      onRound: (round, of) => Effect.sync(() => console.error(`${name}: round ${round} of ${of}`))
    }
  )
}

const idle = (node: Job["node"]) =>
  Effect.scoped(Effect.flatMap(spawned("guide/idle.mjs", JSON.stringify({ node })), (child) => asked(child))).pipe(
    Effect.map((answer) => answer as Idle)
  )

/** The RSS of a Node process without modules. */
const bare = Effect.sync(() =>
  Number(execFileSync(process.execPath, ["-p", "process.memoryUsage.rss()"], { encoding: "utf8" }))
)

const estimateOf = (values: ReadonlyArray<number>) =>
  Statistics.bootstrap(values, (all) => Option.getOrElse(Statistics.median(all), () => Number.NaN), {
    random: Statistics.seeded(1)
  })

const MEBIBYTE = 2 ** 20

const waiting = Effect.gen(function* () {
  // Slots pass as on a public cluster, so that their notifications count
  const { url, wsUrl } = yield* startNode("slots")
  const all = yield* Effect.all(
    Array.from({ length: IDLE }, () => idle({ url, wsUrl })),
    { concurrency: 2 }
  )
  const node = `${Math.round((yield* bare) / MEBIBYTE)} MiB`
  const memory = Option.map(estimateOf(all.map(({ rssBytes }) => rssBytes / MEBIBYTE)), (estimate) =>
    BenchmarkTarget.make("Memory Usage (idle)", estimate, {
      below: 50,
      unit: "MiB",
      note: `RSS of a process that follows its inbox, median of ${IDLE}; Node alone takes ${node}`
    })
  )
  const cpu = Option.map(estimateOf(all.map(({ cpuShare }) => cpuShare * 100)), (estimate) =>
    BenchmarkTarget.make("CPU Usage (idle)", estimate, {
      below: 5,
      unit: "%",
      note: "CPU time by time of the same processes, with a cache, its invalidator, probes and metrics, at slots of 400 ms"
    })
  )
  return [...Option.toArray(memory), ...Option.toArray(cpu)]
})

const everything = Effect.gen(function* () {
  const node = yield* startNode()
  const reports = []
  const targets = []
  for (const operation of OPERATIONS) {
    const report = yield* measured(node, operation)
    reports.push(report)
    targets.push(...targetsOf(report, operation.below))
  }
  targets.push(...(yield* waiting))
  return { reports, targets }
}).pipe(Effect.scoped, Effect.provide(StopwatchNode.layer))

const { reports, targets } = await Effect.runPromise(everything)
await finish(reports, flags, { targets })
process.exit()
