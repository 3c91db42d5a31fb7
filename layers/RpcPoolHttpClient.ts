/**
 * The `RpcPool` over a `HttpClient` of `@effect/platform`: for browsers, edge workers and other runtimes.
 *
 * The application provides the client (`FetchHttpClient.layer`, `NodeHttpClient.layerUndici`, a stub) and the
 * constructor of WebSockets, such as `Socket.layerWebSocketConstructorGlobal`. On Node, `RpcPoolUndici` takes a
 * fraction of the CPU time and has options for sockets; here the client owns the sockets.
 *
 * The layer disables the client's spans and trace headers. The spans would show the URL with its API key to the tracer;
 * the headers would show the trace to the provider.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as PlatformSocket from "@effect/platform/Socket"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { EndpointsError } from "../services/EndpointsError.js"
import * as Resilience from "../services/Resilience.js"
import * as RpcPool from "../services/RpcPool.js"
import type { RpcTransport } from "../services/RpcTransport.js"
import type * as Endpoint from "../services/transport/Endpoint.js"
import type * as Endpoints from "../services/transport/Endpoints.js"
import * as WireTransport from "../services/wire/WireTransport.js"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as ExtraHeaders from "./internal/Headers.js"
import * as Secrets from "./internal/Secrets.js"
import * as Url from "./internal/Url.js"

/**
 * One endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndpointOptions extends Url.Options, WireTransport.Options, Omit<Endpoint.Options, "deadline"> {
  /**
   * Headers of every request, but not of the WebSocket: browsers cannot set them there. Plain texts are redacted as for
   * `url`. Default: none.
   */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  /**
   * Time limit from a call to the last byte of its reply, and from a subscribe call to its answer. Default: 60 seconds.
   * Too low: slow calls (getProgramAccounts) fail while the node works on them. Too high: a silent node is detected
   * late.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
}

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

/** Loaded on use: only applications that provide a client need these 26 modules. */
const loaded = Effect.promise(() => Promise.all([import("./platform/Http.js"), import("./platform/Sockets.js")]))

/**
 * The transport to one endpoint, without retries: it reports each failure as it occurs. Fails with `InvalidInput` that
 * names the option if a URL or a number is invalid. Connects with the first call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transport = (
  options: EndpointOptions
): Effect.Effect<
  RpcTransport,
  InvalidInput,
  HttpClient.HttpClient | PlatformSocket.WebSocketConstructor | Scope.Scope
> =>
  Effect.gen(function* () {
    const endpoint = yield* Url.make(options)
    const headers = yield* ExtraHeaders.make(options.headers)
    const timeout = yield* Check.millis("requestTimeout", options.requestTimeout ?? "60 seconds")
    const settings = yield* WireTransport.settings(options)
    const [Http, Sockets] = yield* loaded
    return yield* WireTransport.make(
      {
        host: endpoint.host,
        post: yield* Http.make(endpoint, { headers, timeout }),
        open: yield* Sockets.make(endpoint),
        clean: Secrets.redactor(endpoint, headers),
        subscribeTimeout: Duration.millis(timeout)
      },
      settings
    )
  })

/**
 * The endpoints as one transport, as in `RpcPoolUndici.endpoints`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const endpoints: (
  options: Options | EndpointsOptions
) => Effect.Effect<
  Endpoints.Endpoints,
  EndpointsError | InvalidInput,
  HttpClient.HttpClient | PlatformSocket.WebSocketConstructor | Scope.Scope
> = Resilience.open(transport)

/**
 * The pool as a Layer.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Socket from "@effect/platform/Socket"
 * import * as RpcPoolHttpClient from "@pod-protocol/effect/layers/RpcPoolHttpClient"
 * import * as Layer from "effect/Layer"
 *
 * export const live = RpcPoolHttpClient.layer({ url: "https://api.devnet.solana.com" }).pipe(
 *   Layer.provide([FetchHttpClient.layer, Socket.layerWebSocketConstructorGlobal])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options | EndpointsOptions
): Layer.Layer<
  RpcPool.RpcPool,
  EndpointsError | InvalidInput,
  HttpClient.HttpClient | PlatformSocket.WebSocketConstructor
> =>
  Layer.scoped(
    RpcPool.RpcPool,
    Effect.map(endpoints(options), (transport) => RpcPool.make(transport, options))
  )
