/**
 * Performance monitoring: a timer, a counter, a gauge and a report, on the embedded cluster.
 *
 *     npx tsx examples/guide/metrics.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Message, Metrics, Pod, RpcPool, Wallet } from "@pod-protocol/effect"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const MESSAGES = 25

const fundedWallet = Effect.gen(function* () {
  const rpc = yield* RpcPool.RpcPool
  const wallet = yield* Wallet.generate
  yield* rpc.requestAirdrop(wallet.address, lamports(1_000_000_000n))
  return wallet
})

const program = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const messages = yield* Message.Message
  const metrics = yield* Metrics.Metrics
  const wallet = yield* fundedWallet
  const recipient = yield* fundedWallet

  // Track the latency of an operation
  const timer = yield* metrics.timer("agent_registration")
  yield* agents
    .register({ capabilities: 1n, metadataUri: "https://example.com/ada" })
    .pipe(Effect.provideService(Wallet.Wallet, wallet))
  yield* timer.observe

  // Track throughput; the SDK tracks `Message.send` itself
  for (let index = 0; index < MESSAGES; index++) {
    yield* messages
      .send({ recipient: recipient.address, payload: `Message ${index}` })
      .pipe(Effect.provideService(Wallet.Wallet, wallet))
    yield* metrics.increment("messages_sent")
  }

  // Track the use of a resource
  yield* metrics.gauge("active_connections", 1)

  yield* Console.log(`Performance Report:\n${yield* metrics.report("text")}`)
})

program.pipe(Effect.provide(Layer.provideMerge(Pod.layerEmbedded, Metrics.layer())), NodeRuntime.runMain)
