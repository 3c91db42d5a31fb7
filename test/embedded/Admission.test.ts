import { request } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { WebSocket } from "ws"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"

const BODY = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "getHealth" })

interface Answer {
  readonly status: number | undefined
  readonly origin: string | undefined
  readonly text: string
}

const call = (port: number, headers: Readonly<Record<string, string>>, method = "POST", path = "/") =>
  Effect.async<Answer, Error>((resume) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: { "content-type": "application/json", ...headers },
        agent: false
      },
      (response) => {
        let text = ""
        response.on("data", (chunk: Buffer) => (text += chunk.toString()))
        response.on("end", () => {
          const origin = response.headers["access-control-allow-origin"]
          resume(Effect.succeed({ status: response.statusCode, origin, text }))
        })
      }
    )
    sent.on("error", (error) => resume(Effect.fail(error)))
    sent.end(method === "POST" ? BODY : undefined)
    return Effect.sync(() => sent.destroy())
  })

/** The status of a refused handshake; 101 where it is accepted. */
const upgrade = (port: number, headers: Readonly<Record<string, string>>) =>
  Effect.async<number | undefined, Error>((resume) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers })
    socket.on("open", () => resume(Effect.succeed(101)))
    socket.on("unexpected-response", (_, response) => resume(Effect.succeed(response.statusCode)))
    socket.on("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => socket.terminate())
  })

const cluster = Effect.provide(EmbeddedCluster.layer({ podProgram: false }))

const ADMITTED = [
  {},
  { origin: "http://localhost:5173" },
  { origin: "https://app.localhost" },
  { origin: "http://127.0.0.1" },
  { origin: "http://[::1]:3000" },
  { host: "localhost:1" },
  { host: "[::1]:8899" },
  { host: "127.0.0.1" }
]

const REFUSED = [
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "" },
  { origin: "http://localhost.evil.example" },
  { origin: "http://127.0.0.1.evil.example" },
  { origin: "http://evil-localhost" },
  { origin: "http://localhost@evil.example" },
  { origin: `http://${"a".repeat(5000)}` },
  { host: "evil.example:8899" },
  { host: "192.168.1.5:8899" },
  { host: "localhost@evil.example" },
  { host: "evil.example", origin: "http://evil.example" }
]

describe("Server.serve: whom it answers", () => {
  it.scopedLive("Given origins and hosts of this machine, When they call or open a socket, Then they are served", () =>
    Effect.gen(function* () {
      const { port } = yield* Server.serve()
      for (const headers of ADMITTED) {
        expect(yield* call(port, headers)).toMatchObject({ status: 200, origin: headers.origin ?? "*" })
        expect(yield* upgrade(port + 1, headers)).toBe(101)
      }
      const preflight = yield* call(port, { origin: "http://localhost:5173" }, "OPTIONS")
      expect(preflight).toMatchObject({ origin: "http://localhost:5173" })
    }).pipe(cluster)
  )

  it.scopedLive("Given other origins and hosts, When they call or open a socket, Then the status is 403", () =>
    Effect.gen(function* () {
      const { port } = yield* Server.serve()
      for (const headers of REFUSED) {
        for (const [method, path] of [
          ["POST", "/"],
          ["OPTIONS", "/"],
          ["GET", "/health"]
        ] as const) {
          const answer = yield* call(port, headers, method, path)
          expect(answer).toMatchObject({ status: 403, origin: undefined })
          expect(answer.text).toContain("--allow-origin")
          expect(answer.text.length).toBeLessThan(250)
        }
        expect(yield* upgrade(port + 1, headers)).toBe(403)
      }
    }).pipe(cluster)
  )

  it.scopedLive("Given allowed origins, When pages call, Then only those of the allowed origins are served", () =>
    Effect.gen(function* () {
      const { port } = yield* Server.serve({ allowOrigins: ["https://app.example"] })
      expect(yield* call(port, { origin: "https://app.example", host: "app.example" })).toMatchObject({ status: 200 })
      for (const origin of ["http://app.example", "https://app.example:444", "https://b.app.example"]) {
        expect(yield* call(port, { origin })).toMatchObject({ status: 403 })
      }
      const open = yield* Server.serve({ allowOrigins: ["*"] })
      expect(yield* call(open.port, { origin: "null", host: "any.example" })).toMatchObject({ status: 200 })
    }).pipe(cluster)
  )

  it.scopedLive(
    "Given a server on all addresses, When the host is an address or a name, Then only the address is served",
    () =>
      Effect.gen(function* () {
        const { port } = yield* Server.serve({ host: "0.0.0.0" })
        expect(yield* call(port, { host: "192.168.1.5:1" })).toMatchObject({ status: 200 })
        expect(yield* call(port, { host: "evil.example" })).toMatchObject({ status: 403 })
      }).pipe(cluster)
  )

  it.scopedLive("Given an option that is no origin, When the server starts, Then InvalidInput names its path", () =>
    Effect.gen(function* () {
      for (const text of ["app.example", "https://app.example/path", "", "data:x", "https://a@app.example"]) {
        expect(yield* Effect.flip(Server.serve({ allowOrigins: ["*", text] }))).toMatchObject({
          _tag: "InvalidInput",
          field: "allowOrigins[1]"
        })
      }
      expect(yield* Effect.flip(Server.serve({ maxConnections: 0 }))).toMatchObject({ field: "maxConnections" })
    }).pipe(cluster)
  )

  it.scopedLive("Given the maximum of connections, When one more arrives, Then it is closed", () =>
    Effect.gen(function* () {
      const { port } = yield* Server.serve({ maxConnections: 1 })
      const socket = new WebSocket(`ws://127.0.0.1:${port + 1}`)
      yield* Effect.addFinalizer(() => Effect.sync(() => socket.terminate()))
      yield* Effect.async<void>((resume) => void socket.once("open", () => resume(Effect.void)))
      yield* Effect.flip(upgrade(port + 1, {}))
      expect(yield* call(port, {})).toMatchObject({ status: 200 })
    }).pipe(cluster)
  )

  it.scopedLive(
    "Given a message above the limit, in one frame or several, When it begins, Then the socket closes with 1009",
    () =>
      Effect.gen(function* () {
        const { port } = yield* Server.serve({ maxBodyBytes: 200_000 })
        const closed = (send: (socket: WebSocket) => void) =>
          Effect.async<number>((resume) => {
            const socket = new WebSocket(`ws://127.0.0.1:${port + 1}`)
            socket.on("open", () => send(socket))
            socket.on("message", (data: Buffer) => resume(Effect.succeed(data.length)))
            socket.on("error", () => {})
            socket.on("close", (code) => resume(Effect.succeed(code)))
            return Effect.sync(() => socket.terminate())
          })
        const part = Buffer.alloc(150_000, " ")
        expect(yield* closed((socket) => socket.send(Buffer.alloc(50_000_000), () => {}))).toBe(1009)
        expect(
          yield* closed((socket) => {
            socket.send(part, { fin: false }, () => {})
            socket.send(part, { fin: true }, () => {})
          })
        ).toBe(1009)
        // What is within is answered, after others, and in fragments with a ping between.
        const answer = yield* closed((socket) => {
          const text = Buffer.concat([part, Buffer.from(BODY)])
          socket.send(text.subarray(0, 100), { fin: false, binary: false })
          socket.ping("between")
          socket.send(text.subarray(100), { fin: true, binary: false })
        })
        expect(answer).not.toBe(1009)
      }).pipe(cluster)
  )

  it.scopedLive("Given a tracer in the process, When the server answers a call, Then it makes no span", () => {
    const names: Array<string> = []
    const tracer = Tracer.make({
      context: (f) => f(),
      span: (name, parent, context, links, startTime, kind) => {
        names.push(name)
        return {
          _tag: "Span",
          name,
          spanId: `${names.length}`,
          traceId: "trace",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes: new Map(),
          links,
          sampled: true,
          kind,
          end: () => {},
          attribute: () => {},
          event: () => {},
          addLinks: () => {}
        }
      }
    })
    return Effect.gen(function* () {
      const { port } = yield* Server.serve()
      yield* call(port, {}, "POST", "/?api-key=secret")
      expect(yield* upgrade(port + 1, {})).toBe(101)
      expect(names).toStrictEqual([])
    }).pipe(Effect.provide(Layer.merge(EmbeddedCluster.layer({ podProgram: false }), Layer.setTracer(tracer))))
  })
})
