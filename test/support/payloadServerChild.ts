/** A payload server in a process of its own: `directory`. Prints its URL. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as PayloadServerNode from "../../layers/PayloadServerNode.js"
import { TOKEN } from "./payloadServers.js"

const [directory = "", port = "0"] = process.argv.slice(2)

PayloadServerNode.serve({ directory, port: Number(port), tokens: [TOKEN] }).pipe(
  Effect.tap(({ url }) => Console.log(url)),
  Effect.zipRight(Effect.never),
  Effect.scoped,
  NodeRuntime.runMain
)
