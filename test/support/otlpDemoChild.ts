/**
 * Plays the demo on a node with a key in its URL, and exports everything to the collector in its argument. Prints the
 * secrets that must not be exported, and the metrics that Prometheus would read.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { lamports } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Narrator from "../../examples/demo/Narrator.js"
import { readBack } from "../../examples/demo/ReadBack.js"
import { actors, story } from "../../examples/demo/Story.js"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as EmbeddedServer from "../../layers/EmbeddedServer.js"
import * as Pod from "../../layers/Pod.js"
import * as PrometheusServer from "../../layers/PrometheusServer.js"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import * as WalletNode from "../../layers/WalletNode.js"
import { Agent } from "../../services/Agent.js"
import * as Metrics from "../../services/Metrics.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import { RpcPool } from "../../services/RpcPool.js"
import { Wallet } from "../../services/Wallet.js"
import { secretKey } from "./secretKeys.js"

const [, , collector = "", key = ""] = process.argv

const played = Effect.gen(function* () {
  const secret = secretKey()
  const wallet = yield* WalletNode.fromSecretKey(Redacted.make(Uint8Array.from(secret)))
  const [rpc, agents] = [yield* RpcPool, yield* Agent]
  const register = agents
    .register({ capabilities: 1n, metadataUri: "https://example.com/a" })
    .pipe(Effect.provideService(Wallet, wallet), Effect.tapErrorCause(Effect.logDebug), Effect.ignore)
  // Without lamports, the registration fails, and the log has the whole cause
  yield* register
  yield* rpc.requestAirdrop(wallet.address, lamports(1_000_000_000n))
  yield* register
  const { channels, messages } = yield* actors.pipe(Effect.flatMap(story), Effect.flatMap(readBack))
  return {
    secret: Buffer.from(secret).toString("hex"),
    payloads: [
      ...messages.map(({ payload }) => payload),
      ...channels.flatMap((channel) => channel.messages.map(({ content }) => content))
    ],
    scraped: yield* PrometheusServer.text()
  }
})

const observed = TelemetryOtlp.layerFetch({
  url: collector,
  protocol: "http/json",
  shutdownTimeout: "30 seconds"
}).pipe(Layer.provideMerge(Metrics.layer()))

const program = Effect.gen(function* () {
  const { url } = yield* EmbeddedServer.serve()
  const pod = Pod.layer({ url: Redacted.make(`${url}/?api-key=${key}`) }).pipe(
    Layer.provideMerge(PayloadStore.layerMemory)
  )
  const said = yield* played.pipe(Effect.provide(pod), Effect.provide(observed))
  yield* Console.log(JSON.stringify(said))
}).pipe(Effect.scoped)

program.pipe(
  Effect.provide([EmbeddedCluster.layer({}), Narrator.layerSilent]),
  Effect.provide(Logger.remove(Logger.defaultLogger)),
  Logger.withMinimumLogLevel(LogLevel.All),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)
