/**
 * Reads the metadata document of an agent from a server on this machine. URIs that lead into a private network are
 * refused.
 *
 *     npx tsx examples/metadata.ts
 */
import { createServer } from "node:http"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Metadata } from "@pod-protocol/effect"
import * as MetadataNode from "@pod-protocol/effect/layers/MetadataNode"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

/** Serves one document, and one redirect to the metadata service of a cloud, until the scope closes. */
const site = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer(({ url }, response) => {
      if (url === "/ada.json") {
        response.writeHead(200, { "content-type": "application/json" })
        response.end(JSON.stringify({ name: "Ada", description: "Translates.", capabilities: ["TRANSLATION"] }))
      } else {
        response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end()
      }
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ port, close: () => void server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const program = Effect.gen(function* () {
  const { port } = yield* site
  const metadata = yield* Metadata.Metadata
  const ada = yield* metadata.get(`http://127.0.0.1:${port}/ada.json`)
  yield* Console.log(`${ada.name}: ${ada.description} (${ada.capabilities?.join(", ")})`)

  for (const uri of [`http://127.0.0.1:${port}/moved`, "https://10.0.0.1/", "file:///etc/passwd"]) {
    const error = yield* Effect.flip(metadata.get(uri))
    yield* Console.log(`${error.reason}: ${error.message}`)
  }
})

program.pipe(
  Effect.scoped,
  // Only for this example: the default refuses both.
  Effect.provide(MetadataNode.layer({ allowHttp: true, allowLoopback: true })),
  NodeRuntime.runMain
)
