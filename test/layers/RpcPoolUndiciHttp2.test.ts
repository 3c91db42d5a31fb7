import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as Metrics from "../../services/Metrics.js"
import * as RpcPool from "../../services/RpcPool.js"
import { ca, serveSecure } from "../support/secure.js"
import { recorder } from "../support/spans.js"
import { parseCalls, until } from "./RpcPoolUndiciServer.js"

const pool = (url: string, options: Partial<RpcPoolUndici.SocketOptions> = {}) =>
  Effect.map(RpcPoolUndici.transport({ url: Redacted.make(url), ca, ...options }), (transport) =>
    RpcPool.make(transport)
  )

const slot = (body: string, result: unknown = 7) =>
  JSON.stringify({ jsonrpc: "2.0", id: parseCalls(body)[0]?.id, result })

const after =
  (millis: number, result?: unknown) =>
  (body: string): Promise<string> =>
    new Promise((resolve) => setTimeout(() => resolve(slot(body, result)), millis))

/** So many calls at once. */
const burst = (rpc: RpcPool.Service, count: number) =>
  Effect.all(
    Array.from({ length: count }, () => rpc.getSlot()),
    { concurrency: "unbounded" }
  )

const openConnections = (port: number, version: "1.1" | "2") =>
  Effect.map(
    Metric.value(
      Metrics.rpcConnections.pipe(
        Metric.tagged("server.address", `127.0.0.1:${port}`),
        Metric.tagged("network.protocol.version", version)
      )
    ),
    ({ value }) => value
  )

describe("RpcPoolUndici over TLS", () => {
  it.scopedLive(
    "Given a server of HTTP/2, 20 ms away, When 400 calls are made cold, Then two connections carry them",
    () =>
      Effect.gen(function* () {
        const server = yield* serveSecure(after(20))
        const rpc = yield* pool(server.url)

        const [elapsed, slots] = yield* Effect.timed(burst(rpc, 400))

        assert.strictEqual(slots.length, 400)
        assert.isAtMost(server.opened(), 2)
        assert.isAbove(server.maxInFlight(), 100)
        assert.isBelow(Number(elapsed.toString().match(/\d+/)?.[0] ?? 0), 5_000)
        assert.strictEqual(yield* openConnections(server.port, "2"), server.open())
      })
  )

  it.scopedLive("Given a server of HTTP/1.1 alone, When calls are made cold, Then each has its own connection", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(20), { http2: false })
      const rpc = yield* pool(server.url, { connections: 4 })

      yield* burst(rpc, 40)

      assert.strictEqual(server.maxInFlight(), 4)
      assert.isAtMost(server.opened(), 5)
      assert.isAtLeast(yield* openConnections(server.port, "1.1"), 4)
    })
  )

  it.scopedLive("Given servers of both versions, When a call is traced, Then its span has the version of HTTP", () =>
    Effect.gen(function* () {
      const { layer, spans } = recorder()
      for (const http2 of [{}, false] as const) {
        const server = yield* serveSecure(after(0), { http2 })
        yield* Effect.provide((yield* pool(server.url)).getSlot(), layer)
      }

      assert.deepStrictEqual(
        spans.map(({ attributes }) => attributes.get("network.protocol.version")),
        ["2", "1.1"]
      )
    })
  )

  it.scopedLive(
    "Given headers in capitals, When calls are made over both versions, Then each header is sent once",
    () =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const headers = { "Content-Type": "text/plain", "Accept-Encoding": "br", "X-Key": "k" }
        for (const http2 of [{}, false] as const) {
          const server = yield* serveSecure(
            (body, { headers }) => {
              seen.push([headers["content-type"], headers["accept-encoding"], headers["x-key"]])
              return Promise.resolve(slot(body))
            },
            { http2 }
          )
          yield* (yield* pool(server.url, { headers })).getSlot()
        }

        assert.deepStrictEqual(seen, [
          ["application/json", "gzip", "k"],
          ["application/json", "gzip", "k"]
        ])
      })
  )

  it.scopedLive("Given http2 false, When a server of both versions is called, Then the call uses HTTP/1.1", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(0))
      yield* (yield* pool(server.url, { http2: false })).getSlot()

      assert.strictEqual(server.sessions.length, 0)
      assert.strictEqual(yield* openConnections(server.port, "1.1"), 1)
    })
  )

  it.scopedLive("Given an untrusted certificate, When called, Then Transport names host and cause", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(0))
      const rpc = RpcPool.make(yield* RpcPoolUndici.transport({ url: Redacted.make(`${server.url}/SECRET`) }))

      const errors = yield* Effect.all(
        Array.from({ length: 5 }, () => Effect.flip(rpc.getSlot())),
        { concurrency: "unbounded" }
      )

      assert.deepStrictEqual(new Set(errors.map(({ reason }) => reason)), new Set(["Transport"]))
      assert.match(
        errors[0]?.message ?? "",
        new RegExp(`^getSlot at 127.0.0.1:${server.port}: .*self.signed certificate`)
      )
      assert.notInclude(inspect(errors, { depth: 9 }), "SECRET")
    })
  )

  it.scopedLive("Given connections that are cut, When called again, Then new ones are made", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(1))
      const rpc = yield* pool(server.url)
      yield* burst(rpc, 10)
      server.cut()
      yield* until(() => server.open() === 0)

      yield* Effect.retry(burst(rpc, 10), { times: 3 })

      assert.isAtLeast(server.opened(), 2)
    })
  )

  it.scopedLive("Given a limit of streams per connection, When more calls are made, Then no more are in flight", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(20))
      yield* burst(yield* pool(server.url, { http2: { connections: 1, maxConcurrentStreams: 7 } }), 50)

      assert.strictEqual(server.maxInFlight(), 7)
      assert.strictEqual(server.opened(), 1)
    })
  )

  it.scopedLive("Given window sizes, When a connection is made, Then its settings have them and disable push", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(0))
      const rpc = yield* pool(server.url, { http2: { initialWindowSize: 300_000, connectionWindowSize: 900_000 } })
      yield* rpc.getSlot()
      const [session] = server.sessions

      assert.strictEqual(session?.remoteSettings.initialWindowSize, 300_000)
      assert.isFalse(session?.remoteSettings.enablePush)
      assert.isAbove(session?.state.remoteWindowSize ?? 0, 800_000)
    })
  )

  it.scopedLive(
    "Given a ping interval, When a connection is idle, Then pings come; without an interval none come",
    () =>
      Effect.gen(function* () {
        const server = yield* serveSecure(after(0))
        yield* (yield* pool(server.url, { http2: { pingInterval: "20 millis" } })).getSlot()
        yield* (yield* pool(server.url, { keepAliveInterval: "1 minute" })).getSlot()
        const pings = [0, 0]
        server.sessions.forEach((session, index) => session.on("ping", () => (pings[index] = (pings[index] ?? 0) + 1)))

        yield* until(() => (pings[0] ?? 0) > 3)

        assert.strictEqual(pings[1], 0)
      })
  )

  it.scopedLive(
    "Given an idle timeout, When no call is made for its duration, Then the connection closes, and not earlier",
    () =>
      Effect.gen(function* () {
        const server = yield* serveSecure(after(150))
        const rpc = yield* pool(server.url, { keepAliveTimeout: "50 millis" })

        yield* rpc.getSlot()
        assert.strictEqual(server.open(), 1)
        yield* until(() => server.open() === 0)
        yield* rpc.getSlot()

        assert.strictEqual(server.opened(), 2)
      })
  )

  it.scopedLive("Given minIdleConnections, When sessions are lost, Then they are made again without a request", () =>
    Effect.gen(function* () {
      const server = yield* serveSecure(after(0))
      const rpc = yield* pool(server.url, { minIdleConnections: 2, keepAliveTimeout: "50 millis" })
      yield* until(() => server.open() === 2)

      yield* burst(rpc, 10)
      yield* Effect.sleep("200 millis")
      assert.deepStrictEqual([server.open(), server.opened()], [2, 2])
      server.cut()
      yield* until(() => server.opened() === 4 && server.open() === 2)

      assert.strictEqual(server.requests(), 10)
    })
  )

  it.scopedLive(
    "Given minIdleConnections over HTTP/1.1, When connections are used or lost, Then others replace them",
    () =>
      Effect.gen(function* () {
        const server = yield* serveSecure(after(0), { http2: false })
        const rpc = yield* pool(server.url, { minIdleConnections: 2 })
        yield* rpc.getSlot()

        yield* until(() => server.open() === 3)
        server.cut()
        yield* until(() => server.open() === 2)

        assert.strictEqual(server.requests(), 1)
      })
  )

  it.scopedLive("Given options that undici cannot honour, When the pool is made, Then each is refused by name", () =>
    Effect.gen(function* () {
      for (const [field, http2] of [
        ["http2.maxFrameSize", { maxFrameSize: 32_768 }],
        ["http2.adaptiveWindow", { adaptiveWindow: true }]
      ] as const) {
        const error = yield* Effect.flip(pool("https://node", { http2 }))
        assert.deepStrictEqual([error.field, error.rule], [field, "must be omitted: undici does not support it"])
      }
    })
  )
})
