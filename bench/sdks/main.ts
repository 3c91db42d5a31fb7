/** Runs the contenders of `bench -- sdks` against one node, each in its own process, and reports. */
import * as Effect from "effect/Effect"
import * as StopwatchNode from "../../layers/StopwatchNode.js"
import * as Benchmark from "../../services/Benchmark.js"
import { finish, flagsOf } from "../report.js"
import { type Node, started, startNode } from "./processes.js"
import type { Job, Operation, Sdk } from "./protocol.js"

const contenderOf = (node: Node, sdk: Sdk, operation: Operation, note?: string) =>
  started(
    "sdks/contender.mjs",
    node,
    { sdk, operation, node: { url: node.url, wsUrl: node.wsUrl } } satisfies Job,
    note
  )

const RUST =
  "the protocol has no SDK in Rust to install: its instructions, written by hand, with the blocking client; it keeps no payload, and its bytes are not counted"

const SENDS = (node: Node) => ({
  "this SDK": contenderOf(node, "ours", "send"),
  "this SDK, sodium": contenderOf(node, "sodium", "send"),
  "this SDK, batched": contenderOf(node, "batched", "send", "a message's share of the time of a batch of 100"),
  Kit: contenderOf(node, "kit", "send"),
  "web3.js v1": contenderOf(node, "web3js", "send"),
  Anchor: contenderOf(node, "anchor", "send"),
  "Rust (solana-rpc-client)": contenderOf(node, "rust", "send", RUST),
  "@pod-protocol/sdk 1.4.5": contenderOf(node, "pod", "send", "its message service alone: the rest needs an add-on")
})

const REGISTRATIONS = (node: Node) => ({
  "this SDK": contenderOf(node, "ours", "register", "batches do not apply: each agent's own wallet signs"),
  "this SDK, sodium": contenderOf(node, "sodium", "register"),
  Kit: contenderOf(node, "kit", "register"),
  "web3.js v1": contenderOf(node, "web3js", "register"),
  Anchor: contenderOf(node, "anchor", "register", "a second wallet pays, so each transaction has two signatures"),
  "Rust (solana-rpc-client)": contenderOf(node, "rust", "register", RUST),
  "@pod-protocol/sdk 1.4.5": contenderOf(node, "pod", "register")
})

/** Many short rounds: the contenders of a round are compared, and the machine's speed changes within seconds. */
const ROUNDS = 100

/**
 * The resolution of this benchmark: each SDK is one process, and two processes of the same code differed by 4 % (intervals
 * of 0.93 to 1.09, on two cores). The SDKs differ by multiples.
 */
const THRESHOLD = 0.1

/** The warm-up of criterion, with which the guide's tables were made. */
const WARM_UP = "3 seconds"

const progress = (name: string) => (round: number, of: number) =>
  Effect.sync(() => console.error(`${name}: round ${round} of ${of}`))

const flags = flagsOf(process.argv.slice(2))
const at = process.argv.indexOf("--share")
/** The share of the guide's 1,000 and 10,000 operations to run. */
const share = at === -1 ? 1 : Number(process.argv[at + 1])

const options = (name: string, operations: number): Benchmark.Options => ({
  mode: "latency",
  operations: Math.max(ROUNDS, Math.round(operations * share)),
  rounds: ROUNDS,
  threshold: THRESHOLD,
  warmUp: WARM_UP,
  timeout: "10 minutes",
  onRound: progress(name)
})

const measured = Effect.gen(function* () {
  const node = yield* startNode()
  const register = Benchmark.make({ name: "agent_registration", base: "this SDK", cases: REGISTRATIONS(node) })
  const send = Benchmark.make({ name: "message_send", base: "this SDK", cases: SENDS(node) })
  return [
    yield* Benchmark.run(register, options("agent_registration", 1000)),
    yield* Benchmark.run(send, options("message_send", 10_000))
  ]
}).pipe(Effect.scoped, Effect.provide(StopwatchNode.layer))

await finish(await Effect.runPromise(measured), flags)
process.exit()
