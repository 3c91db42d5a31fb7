import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import { suite } from "./conformance.js"

const served = Layer.unwrapScoped(
  Effect.map(Server.serve(), ({ url, wsUrl }) =>
    RpcPoolUndici.layer({ url: Redacted.make(url), wsUrl: Redacted.make(wsUrl) })
  )
).pipe(Layer.provide(EmbeddedCluster.layer()))

suite("served over HTTP and WebSocket", served)
