/**
 * Analytics: totals, activity by day, the busiest agents and the state of the cluster. Events keep them up to date. It
 * runs on the embedded cluster.
 *
 *     npx tsx examples/guide/analytics.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import {
  Agent,
  Analytics,
  Channel,
  Discovery,
  Escrow,
  Message,
  Pod,
  ProtocolEvents,
  RpcPool,
  Wallet
} from "@pod-protocol/effect"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const AnalyticsLive = Analytics.layer().pipe(Layer.provide(Discovery.layer()), Layer.provide(ProtocolEvents.layer()))

const register = (name: string) =>
  Effect.gen(function* () {
    const agents = yield* Agent.Agent
    const rpc = yield* RpcPool.RpcPool
    const wallet = yield* Wallet.generate
    yield* rpc.requestAirdrop(wallet.address, lamports(1_000_000_000n))
    yield* agents
      .register({ metadataUri: `https://agents.example/${name}.json` })
      .pipe(Effect.provideService(Wallet.Wallet, wallet))
    return { address: wallet.address, as: Effect.provideService(Wallet.Wallet, wallet) }
  })

const program = Effect.gen(function* () {
  const [messages, channels, escrows] = yield* Effect.all([Message.Message, Channel.Channel, Escrow.Escrow])
  const ada = yield* register("ada")
  const bo = yield* register("bo")
  const lectures = yield* channels.create({ name: "lectures", feePerMessage: 1_000_000n }).pipe(ada.as)
  yield* escrows.deposit(lectures.address, 5_000_000n).pipe(bo.as)
  yield* channels.join(lectures.address).pipe(bo.as)
  yield* messages.send({ recipient: bo.address, payload: "Welcome" }).pipe(ada.as)

  yield* Effect.gen(function* () {
    const { caughtUp, report, series } = yield* Analytics.Analytics
    // Events before the layer was built are read from the history
    yield* caughtUp
    const days = yield* series({ bucket: "1 day", limit: 7 })
    yield* Console.log(`Agents that registered on the last day: ${days.at(-1)?.agents}`)
    yield* Console.log(yield* report("text"))
  }).pipe(Effect.provide(AnalyticsLive))
})

program.pipe(Effect.provide(Pod.layerEmbedded), NodeRuntime.runMain)
