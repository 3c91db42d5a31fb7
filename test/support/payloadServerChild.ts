/** A payload server in its own process: `directory port storage`. Prints its URL. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as PayloadServerNode from "../../layers/PayloadServerNode.js"
import { TOKEN } from "./payloadServers.js"

const [directory = "", port = "0", storage = "files"] = process.argv.slice(2)

PayloadServerNode.serve({
  directory,
  port: Number(port),
  storage: storage === "sqlite" ? "sqlite" : "files",
  tokens: [TOKEN]
}).pipe(
  Effect.tap(({ url }) => Console.log(url)),
  Effect.zipRight(Effect.never),
  Effect.scoped,
  NodeRuntime.runMain
)
