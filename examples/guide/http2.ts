/**
 * HTTP/2: one connection to an `https:` endpoint carries all concurrent calls.
 *
 *     npx tsx examples/guide/http2.ts
 */
import { readFileSync } from "node:fs"
import * as http2 from "node:http2"
import type { AddressInfo } from "node:net"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { RpcPoolUndici } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const CALLS = 200

const file = (name: string) => readFileSync(new URL(`../../test/support/tls/${name}`, import.meta.url), "utf8")
const cert = file("cert.pem")

/** An endpoint that answers each call with 42 over HTTP/2. It counts connections and concurrent calls. */
const endpoint = Effect.acquireRelease(
  Effect.async<{ readonly server: http2.Http2SecureServer; readonly counts: { sessions: number; most: number } }>(
    (resume) => {
      const counts = { sessions: 0, most: 0 }
      let open = 0
      const server = http2.createSecureServer({ key: file("key.pem"), cert })
      server.on("session", () => counts.sessions++)
      server.on("stream", (stream) => {
        counts.most = Math.max(counts.most, ++open)
        const chunks: Array<Buffer> = []
        stream.on("data", (chunk: Buffer) => chunks.push(chunk))
        stream.on("close", () => open--)
        stream.on("end", () => {
          const { id }: { readonly id: unknown } = JSON.parse(Buffer.concat(chunks).toString())
          setImmediate(() => {
            stream.respond({ "content-type": "application/json" })
            stream.end(JSON.stringify({ jsonrpc: "2.0", id, result: 42 }))
          })
        })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, counts })))
    }
  ),
  ({ server }) => Effect.sync(() => server.close())
)

const program = Effect.gen(function* () {
  const { counts, server } = yield* endpoint
  const port = yield* Effect.sync(() => {
    const address: AddressInfo | string | null = server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  })

  const pool = yield* RpcPoolUndici.make({
    url: `https://127.0.0.1:${port}`,
    ca: cert,
    http2: { connections: 1, maxConcurrentStreams: 100, initialWindowSize: 1024 * 1024 }
  })
  // The arguments differ, because equal calls would share one request
  const times = yield* Effect.forEach(
    Array.from({ length: CALLS }, (_, slot) => BigInt(slot)),
    pool.getBlockTime,
    { concurrency: "unbounded" }
  )

  yield* Console.log(`Answers: ${times.length}, connections: ${counts.sessions}`)
  yield* Console.log(`Several calls at once: ${counts.most > 1}, at most 100: ${counts.most <= 100}`)
})

program.pipe(Effect.scoped, NodeRuntime.runMain)
