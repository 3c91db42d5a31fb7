import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as RpcPool from "../../services/RpcPool.js"
import { answer, serve } from "./RpcPoolUndiciServer.js"

const withConfig = (entries: ReadonlyArray<readonly [string, string]>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(entries)))

describe("RpcPoolUndici options", () => {
  const bad: ReadonlyArray<readonly [field: string, options: Partial<RpcPoolUndici.Options>]> = [
    ["url", { url: Redacted.make("SECRET not a url") }],
    ["url", { url: Redacted.make("ftp://node/SECRET") }],
    ["url", { url: Redacted.make("http://user:SECRET@node") }],
    ["url", { url: Redacted.make("http://node/#SECRET") }],
    ["wsUrl", { wsUrl: Redacted.make("http://node/SECRET") }],
    ["wsUrl", { url: Redacted.make("http://node:65535/SECRET") }],
    ["headers", { headers: { "a b": Redacted.make("SECRET") } }],
    ["headers", { headers: { a: Redacted.make("SECRET\r\nb: c") } }],
    ["url", { url: "SECRET not a url" }],
    ["url", { url: "http://user:SECRET@node" }],
    ["wsUrl", { wsUrl: "http://node/SECRET" }],
    ["headers", { headers: { a: "SECRET\r\nb: c" } }],
    // @ts-expect-error a caller without types
    ["url", { url: { href: "SECRET" } }],
    // @ts-expect-error a caller without types
    ["wsUrl", { wsUrl: Redacted.make(["SECRET"]) }],
    // @ts-expect-error a caller without types
    ["headers", { headers: { a: 5 } }],
    ["connections", { connections: 0 }],
    ["maxReplyBytes", { maxReplyBytes: 1.5 }],
    ["maxReplyBytes", { maxReplyBytes: 2 ** 29 }],
    ["maxNotificationBytes", { maxNotificationBytes: 2 ** 29 }],
    ["maxQueuedNotifications", { maxQueuedNotifications: -1 }],
    ["headersTimeout", { headersTimeout: "0 millis" }],
    ["keepAliveTimeout", { keepAliveTimeout: "30 days" }],
    ["keepAliveInterval", { keepAliveInterval: "0 millis" }],
    ["requestTimeout", { requestTimeout: "0 millis" }],
    ["connectTimeout", { connectTimeout: "0 millis" }],
    ["minIdleConnections", { minIdleConnections: 3, connections: 2 }],
    ["maxSubscriptionsPerSocket", { maxSubscriptionsPerSocket: 0 }],
    ["http2.connections", { http2: { connections: 0 } }],
    ["http2.maxConcurrentStreams", { http2: { maxConcurrentStreams: 0 } }],
    ["http2.initialWindowSize", { http2: { initialWindowSize: 2 ** 31 } }],
    ["http2.connectionWindowSize", { http2: { connectionWindowSize: 0.5 } }],
    ["http2.pingInterval", { http2: { pingInterval: "0 millis" } }]
  ]
  it.scopedLive.each(bad)(
    "Given a bad %s, When the pool is made, Then InvalidInput names it, without the value",
    ([field, options]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(RpcPoolUndici.transport({ url: "http://node", ...options }))
        assert.strictEqual(error.field, field)
        assert.notInclude(inspect(error, { depth: 8 }), "SECRET")
      })
  )

  it.scopedLive("Given configuration, When the layer is built, Then it reads the URL and names a missing setting", () =>
    Effect.gen(function* () {
      const server = yield* serve({ onRequest: (request, response) => answer(request, response, 3) })
      const layer = RpcPoolUndici.layerConfig({ url: Config.redacted("POD_RPC_URL") })

      const context = yield* Layer.build(layer.pipe(Layer.provide(withConfig([["POD_RPC_URL", server.url]]))))
      const missing = yield* Effect.flip(Layer.build(layer.pipe(Layer.provide(withConfig([])))))

      assert.strictEqual(yield* Context.get(context, RpcPool.RpcPool).getSlot(), 3n)
      assert.include(String(missing), "POD_RPC_URL")
    })
  )
})
