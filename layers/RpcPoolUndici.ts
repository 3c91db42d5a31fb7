/**
 * The `RpcPool` of Node: one endpoint over undici, with HTTP/1.1 or HTTP/2 for calls and one WebSocket for
 * subscriptions.
 *
 * Interrupting a call aborts its request. Closing the scope closes every socket. Nothing of the URL but its host ever
 * gets into a span, a log or an error.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as JsonRpc from "../services/rpc/JsonRpc.js"
import * as Subscriptions from "../services/rpc/Subscriptions.js"
import * as RpcPool from "../services/RpcPool.js"
import type { RpcTransport } from "../services/RpcTransport.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Endpoint from "./undici/Endpoint.js"
import * as Http from "./undici/Http.js"
import * as Settings from "./undici/Settings.js"
import * as Sockets from "./undici/Sockets.js"

export type { Options } from "./undici/Settings.js"

/**
 * One endpoint. Fails with `InvalidInput` that names the option when a URL or a number is out of its rule; connects
 * when the first call is made.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transport = (options: Settings.Options): Effect.Effect<RpcTransport, InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    const endpoint = yield* Endpoint.make(options)
    const settings = yield* Settings.make(options)
    const post = yield* Http.make(endpoint, settings)
    const open = yield* Sockets.make(endpoint, settings)
    const { host } = endpoint
    let nextId = 1

    return {
      host,
      request: (method, params) =>
        Effect.suspend(() => {
          const id = nextId++
          return Effect.flatMap(post(method, JsonRpc.request(id, method, params)), (reply) =>
            JsonRpc.reply(reply, id, method, host)
          )
        }),
      batch: (calls) =>
        Effect.suspend(() => {
          if (calls.length === 0) return Effect.succeed([])
          const firstId = nextId
          nextId += calls.length
          return Effect.flatMap(post("batch", JsonRpc.batchRequest(firstId, calls)), (reply) =>
            JsonRpc.batchReply(reply, firstId, calls, host)
          )
        }),
      subscribe: Subscriptions.make({
        host,
        open,
        capacity: settings.subscriptionBuffer,
        timeout: settings.headersTimeout,
        perSocket: settings.subscriptionsPerSocket
      })
    }
  })

/**
 * A pool over {@link transport}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Settings.Options): Effect.Effect<RpcPool.Service, InvalidInput, Scope.Scope> =>
  Effect.map(transport(options), (transport) => RpcPool.make(transport, options))

/**
 * The pool as a Layer.
 *
 * @example
 * ```ts
 * import { RpcPool } from "@pod-protocol/effect"
 * import * as RpcPoolUndici from "@pod-protocol/effect/layers/RpcPoolUndici"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const main = Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.getSlot())
 *
 * const live = RpcPoolUndici.layer({ url: Redacted.make("http://127.0.0.1:8899") })
 *
 * const program = Effect.provide(main, live)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Settings.Options): Layer.Layer<RpcPool.RpcPool, InvalidInput> =>
  Layer.scoped(RpcPool.RpcPool, make(options))

/**
 * The pool with options from configuration, e.g. `{ url: Config.redacted("POD_RPC_URL") }`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Settings.Options>
): Layer.Layer<RpcPool.RpcPool, InvalidInput | ConfigError.ConfigError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))
