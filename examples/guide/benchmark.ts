/**
 * Your own benchmark: measures the latency of messages, sent one by one and in batches, on the embedded cluster. It
 * prints a table and writes an HTML page.
 *
 *     npx tsx examples/guide/benchmark.ts [FILE]
 */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Benchmark, BenchmarkHistory, Message, Pod, RpcPool, StopwatchNode, Wallet } from "@pod-protocol/effect"
import * as BenchmarkPage from "@pod-protocol/effect/observe/BenchmarkPage"
import * as BenchmarkText from "@pod-protocol/effect/observe/BenchmarkText"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

const BATCH = 10

/** The wallet of a registered agent. The layer is built once for each case, outside the timing. */
const registered = Layer.effect(
  Wallet.Wallet,
  Effect.gen(function* () {
    const rpc = yield* RpcPool.RpcPool
    const agents = yield* Agent.Agent
    const wallet = yield* Wallet.generate
    yield* rpc.requestAirdrop(wallet.address, lamports(100_000_000_000n))
    yield* agents
      .register({ capabilities: 1024n, metadataUri: "https://example.com/metadata.json" })
      .pipe(Effect.provideService(Wallet.Wallet, wallet))
    return wallet
  })
)

const input = (index: number) =>
  Effect.map(Wallet.Wallet, ({ address }) => ({ recipient: address, payload: `Hello, World! ${index}` }))

const sends = Benchmark.make({
  name: "message_send",
  base: "one by one",
  cases: {
    "one by one": Benchmark.withSetup(
      Benchmark.effect((index) =>
        Effect.flatMap(Effect.all([Message.Message, input(index)]), ([messages, input]) => messages.send(input))
      ),
      registered
    ),
    batched: Benchmark.withSetup(
      Benchmark.effect(
        (index) =>
          Effect.gen(function* () {
            const messages = yield* Message.Message
            const inputs = yield* Effect.forEach(
              Array.from({ length: BATCH }, (_, nth) => index * BATCH + nth),
              input
            )
            return yield* messages.sendAll(inputs)
          }),
        { operations: BATCH, note: `a message's share of a batch of ${BATCH}` }
      ),
      registered
    )
  }
})

const program = Effect.gen(function* () {
  const history = yield* BenchmarkHistory.BenchmarkHistory
  for (const run of [1, 2]) {
    const report = yield* Benchmark.run(sends, { mode: "latency", operations: 60, rounds: 10 })
    const last = yield* history.last(report.name)
    const changes = Option.match(last, { onNone: () => [], onSome: (then) => Benchmark.compare(report, then) })
    yield* history.add(report)
    yield* Console.log(`Run ${run}\n${BenchmarkText.text(report, changes)}`)
  }

  const [then, report] = yield* history.all(sends.name)
  if (report === undefined || then === undefined) return
  const file = process.argv[2] ?? path.join(mkdtempSync(path.join(tmpdir(), "pod-benchmark-")), "report.html")
  const page = BenchmarkPage.html({ title: "Messages", parts: [{ report, earlier: [then] }] })
  yield* Effect.sync(() => writeFileSync(file, page))
  yield* Console.log(file)
})

program.pipe(
  Effect.provide(Layer.mergeAll(Pod.layerEmbedded, StopwatchNode.layer, BenchmarkHistory.layerMemory())),
  NodeRuntime.runMain
)
