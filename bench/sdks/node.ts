/**
 * The embedded cluster, served on loopback, in a process of its own. It sends its addresses to its parent, and answers each
 * message with the number of calls and subscriptions that it has served.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"

// The bundle lies elsewhere than the program, so the cluster cannot find it by itself
const elf = readFileSync(path.join(process.env["BENCH_ROOT"] ?? process.cwd(), "program/pod_com.so"))

let calls = 0

const counted = Layer.map(
  EmbeddedCluster.layer({ podProgram: false, programs: [{ address: PROGRAM_ID, elf }] }),
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
