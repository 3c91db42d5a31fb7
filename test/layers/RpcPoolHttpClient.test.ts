import { inspect } from "node:util"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Socket from "@effect/platform/Socket"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as RpcPoolHttpClient from "../../layers/RpcPoolHttpClient.js"
import * as RpcPool from "../../services/RpcPool.js"
import type { RpcError } from "../../services/RpcTransport.js"
import { recorder } from "../support/spans.js"
import * as WebSockets from "../support/webSockets.js"
import { answer, serve, until } from "./RpcPoolUndiciServer.js"

const clients = [
  ["fetch", FetchHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici]
] as const

const pool = (url: string, options: Partial<RpcPoolHttpClient.EndpointOptions> = {}) =>
  Effect.map(RpcPoolHttpClient.transport({ url: Redacted.make(url), ...options }), (transport) =>
    RpcPool.make(transport)
  )

describe.each(clients)("RpcPoolHttpClient over %s", (_, client) => {
  const provided = Effect.provide(Layer.merge(client, WebSockets.ws))

  it.scopedLive(
    "Given secrets in the URL, When calls are traced, Then spans have no secret and requests no trace header",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: (request, response) => {
            if (request.calls[0]?.method === "getHealth") return void response.destroy()
            answer(request, response, 5)
          }
        })
        const { layer, spans } = recorder()
        const rpc = yield* pool(`${server.url}/SECRET?api-key=SECRET`, {
          headers: { "x-token": Redacted.make("SECRET") }
        })

        const slot = yield* rpc.getSlot().pipe(Effect.withSpan("caller"), Effect.provide(layer))
        const error = yield* Effect.flip(rpc.getHealth).pipe(Effect.provide(layer))

        assert.strictEqual(slot, 5n)
        assert.strictEqual(error.reason, "Transport")
        assert.notInclude(inspect({ spans, error }, { depth: 12 }), "SECRET")
        assert.deepStrictEqual(
          spans.map(({ name }) => name),
          ["caller", "getSlot", "getHealth"]
        )
        const headers = Object.keys(server.requests[0]?.headers ?? {})
        assert.include(headers, "x-token")
        assert.deepStrictEqual(
          headers.filter((name) => ["b3", "traceparent"].includes(name)),
          []
        )
      }).pipe(provided)
  )

  it.scopedLive(
    "Given replies that are no answers, When they are read, Then each fails with the reason of its kind",
    () =>
      Effect.gen(function* () {
        const server = yield* serve({
          onRequest: ({ calls: [call] }, response) => {
            switch (call?.method) {
              case "getSlot":
                return void response.writeHead(429, { "retry-after": "7" }).end()
              case "getHealth":
                return void response.writeHead(502).end("<html>")
              case "getVersion":
                return void response.end("<html>")
              case "getIdentity":
                return void response.end("x".repeat(2000))
            }
          }
        })
        const rpc = yield* pool(server.url, { maxReplyBytes: 1000 })
        const limited = yield* Effect.flip(rpc.getSlot())
        const others = yield* Effect.forEach(
          [
            rpc.getHealth,
            rpc.getVersion,
            rpc.getIdentity,
            (yield* pool(server.url, { requestTimeout: "300 millis" })).getGenesisHash,
            (yield* pool("http://127.0.0.1:2")).getHealth
          ],
          (call: Effect.Effect<unknown, RpcError>) => Effect.flip(call)
        )

        assert.strictEqual(limited.reason, "RateLimited")
        assert.deepStrictEqual(Option.fromNullable(limited.retryAfter), Option.some(Duration.seconds(7)))
        assert.deepStrictEqual(
          others.map(({ reason }) => reason),
          ["HttpStatus", "Decode", "Decode", "Timeout", "Transport"]
        )
        assert.include(others[2]?.detail, "longer than 1000 bytes")
        assert.include(others[4]?.message, "getHealth at 127.0.0.1:2: ")
        assert.include(others[4]?.message, "ECONNREFUSED")
      }).pipe(provided)
  )

  it.scopedLive("Given a call without an answer, When it is interrupted, Then the server sees the request end", () =>
    Effect.gen(function* () {
      let isClosed = false
      const server = yield* serve({ onRequest: (_, response) => response.on("close", () => (isClosed = true)) })
      const fiber = yield* Effect.fork((yield* pool(server.url)).getSlot())
      yield* until(() => server.requests.length === 1)

      yield* Fiber.interrupt(fiber)

      yield* until(() => isClosed)
    }).pipe(provided)
  )

  it.scopedLive("Given a bad option, When the pool is made, Then InvalidInput names it", () =>
    Effect.gen(function* () {
      const bad = [
        ["url", { url: Redacted.make("file:///etc/SECRET") }],
        ["headers", { headers: { "a b": Redacted.make("SECRET") } }],
        ["maxReplyBytes", { maxReplyBytes: 0 }],
        ["requestTimeout", { requestTimeout: "0 millis" }]
      ] as const
      for (const [field, options] of bad) {
        const error = yield* Effect.flip(pool("http://node", options))
        assert.strictEqual(error.field, field)
        assert.notInclude(inspect(error, { depth: 8 }), "SECRET")
      }
    }).pipe(provided)
  )
})

/** A socket of Node 22 whose handshake fails: it emits an error and no close event. */
class FailedSocket extends EventTarget {
  binaryType = "blob"

  constructor() {
    super()
    setTimeout(() => this.dispatchEvent(new Event("error")), 5)
  }

  close(): void {}
}

describe("RpcPoolHttpClient with a WebSocket that emits no close event", () => {
  it.scopedLive("Given a handshake that fails, When subscribed, Then the subscription fails at once", () =>
    Effect.gen(function* () {
      const wsUrl = Redacted.make("ws://127.0.0.1:9")
      const { subscribe } = yield* RpcPoolHttpClient.transport({ url: Redacted.make("http://127.0.0.1:9"), wsUrl })
      const error = yield* Effect.flip(Stream.runDrain(subscribe("slot", [])))
      assert.include(error, { _tag: "SubscriptionError", reason: "Connect" })
    }).pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(Socket.WebSocketConstructor, () => new FailedSocket() as unknown as globalThis.WebSocket)
    )
  )
})
