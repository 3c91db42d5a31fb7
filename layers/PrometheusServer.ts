/**
 * Serves metrics to Prometheus over a `HttpServer` of `@effect/platform`: those of Effect's registry and of the service
 * `Metrics`. `PrometheusServerNode` binds it to a port on Node.
 *
 * | request | answer |
 * |---|---|
 * | `GET /metrics`, `HEAD /metrics` | 200 in the text format 0.0.4 |
 * | any other method | 405 |
 * | any other path | 404 |
 *
 * Every client that reaches the port can read names and numbers, so bind it to an address that only Prometheus reaches.
 *
 * @since 0.1.0
 */
import type { Default as HttpApp } from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Function from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Metrics } from "../services/Metrics.js"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Series from "./internal/Series.js"
import * as Text from "./prometheus/Text.js"

/**
 * Options of the server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The path of the metrics. Default `/metrics`. */
  readonly path?: string | undefined
  /**
   * Maximum series, at least 1. Default 2,000. Too low: series are left out, and counted as
   * `pod_telemetry_series_left_out`. Too high: labels with ever new values make large scrapes.
   */
  readonly maxSeries?: number | undefined
}

const settingsOf = (options: Options) =>
  Effect.gen(function* () {
    const { path = "/metrics" } = options
    if (!/^\/[\w./-]{0,200}$/.test(path)) {
      return yield* new InvalidInput({ field: "path", rule: "must begin with / and hold letters, digits, . _ / and -" })
    }
    return { path, maxSeries: yield* Check.integer("maxSeries", options.maxSeries ?? 2000, 1) }
  })

/**
 * The content type of {@link text}.
 *
 * @since 0.1.0
 * @category constants
 */
export const CONTENT_TYPE: string = Text.CONTENT_TYPE

/**
 * The current metrics in Prometheus' text format, for an application that answers scrapes itself.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (options: Options = {}): Effect.Effect<string, InvalidInput> =>
  Effect.flatMap(settingsOf(options), ({ maxSeries }) => written(maxSeries))

const written = (maxSeries: number): Effect.Effect<string> =>
  Effect.gen(function* () {
    const metrics = yield* Effect.serviceOption(Metrics)
    const snapshot = yield* Effect.transposeMapOption(metrics, (service) => service.snapshot)
    return Text.write(Series.read(Option.getOrUndefined(snapshot), maxSeries))
  })

/**
 * The server as an `HttpApp`, for an application that mounts it in its own server.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<HttpApp, InvalidInput> =>
  Effect.map(settingsOf(options), ({ maxSeries, path }) =>
    Effect.gen(function* () {
      const { method, url } = yield* HttpServerRequest.HttpServerRequest
      if (url.replace(/[?#].*$/s, "") !== path) return HttpServerResponse.text("Not found\n", { status: 404 })
      if (method !== "GET" && method !== "HEAD") {
        return HttpServerResponse.text("Use GET\n", { status: 405, headers: { allow: "GET, HEAD" } })
      }
      return HttpServerResponse.text(yield* written(maxSeries), { contentType: Text.CONTENT_TYPE })
    })
  )

/**
 * Serves until the scope closes. A scrape makes no span.
 *
 * @example
 * ```ts
 * import { Metrics } from "@pod-protocol/effect"
 * import * as PrometheusServerNode from "@pod-protocol/effect/layers/PrometheusServerNode"
 * import * as Layer from "effect/Layer"
 *
 * // With a server of the application's own: PrometheusServer.layer(), provided with its HttpServer
 * export const Scraped = PrometheusServerNode.layer({ port: 9464 }).pipe(Layer.provideMerge(Metrics.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<never, InvalidInput, HttpServer.HttpServer> =>
  Layer.scopedDiscard(
    Effect.flatMap(make(options), (app) =>
      HttpMiddleware.withTracerDisabledWhenEffect(HttpServer.serveEffect(app), Function.constTrue)
    )
  )
