/** The same suite through every pool that speaks over a socket, and through several endpoints. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as RpcPoolHttpClient from "../../layers/RpcPoolHttpClient.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import type * as RpcPool from "../../services/RpcPool.js"
import { suite } from "../embedded/conformance.js"
import { byEntry } from "../support/direct.js"
import { ca, secureProxy, serveSecure } from "../support/secure.js"
import * as WebSockets from "../support/webSockets.js"
import { suite as replies } from "./httpReplies.js"
import type { Connect } from "./httpReplies.js"
import { serve } from "./RpcPoolUndiciServer.js"

interface Door {
  readonly url: Redacted.Redacted
  readonly wsUrl: Redacted.Redacted
  readonly ca?: string
}

const plain: Effect.Effect<
  Door,
  unknown,
  EmbeddedCluster.EmbeddedCluster | Effect.Effect.Context<ReturnType<typeof Server.serve>>
> = Effect.map(Server.serve(), ({ url, wsUrl }) => ({ url: Redacted.make(url), wsUrl: Redacted.make(wsUrl) }))

const secure = Effect.gen(function* () {
  const { url, wsUrl } = yield* Server.serve()
  const proxy = yield* secureProxy(url)
  return { url: Redacted.make(proxy.url), wsUrl: Redacted.make(wsUrl), ca }
})

const over = <E, R>(door: typeof plain, layer: (door: Door) => Layer.Layer<RpcPool.RpcPool, E, R>) =>
  Layer.unwrapScoped(Effect.map(door, layer)).pipe(Layer.provide(EmbeddedCluster.layer()))

const portable = (client: Layer.Layer<HttpClient.HttpClient>) => (door: Door) =>
  RpcPoolHttpClient.layer(door).pipe(Layer.provide([client, WebSockets.ws]))

suite("undici over HTTP/2", over(secure, RpcPoolUndici.layer))

suite(
  "undici, three endpoints, hedged and in arrays",
  over(plain, (door) =>
    RpcPoolUndici.layer({ endpoints: [door, { ...door, arraySize: 10 }, door], hedge: {}, probeInterval: "50 millis" })
  )
)

suite("HttpClient over fetch", over(plain, portable(FetchHttpClient.layer)))

suite("HttpClient over undici", over(plain, portable(NodeHttpClient.layerUndici)))

const secret = (url: string) => ({
  url: Redacted.make(`${url}/path-SECRET?api-key=key-SECRET`),
  headers: { "x-token": Redacted.make("token-SECRET") }
})

const serving = (respond: Parameters<Connect>[0]) =>
  serve({
    onRequest: ({ body }, response) => {
      const reply = respond(body)
      if (reply === undefined) return void response.destroy()
      response.writeHead(reply.status, reply.headers).end(reply.body)
    }
  })

const throughClient =
  (client: Layer.Layer<HttpClient.HttpClient>): Connect =>
  (respond) =>
    Effect.gen(function* () {
      const { url } = yield* serving(respond)
      const context = yield* Layer.build(Layer.merge(client, WebSockets.ws))
      return yield* Effect.provide(RpcPoolHttpClient.transport(secret(url)), context)
    })

replies("undici", (respond) => Effect.flatMap(serving(respond), ({ url }) => RpcPoolUndici.transport(secret(url))))

replies("undici, begun without a fiber", (respond) =>
  Effect.flatMap(serving(respond), ({ url }) => Effect.map(RpcPoolUndici.transport(secret(url)), byEntry))
)

replies("undici over HTTP/2", (respond) =>
  Effect.flatMap(
    serveSecure((body) => Promise.resolve(respond(body) ?? "")),
    ({ url }) => RpcPoolUndici.transport({ ...secret(url), ca })
  )
)

replies("fetch", throughClient(FetchHttpClient.layer))

replies("the HttpClient over undici", throughClient(NodeHttpClient.layerUndici))
