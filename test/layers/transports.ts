import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as RpcPoolHttpClient from "../../layers/RpcPoolHttpClient.js"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import type { EndpointsError } from "../../services/EndpointsError.js"
import * as RpcPool from "../../services/RpcPool.js"
import type { RpcTransport } from "../../services/RpcTransport.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as WebSockets from "../support/webSockets.js"

/** The options of subscriptions that both transports have. */
type Own = Pick<
  RpcPoolHttpClient.Options,
  | "maxNotificationBytes"
  | "reconnect"
  | "maxQueuedNotifications"
  | "maxQueuedBytes"
  | "maxSubscriptionsPerSocket"
  | "heartbeat"
  | "circuit"
>

/** Where a test's server is. */
interface Where {
  readonly url: string
  readonly wsUrl: string
}

const at = ({ url, wsUrl }: Where) => ({ url: Redacted.make(url), wsUrl: Redacted.make(wsUrl) })

const clients = Layer.merge(FetchHttpClient.layer, WebSockets.ws)

/** A transport of one endpoint, bare and as a pool that survives losses. */
interface Transport {
  readonly bare: (where: Where, options?: Own) => Effect.Effect<RpcTransport, InvalidInput, Scope.Scope>
  readonly pool: (
    where: Where,
    options?: Own
  ) => Effect.Effect<RpcPool.Service, EndpointsError | InvalidInput, Scope.Scope>
}

const undici: Transport = {
  bare: (where, options) => RpcPoolUndici.transport({ ...at(where), ...options }),
  pool: (where, options) => RpcPoolUndici.make({ ...at(where), ...options })
}

const platform: Transport = {
  bare: (where, options) => Effect.provide(RpcPoolHttpClient.transport({ ...at(where), ...options }), clients),
  pool: (where, options) =>
    Effect.map(Effect.provide(RpcPoolHttpClient.endpoints({ ...at(where), ...options }), clients), (transport) =>
      RpcPool.make(transport)
    )
}

export const transports: readonly [readonly [string, Transport], readonly [string, Transport]] = [
  ["undici", undici],
  ["@effect/platform", platform]
]
