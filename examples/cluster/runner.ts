/** A runner of the example, in its own process. The argument is a `Task`. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { PgClient } from "@effect/sql-pg"
import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
import * as Pod from "@pod-protocol/effect/layers/Pod"
import * as PayloadStore from "@pod-protocol/effect/services/PayloadStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Process from "./Process.js"
import { Task } from "./Task.js"

const main = Effect.gen(function* () {
  const task = yield* Schema.decodeUnknown(Task)(process.argv[2])
  const runner = yield* Process.agents(task.agents).pipe(
    Effect.map((wallet) =>
      AgentCluster.layer({ wallet }).pipe(
        Layer.provideMerge(
          AgentCluster.layerRunner({ address: { host: "127.0.0.1", port: task.port ?? 0 }, shardsPerGroup: 60 })
        )
      )
    )
  )
  const live = runner.pipe(
    Layer.provide(PgClient.layer({ url: Redacted.make(task.database), applicationName: "pod-runner" })),
    Layer.provide(Pod.layer({ url: task.url })),
    Layer.provide(PayloadStore.layerFileSystem(task.payloads)),
    Layer.provide(NodeFileSystem.layer)
  )
  yield* Effect.provide(Effect.zipRight(Process.report({ _tag: "Ready" }), Effect.never), live)
})

main.pipe(Effect.provide(Process.logToStderr), NodeRuntime.runMain({ disablePrettyLogger: true }))
