/**
 * Exports traces, metrics and logs by OpenTelemetry's protocol (OTLP) over HTTP, to a collector or a vendor.
 *
 * It exports spans of the SDK and of the application, metrics of Effect's registry and of the service `Metrics`, and
 * log entries. It needs only `@effect/platform`, and no change of the application's code.
 *
 * Every loss is counted: `made = sent + dropped + waiting`, for each signal. Items wait in a queue of bounded bytes
 * until the collector has accepted them, also during its outage or restart. At the end of the process they wait for a
 * bounded time. A batch whose reply was lost is sent again, so a collector may see it twice.
 *
 * The exporter removes secrets: `Redacted` values, URL queries, keys in URLs, bytes, attributes with names of secrets,
 * and the texts of `secrets`. All other texts of the application are exported.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Telemetry from "../services/Telemetry.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { Options, Service, SignalStats } from "./otlp/Options.js"

export type { Options, Service, SignalStats, Stats } from "./otlp/Options.js"

/**
 * The exporter.
 *
 * @since 0.1.0
 * @category tags
 */
export class TelemetryOtlp extends Context.Tag("@pod-protocol/effect/TelemetryOtlp")<TelemetryOtlp, Service>() {}

/** Loaded on use, because only the exporter needs its modules of `@effect/platform`. */
const loaded = Effect.promise(() => import("./otlp/Exporter.js"))

/**
 * The exporter over a `HttpClient`. The layer sets the tracer, adds a logger and provides the sampling for the program
 * to which it is provided. It connects with the first export. Fails with `InvalidInput` that names the invalid option.
 *
 * Operations of a `Metrics` service in the context are exported as exponential histograms, whose percentiles are off by at
 * most 0.6 %.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import { Metrics, TelemetryOtlp } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const Observed = TelemetryOtlp.layer({
 *   url: "http://localhost:4318",
 *   serviceName: "mailbox",
 *   sampling: { ratio: 0.1 }
 * }).pipe(Layer.provideMerge(Metrics.layer()), Layer.provide(NodeHttpClient.layerUndici))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<Telemetry.Telemetry | TelemetryOtlp, InvalidInput, HttpClient.HttpClient> =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const { make } = yield* loaded
      const { logger, sampling, service, tracer } = yield* make(options)
      return Layer.mergeAll(
        Layer.succeed(TelemetryOtlp, service),
        Layer.succeed(Telemetry.Telemetry, sampling),
        Option.match(tracer, { onNone: () => Layer.empty, onSome: Layer.setTracer }),
        Option.match(logger, { onNone: () => Layer.empty, onSome: Logger.add })
      )
    })
  )

/** Fetch as the client. Its module is loaded only on use. */
const fetch = Layer.unwrapEffect(
  Effect.map(
    Effect.promise(() => import("@effect/platform/FetchHttpClient")),
    ({ layer }) => layer
  )
)

/**
 * As {@link layer}, over the `fetch` of the platform.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFetch = (options: Options): Layer.Layer<Telemetry.Telemetry | TelemetryOtlp, InvalidInput> =>
  Layer.provide(layer(options), fetch)

/** An exporter that exports nothing. */
const disabled: Layer.Layer<Telemetry.Telemetry | TelemetryOtlp, InvalidInput> = /* @__PURE__ */ Layer.suspend(() => {
  const none: SignalStats = { made: 0, sent: 0, dropped: 0, waiting: 0, waitingBytes: 0 }
  return Layer.merge(
    Layer.succeed(TelemetryOtlp, {
      flush: Effect.void,
      stats: Effect.succeed({ traces: none, metrics: none, logs: none })
    }),
    Telemetry.layer({ ratio: 0 })
  )
})

/**
 * As {@link layerFetch}, with options from OpenTelemetry's variables. `options` are the defaults for unset variables.
 *
 * | variable | default |
 * |---|---|
 * | `OTEL_SDK_DISABLED` | `false`; `true` exports nothing |
 * | `OTEL_EXPORTER_OTLP_ENDPOINT` | `http://localhost:4318` |
 * | `OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT` | the one above, with `/v1/traces` and so on |
 * | `OTEL_EXPORTER_OTLP_HEADERS` | none: `name=value,name=value`, percent-encoded |
 * | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf`, or `http/json` |
 * | `OTEL_EXPORTER_OTLP_TIMEOUT` | 10000 (milliseconds of a request) |
 * | `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` | `otlp`, or `none` |
 * | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | `unknown_service`, none |
 * | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | all; see `Telemetry.ratio` |
 * | `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_METRIC_EXPORT_INTERVAL` | 5000, 60000 (milliseconds) |
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Partial<Options> = {}
): Layer.Layer<Telemetry.Telemetry | TelemetryOtlp, ConfigError.ConfigError | InvalidInput> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { config } = yield* Effect.promise(() => import("./otlp/Environment.js"))
      return Option.match(yield* config, { onNone: () => disabled, onSome: (apply) => layerFetch(apply(options)) })
    })
  )
