/**
 * A process that has sent some messages and is idle, with all features on: a cache with an invalidator, a followed
 * inbox, metrics, and the probes of the pool. It answers with its memory and CPU time.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Pod from "../../layers/Pod.js"
import * as PodConfig from "../../layers/PodConfig.js"
import * as Message from "../../services/Message.js"
import * as Metrics from "../../services/Metrics.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Wallet from "../../services/Wallet.js"
import * as Ours from "../sdks/ours.js"
import { payload } from "../sdks/protocol.js"
import type { Idle, Job } from "./protocol.js"

const MESSAGES = 20

/** Time for the start to finish its background work. */
const SETTLE = Duration.seconds(3)

const WATCHED = Duration.seconds(10)

const taken = Effect.gen(function* () {
  yield* Effect.sleep(SETTLE)
  const before = process.cpuUsage()
  const started = performance.now()
  yield* Effect.sleep(WATCHED)
  const { system, user } = process.cpuUsage(before)
  const cpuShare = (system + user) / 1000 / (performance.now() - started)
  return { cpuShare, rssBytes: process.memoryUsage.rss() } satisfies Idle
})

const { node } = JSON.parse(process.argv[2] ?? "{}") as Pick<Job, "node">

const waiting = Effect.gen(function* () {
  const messages = yield* Message.Message
  const wallet = yield* Ours.registered(false)
  yield* Effect.forkScoped(Stream.runDrain(messages.inbox(wallet.address, { follow: true })))
  for (let sent = 0; sent < MESSAGES; sent++)
    yield* Effect.provideService(
      messages.send({ recipient: wallet.address, payload: payload() }),
      Wallet.Wallet,
      wallet
    )
  return yield* taken
}).pipe(Effect.scoped)

const live = Layer.mergeAll(
  Pod.layer({
    ...PodConfig.performance,
    url: Redacted.make(node?.url ?? ""),
    wsUrl: Redacted.make(node?.wsUrl ?? ""),
    probeInterval: "5 seconds",
    invalidator: {}
  }).pipe(Layer.provideMerge(PayloadStore.layerMemory)),
  Metrics.layer()
)

process.on("disconnect", () => process.exit())
process.send?.(await Effect.runPromise(Effect.provide(waiting, live)))
