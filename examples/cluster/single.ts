/** One runner over SQLite, in its own process, which also makes the sends. The argument is a `Task`. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
import * as Pod from "@pod-protocol/effect/layers/Pod"
import * as PayloadStore from "@pod-protocol/effect/services/PayloadStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Process from "./Process.js"
import { Task, walletsOf } from "./Task.js"

const CONCURRENCY = 64

const main = Effect.gen(function* () {
  const { agents, database, payloads, sends = [], url } = yield* Schema.decodeUnknown(Task)(process.argv[2])
  const wallet = yield* Process.agents(agents)
  const wallets = yield* walletsOf(agents)
  const live = AgentCluster.layer({ wallet }).pipe(
    Layer.provideMerge(AgentCluster.layerSingle({ file: database, entityTerminationTimeout: "1 second" })),
    Layer.provide(Pod.layer({ url })),
    Layer.provide(PayloadStore.layerFileSystem(payloads)),
    Layer.provide(NodeFileSystem.layer)
  )
  yield* Process.report({ _tag: "Ready" }).pipe(
    Effect.zipRight(
      Effect.forEach(
        sends,
        (index) => Effect.zipRight(Process.send(wallets, index), Process.report({ _tag: "Sent", index })),
        { concurrency: CONCURRENCY, discard: true }
      )
    ),
    Effect.provide(live)
  )
})

main.pipe(Effect.provide(Process.logToStderr), NodeRuntime.runMain({ disablePrettyLogger: true }))
