/**
 * Choosing data structures: finds agents by capability bits, by reputation and by words, without a call to an endpoint.
 * It runs on the embedded cluster.
 *
 *     npx tsx examples/guide/discovery.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Agent, Capabilities, Discovery, Pod, ProtocolEvents, RpcPool, Wallet } from "@pod-protocol/effect"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const { bits, decode, encode } = Capabilities.sdk

const register = (name: string, capabilities: bigint) =>
  Effect.gen(function* () {
    const agents = yield* Agent.Agent
    const rpc = yield* RpcPool.RpcPool
    const wallet = yield* Wallet.generate
    yield* rpc.requestAirdrop(wallet.address, lamports(1_000_000_000n))
    yield* agents
      .register({ capabilities, metadataUri: `https://agents.example/${name}.json` })
      .pipe(Effect.provideService(Wallet.Wallet, wallet))
    return wallet.address
  })

const program = Effect.gen(function* () {
  const ada = yield* register("ada-trader", yield* encode(["TRADING", "ANALYSIS"]))
  yield* register("bo-writer", yield* encode(["CONTENT_GENERATION"]))
  yield* register("cy-trader", yield* encode(["TRADING"]))

  yield* Effect.gen(function* () {
    const { agents, similar } = yield* Discovery.Discovery
    const { asOf, items } = yield* agents({ all: bits.TRADING, minReputation: 50n, sort: "reputation" })
    yield* Console.log(`Traders as of slot ${asOf}: ${items.length}`)
    for (const { account } of items) {
      yield* Console.log(`  ${account.metadataUri}: ${decode(account.capabilities).join(", ")}`)
    }
    const writers = yield* agents({ text: "writ" })
    yield* Console.log(`Found by "writ": ${writers.items.map(({ account }) => account.metadataUri).join(", ")}`)
    for (const { account, score } of (yield* similar(ada)).items) {
      yield* Console.log(`Like ada: ${score} ${account.metadataUri}`)
    }
  }).pipe(Effect.provide(Discovery.layer().pipe(Layer.provide(ProtocolEvents.layer()))))
})

program.pipe(Effect.provide(Pod.layerEmbedded), NodeRuntime.runMain)
