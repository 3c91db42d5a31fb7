/** Runs the contenders of `bench -- sdks` against one node, each in a process of its own, and reports. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as StopwatchNode from "../../layers/StopwatchNode.js"
import * as Benchmark from "../../services/Benchmark.js"
import { answerOf } from "../child.js"
import { finish, flagsOf } from "../report.js"
import type { Ask, Failed, Job, Measured, Operation, Sdk } from "./protocol.js"

interface Node {
  readonly url: string
  readonly wsUrl: string
  /** Calls and subscriptions served so far. */
  readonly calls: Effect.Effect<number>
}

const spawned = (file: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => fork(fileURLToPath(new URL(file, import.meta.url)), [...args])),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )

const asked = (child: ChildProcess, message?: object) =>
  Effect.tryPromise({
    try: () => {
      const answer = answerOf(child)
      if (message !== undefined) child.send(message)
      return answer
    },
    catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
  })

const startNode = Effect.gen(function* () {
  const child = yield* spawned("node.mjs")
  const { url, wsUrl } = (yield* asked(child)) as Pick<Node, "url" | "wsUrl">
  return { url, wsUrl, calls: Effect.orDie(Effect.map(asked(child, {}), Number)) }
})

const hasFailed = (answer: unknown): answer is Failed =>
  typeof answer === "object" && answer !== null && "failure" in answer

/** A contender in a process of its own, with what an operation costs beside its time. */
const contenderOf = (node: Node, sdk: Sdk, operation: Operation, note?: string) =>
  Benchmark.remote(
    Effect.gen(function* () {
      const job: Job = { sdk, operation, node: { url: node.url, wsUrl: node.wsUrl } }
      const child = yield* spawned("contender.mjs", JSON.stringify(job))
      const ready = yield* asked(child)
      if (hasFailed(ready)) return yield* Effect.fail(ready.failure)
      const sum = { operations: 0, cpu: 0, bytes: 0, calls: 0, rss: 0 }
      return {
        latencies: (plan: Benchmark.Plan) =>
          Effect.gen(function* () {
            const prepared = yield* asked(child, { ...plan, isPrepared: false } satisfies Ask)
            if (hasFailed(prepared)) return yield* Effect.fail(prepared.failure)
            const before = yield* node.calls
            const answer = yield* asked(child, { ...plan, isPrepared: true } satisfies Ask)
            if (hasFailed(answer)) return yield* Effect.fail(answer.failure)
            const measured = answer as Measured
            sum.operations += measured.micros.length
            sum.cpu += measured.cpuMicros
            sum.bytes += measured.bytes
            sum.calls += (yield* node.calls) - before
            sum.rss = Math.max(sum.rss, measured.rssBytes)
            return measured
          }),
        figures: Effect.sync(() => [
          { name: "CPU", value: sum.cpu / sum.operations, unit: "µs" },
          { name: "RSS", value: sum.rss / 2 ** 20, unit: "MiB" },
          { name: "RPC calls", value: sum.calls / sum.operations, unit: "" },
          { name: "bytes", value: sum.bytes / sum.operations, unit: "" }
        ])
      }
    }),
    { note }
  )

const SUBSCRIBED = "it is told of each signature by a subscription (subscribe: true): this node confirms at once"

const SENDS = (node: Node) => ({
  "this SDK": contenderOf(node, "ours", "send", SUBSCRIBED),
  "this SDK, sodium": contenderOf(node, "sodium", "send"),
  "this SDK, batched": contenderOf(node, "batched", "send", "a message's share of the time of a batch of 100"),
  Kit: contenderOf(node, "kit", "send"),
  "web3.js v1": contenderOf(node, "web3js", "send"),
  Anchor: contenderOf(node, "anchor", "send"),
  "@pod-protocol/sdk 1.4.5": contenderOf(node, "pod", "send", "its message service alone: the rest needs an add-on")
})

const REGISTRATIONS = (node: Node) => ({
  "this SDK": contenderOf(node, "ours", "register", "batches do not apply: each agent's own wallet signs"),
  "this SDK, sodium": contenderOf(node, "sodium", "register"),
  Kit: contenderOf(node, "kit", "register"),
  "web3.js v1": contenderOf(node, "web3js", "register"),
  Anchor: contenderOf(node, "anchor", "register", "a second wallet pays, so each transaction has two signatures"),
  "@pod-protocol/sdk 1.4.5": contenderOf(node, "pod", "register")
})

const ROUNDS = 20

const progress = (name: string) => (round: number, of: number) =>
  Effect.sync(() => console.error(`${name}: round ${round} of ${of}`))

const flags = flagsOf(process.argv.slice(2))
const at = process.argv.indexOf("--share")
/** Operations as a share of the guide's 1,000 and 10,000. */
const share = at === -1 ? 1 : Number(process.argv[at + 1])

const options = (name: string, operations: number): Benchmark.Options => ({
  mode: "latency",
  operations: Math.max(ROUNDS, Math.round(operations * share)),
  rounds: ROUNDS,
  timeout: "10 minutes",
  onRound: progress(name)
})

const measured = Effect.gen(function* () {
  const node = yield* startNode
  const register = Benchmark.make({ name: "agent_registration", base: "this SDK", cases: REGISTRATIONS(node) })
  const send = Benchmark.make({ name: "message_send", base: "this SDK", cases: SENDS(node) })
  return [
    yield* Benchmark.run(register, options("agent_registration", 1000)),
    yield* Benchmark.run(send, options("message_send", 10_000))
  ]
}).pipe(Effect.scoped, Effect.provide(StopwatchNode.layer))

await finish(await Effect.runPromise(measured), flags)
process.exit()
