/**
 * Serves metrics to Prometheus on Node; see `PrometheusServer`.
 *
 * @since 0.1.0
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Listening from "./internal/Listening.js"
import * as PrometheusServer from "./PrometheusServer.js"

/**
 * The server cannot start.
 *
 * - `PortTaken`: another server listens on the port.
 * - `Listen`: the address and port cannot be used.
 *
 * @since 0.1.0
 * @category errors
 */
export class PrometheusServerError extends printable(
  Schema.TaggedError<PrometheusServerError>("@pod-protocol/effect/PrometheusServerError")("PrometheusServerError", {
    reason: Schema.Literal("PortTaken", "Listen"),
    /** The failure, with advice. */
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `PortTaken`: the port may become free. */
  get isRetryable(): boolean {
    return this.reason === "PortTaken"
  }

  override get message(): string {
    return this.detail
  }
}

/**
 * Options of the server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends PrometheusServer.Options {
  /** TCP port. Default 9464, OpenTelemetry's port for Prometheus. 0: any free port. */
  readonly port?: number | undefined
  /** Address to listen on. Default 127.0.0.1, which only this machine reaches. */
  readonly host?: string | undefined
}

/**
 * The port and the URL of the server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Served {
  readonly port: number
  /** `http://host:port/metrics` */
  readonly url: string
}

/**
 * The running server.
 *
 * @since 0.1.0
 * @category tags
 */
export class PrometheusEndpoint extends Context.Tag("@pod-protocol/effect/PrometheusEndpoint")<
  PrometheusEndpoint,
  Served
>() {}

const DEFAULT_PORT = 9464
const MAX_PORT = 65_535

/** Maximum open connections. A scrape is one small request, so Prometheus needs only a few. */
const MAX_CONNECTIONS = 64
const HEADERS_TIMEOUT = 10_000
/** Longer than the usual interval of scrapes, so connections are reused. */
const IDLE_TIMEOUT = 120_000
const MAX_HEADER_BYTES = 8192

/**
 * Serves until the scope closes. `InvalidInput` names an invalid option; `PrometheusServerError` has the reason for
 * which it cannot listen.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = ({ host = "127.0.0.1", port = DEFAULT_PORT, ...options }: Options = {}): Effect.Effect<
  Served,
  InvalidInput | PrometheusServerError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    yield* Check.integer("port", port, 0, MAX_PORT)
    yield* Effect.asVoid(PrometheusServer.make(options))
    const http = yield* Listening.listen({
      host,
      port,
      maxConnections: MAX_CONNECTIONS,
      idleTimeout: IDLE_TIMEOUT,
      server: { headersTimeout: HEADERS_TIMEOUT, requestTimeout: HEADERS_TIMEOUT, maxHeaderSize: MAX_HEADER_BYTES }
    }).pipe(Effect.mapError((refusal) => new PrometheusServerError(refusal)))
    yield* Layer.build(Layer.provide(PrometheusServer.layer(options), Layer.succeed(HttpServer.HttpServer, http)))
    const bound = Listening.portOf(http, port)
    const { path = "/metrics" } = options
    return { port: bound, url: Listening.urlOf(host, bound) + path }
  })

/**
 * {@link serve} as a layer.
 *
 * @example
 * ```ts
 * import { Metrics } from "@pod-protocol/effect"
 * import * as PrometheusServerNode from "@pod-protocol/effect/layers/PrometheusServerNode"
 * import * as Layer from "effect/Layer"
 *
 * // Prometheus scrapes http://127.0.0.1:9464/metrics.
 * export const MetricsLive = Layer.provideMerge(PrometheusServerNode.layer(), Metrics.layer())
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<PrometheusEndpoint, InvalidInput | PrometheusServerError> =>
  Layer.scoped(PrometheusEndpoint, serve(options))
