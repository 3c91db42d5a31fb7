/**
 * The embedded cluster, served on loopback in its own process. It sends its addresses to its parent, and answers each
 * message with the number of calls and subscriptions that it has served. It makes a block for each transaction or, with
 * the argument `slots`, one each 400 ms, as on a public cluster.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as Cluster from "../embedded.js"

let calls = 0

const counted = Layer.map(
  Cluster.layer({ blockMode: process.argv.includes("slots") ? "interval" : "instant" }),
  (context) => {
    const cluster = Context.get(context, EmbeddedCluster.EmbeddedCluster)
    return Context.make(EmbeddedCluster.EmbeddedCluster, {
      ...cluster,
      request: (...call: Parameters<typeof cluster.request>) => {
        calls++
        return cluster.request(...call)
      },
      listen: (...call: Parameters<typeof cluster.listen>) => {
        calls++
        return cluster.listen(...call)
      }
    })
  }
)

process.on("message", () => process.send?.(calls))
process.on("disconnect", () => process.exit())

Effect.gen(function* () {
  const { url, wsUrl } = yield* Server.serve()
  yield* Effect.sync(() => process.send?.({ url, wsUrl }))
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(counted), NodeRuntime.runMain)
