/** Sessions of HTTP/2 that the server breaks, leaves or starves. */
import { readFileSync } from "node:fs"
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2"
import { createSecureServer, performServerHandshake } from "node:http2"
import type { AddressInfo } from "node:net"
import { createServer } from "node:tls"
import type { TLSSocket } from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { ca } from "../support/secure.js"
import { parseCalls, until } from "./RpcPoolUndiciServer.js"

const key = readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8")

const pool = (port: number, options: Partial<RpcPoolUndici.SocketOptions> = {}) =>
  Effect.map(
    RpcPoolUndici.transport({
      url: Redacted.make(`https://127.0.0.1:${port}`),
      ca,
      requestTimeout: "20 seconds",
      ...options,
      http2: { stallTimeout: "400 millis", ...(options.http2 === false ? {} : options.http2) }
    }),
    (transport) => RpcPool.make(transport)
  )

const burst = (rpc: RpcPool.Service, count: number) =>
  Effect.all(
    Array.from({ length: count }, () => Effect.either(rpc.getSlot())),
    { concurrency: "unbounded" }
  )

const succeeded = (outcomes: ReadonlyArray<Either.Either<unknown, unknown>>) => outcomes.filter(Either.isRight).length

const reply = (stream: ServerHttp2Stream) => {
  const chunks: Array<Buffer> = []
  stream.on("error", () => undefined)
  stream.on("data", (chunk: Buffer) => chunks.push(chunk))
  stream.on("end", () => {
    if (stream.destroyed) return
    const id = parseCalls(Buffer.concat(chunks).toString())[0]?.id
    stream.respond({ ":status": 200 })
    stream.end(JSON.stringify({ jsonrpc: "2.0", id, result: 7 }))
  })
}

/** A server over TLS whose `hostile` first connections are treated so, and all later ones by Node's own HTTP/2. */
const serving = (hostile: number, treat: (socket: TLSSocket) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly port: number; readonly opened: () => number; readonly close: () => void }>((resume) => {
        const sockets = new Set<TLSSocket>()
        const good = createSecureServer({ key, cert: ca }).on("stream", reply)
        let opened = 0
        const server = createServer({ key, cert: ca, ALPNProtocols: ["h2"] }, (socket) => {
          sockets.add(socket)
          socket.on("error", () => undefined)
          if (++opened <= hostile) treat(socket)
          else good.emit("secureConnection", socket)
        })
        server.listen(0, "127.0.0.1", () =>
          resume(
            Effect.succeed({
              port: (server.address() as AddressInfo).port,
              opened: () => opened,
              close: () => {
                for (const socket of sockets) socket.destroy()
                server.close()
              }
            })
          )
        )
      }),
      ({ close }) => Effect.sync(close)
    ),
    (server) => server
  )

/** A server of Node's own, whose sessions are handed over. */
const speaking = (onSession: (session: ServerHttp2Session, nth: number) => void) => {
  let nth = 0
  return serving(Infinity, (socket) => {
    const session = performServerHandshake(socket)
    session.on("error", () => undefined)
    onSession(session, nth++)
  })
}

const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0))

const ILLEGAL: ReadonlyArray<readonly [name: string, bytes: Buffer]> = [
  ["a bad HPACK index", frame(1, 4, 1, Buffer.from([0xff, 0xff, 0xff, 0x7f]))],
  ["a frame of 1 MB", frame(0, 0, 1, Buffer.alloc(1_000_000))],
  ["DATA on stream 0", frame(0, 0, 0, Buffer.alloc(10))],
  ["a window beyond 2^31", frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))],
  ["a promise", frame(5, 4, 1, Buffer.from([0, 0, 0, 2, 0x82]))],
  ["CONTINUATION of nothing", frame(9, 4, 1, Buffer.from([0x88]))],
  ["HTTP/1.1", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["silence", Buffer.alloc(0)]
]

describe("RpcPoolUndici over sessions of HTTP/2", () => {
  for (const [name, bytes] of ILLEGAL)
    for (const connections of [1, 2])
      it.scopedLive(
        `Given ${name} on one of ${connections} sessions, When calls are made, Then the other sessions carry them`,
        () =>
          Effect.gen(function* () {
            const server = yield* serving(1, (socket) => {
              socket.write(SETTINGS)
              let size = 0
              socket.on("data", (chunk) => {
                if (size <= 100 && (size += chunk.length) > 100) socket.write(bytes)
              })
            })
            const rpc = yield* pool(server.port, { http2: { connections } })

            const [lost] = yield* burst(rpc, 1)
            const later = yield* burst(rpc, 50)

            assert.isTrue(lost !== undefined && Either.isLeft(lost) && lost.left.reason === "Transport")
            assert.strictEqual(succeeded(later), 50)
            assert.isAtMost(server.opened(), 1 + connections)
          })
      )

  it.scopedLive(
    "Given a graceful GOAWAY, When calls are in flight, Then they are answered, and later calls use another session",
    () =>
      Effect.gen(function* () {
        const held: Array<ServerHttp2Stream> = []
        const server = yield* speaking((session, nth) => {
          session.on("stream", (stream) => {
            if (nth > 0) return reply(stream)
            held.push(stream)
            if (held.length === 10) session.close()
          })
        })
        const rpc = yield* pool(server.port, { http2: { connections: 1, stallTimeout: "10 seconds" } })

        const early = yield* Effect.fork(burst(rpc, 10))
        yield* until(() => held.length === 10)
        yield* Effect.sleep("50 millis")
        const later = yield* burst(rpc, 10)
        for (const stream of held) reply(stream)

        assert.strictEqual(succeeded(later), 10)
        assert.strictEqual(succeeded(yield* early.await.pipe(Effect.flatten)), 10)
        assert.strictEqual(server.opened(), 2)
      })
  )

  it.scopedLive("Given a GOAWAY below the calls in flight, When it arrives, Then another session carries them", () =>
    Effect.gen(function* () {
      for (const code of [0, 2, 11]) {
        const server = yield* serving(1, (socket) => {
          socket.write(SETTINGS)
          let size = 0
          socket.on("data", (chunk) => {
            if (size <= 100 && (size += chunk.length) > 100)
              socket.write(frame(7, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, code])))
          })
        })
        assert.strictEqual(succeeded(yield* burst(yield* pool(server.port), 10)), 10)
      }
    })
  )

  it.scopedLive(
    "Given refused streams, When calls are made, Then another session carries them, a bounded number of times",
    () =>
      Effect.gen(function* () {
        let refusals = 0
        const server = yield* speaking((session) =>
          session.on("stream", (stream) => {
            if (refusals++ >= 5) return reply(stream)
            stream.on("error", () => undefined)
            stream.close(7)
          })
        )
        assert.strictEqual(succeeded(yield* burst(yield* pool(server.port), 10)), 10)
        refusals = -1e9
        assert.strictEqual(succeeded(yield* burst(yield* pool(server.port), 10)), 0)
      })
  )

  for (const [name, settings] of [
    ["no stream", { maxConcurrentStreams: 0 }],
    ["no byte", { initialWindowSize: 0 }]
  ] as const)
    it.scopedLive(`Given a session that allows ${name}, When calls are made, Then another session carries them`, () =>
      Effect.gen(function* () {
        const server = yield* speaking((session, nth) => {
          if (nth === 0) session.settings(settings)
          session.on("stream", reply)
        })
        const rpc = yield* pool(server.port, { http2: { connections: 1 } })

        // The first calls may be sent before the settings come.
        yield* burst(rpc, 1)
        assert.strictEqual(succeeded(yield* burst(rpc, 20)), 20)
        assert.strictEqual(server.opened(), 2)
      })
    )
})

describe("RpcPoolUndici without a connection", () => {
  it.scopedLive(
    "Given a handshake that fails or is silent, When a burst of calls waits for it, Then all fail with its reason",
    () =>
      Effect.gen(function* () {
        const silent = yield* Effect.acquireRelease(
          Effect.async<AddressInfo & { readonly close: () => void }>((resume) => {
            const sockets = new Set<{ readonly destroy: () => unknown }>()
            void import("node:net").then(({ createServer }) => {
              const server = createServer((socket) => sockets.add(socket.on("error", () => undefined)))
              server.listen(0, "127.0.0.1", () =>
                resume(
                  Effect.succeed({
                    ...(server.address() as AddressInfo),
                    close: () => {
                      for (const socket of sockets) socket.destroy()
                      server.close()
                    }
                  })
                )
              )
            })
          }),
          ({ close }) => Effect.sync(close)
        )
        const good = yield* speaking((session) => session.on("stream", reply))
        for (const http2 of [{}, false] as const) {
          const untrusted = RpcPool.make(
            yield* RpcPoolUndici.transport({ url: Redacted.make(`https://127.0.0.1:${good.port}`), http2 })
          )
          const refused = yield* burst(untrusted, 60)
          const waiting = RpcPool.make(
            yield* RpcPoolUndici.transport({
              url: Redacted.make(`https://127.0.0.1:${silent.port}`),
              connectTimeout: "300 millis",
              http2
            })
          )
          const timedOut = yield* burst(waiting, 60)
          const messages = (outcomes: typeof refused) =>
            new Set(
              outcomes.map(Either.match({ onLeft: ({ detail, reason }) => `${reason}: ${detail}`, onRight: () => "" }))
            )

          assert.match([...messages(timedOut)].join("|"), /^Timeout: no connection was made in time/)
          assert.strictEqual(messages(timedOut).size, 1)
          assert.strictEqual(messages(refused).size, 1)
          if (http2 === false)
            assert.match([...messages(refused)].join(), /which may be only HTTP\/2: do not set `http2: false`/)
          else assert.match([...messages(refused)].join(), /self-signed/)
        }
      })
  )
})
