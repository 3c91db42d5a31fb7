/**
 * The `RpcPool` for Node: endpoints over undici, with HTTP/1.1 or HTTP/2 for calls and WebSockets for subscriptions.
 *
 * Interrupting a call aborts its request. Closing the scope closes every socket. Spans, logs and errors contain only
 * the host of the URL.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { EndpointsError } from "../services/EndpointsError.js"
import * as Resilience from "../services/Resilience.js"
import * as RpcPool from "../services/RpcPool.js"
import type { RpcTransport } from "../services/RpcTransport.js"
import type * as Endpoint from "../services/transport/Endpoint.js"
import type * as Endpoints from "../services/transport/Endpoints.js"
import * as WireTransport from "../services/wire/WireTransport.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Secrets from "./internal/Secrets.js"
import * as Url from "./internal/Url.js"
import * as Settings from "./undici/Settings.js"

export type { Options as SocketOptions } from "./undici/Settings.js"

/** Loaded on first use, because undici is a quarter of the package's start-up cost. */
const modules = Effect.promise(() => Promise.all([import("./undici/Http.js"), import("./undici/Sockets.js")]))

/**
 * Detects Bun, which replaces undici with its own module. Its pools cannot be closed, so the layer fails at the start
 * instead of when the Scope closes.
 */
const loaded = Effect.flatMap(
  Effect.promise(() => import("undici")),
  ({ Pool }) =>
    Predicate.hasProperty(Pool.prototype, "destroy") && Predicate.hasProperty(Pool.prototype, "dispatch")
      ? modules
      : new InvalidInput({
          field: "RpcPoolUndici",
          rule: "needs undici, but this runtime has its own module instead (Bun does): use RpcPoolHttpClient.layer instead"
        })
)

/**
 * The transport to one endpoint, without retries: it reports each failure as it occurs. An invalid URL or number fails
 * with `InvalidInput`, which names the option. It connects with the first call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transport = (options: Settings.Options): Effect.Effect<RpcTransport, InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    const endpoint = yield* Url.make(options)
    const settings = yield* Settings.make(options)
    const [Http, Sockets] = yield* loaded
    return yield* WireTransport.make(
      {
        host: endpoint.host,
        post: yield* Http.make(endpoint, settings),
        open: yield* Sockets.make(endpoint, settings),
        clean: Secrets.redactor(endpoint, settings.headers),
        subscribeTimeout: settings.headersTimeout
      },
      settings
    )
  })

/**
 * One endpoint: its transport, its roles and its limits.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndpointOptions extends Settings.Options, Omit<Endpoint.Options, "deadline"> {}

/**
 * A pool over one endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends EndpointOptions, RpcPool.Options, Resilience.Options {}

/**
 * A pool over several endpoints of one cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndpointsOptions extends RpcPool.Options, Resilience.Options {
  /** At least one endpoint for reads and one for sending. */
  readonly endpoints: ReadonlyArray<EndpointOptions>
}

/**
 * Combines the endpoints into one transport, with retries, limits, failover, shared reads and automatic resubscription.
 * It also reports the health of each endpoint. At the start it compares the clusters of several endpoints. A single
 * endpoint is checked only if `genesis` or `program` is given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const endpoints: (
  options: Options | EndpointsOptions
) => Effect.Effect<Endpoints.Endpoints, EndpointsError | InvalidInput, Scope.Scope> = Resilience.open<
  EndpointOptions,
  Scope.Scope
>(transport)

/**
 * A pool over {@link endpoints}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options | EndpointsOptions
): Effect.Effect<RpcPool.Service, EndpointsError | InvalidInput, Scope.Scope> =>
  Effect.map(endpoints(options), (transport) => RpcPool.make(transport, options))

/**
 * The pool as a Layer.
 *
 * @example
 * ```ts
 * import { RpcPool } from "@pod-protocol/effect"
 * import * as RpcPoolUndici from "@pod-protocol/effect/layers/RpcPoolUndici"
 * import * as Effect from "effect/Effect"
 *
 * const main = Effect.flatMap(RpcPool.RpcPool, (rpc) => rpc.getSlot())
 *
 * const one = RpcPoolUndici.layer({ url: "http://127.0.0.1:8899" })
 *
 * const several = RpcPoolUndici.layer({
 *   endpoints: [
 *     { url: "https://paid.example/?api-key=k", weight: 3, limits: { requests: { perSecond: 50 } } },
 *     { url: "https://api.mainnet-beta.solana.com", limits: { requests: { perSecond: 10 } } },
 *     { url: "https://relay.example", roles: ["send"] }
 *   ],
 *   hedge: {}
 * })
 *
 * const program = Effect.provide(main, one)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options | EndpointsOptions
): Layer.Layer<RpcPool.RpcPool, EndpointsError | InvalidInput> => Layer.scoped(RpcPool.RpcPool, make(options))

/**
 * The pool with options from configuration, e.g. `{ url: Config.redacted("POD_RPC_URL") }`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options | EndpointsOptions>
): Layer.Layer<RpcPool.RpcPool, ConfigError.ConfigError | EndpointsError | InvalidInput> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))
