/**
 * Exports traces, metrics and logs by OpenTelemetry's protocol (OTLP) over HTTP, to a collector or a vendor.
 *
 * It needs no package but `@effect/platform`, and no change of code: spans of the SDK and of the application, metrics of
 * Effect's registry and of the service `Metrics`, and log entries.
 *
 * Nothing is lost in silence: `made = sent + dropped + waiting`, for each signal. What is made waits in a queue of bounded
 * bytes until the collector has taken it: through an outage, through a restart of the collector, and for a bounded time at
 * the end of the process. A batch whose reply was lost is sent again, so a collector may see it twice.
 *
 * No secret leaves the process by the exporter's doing: `Redacted` values, URL queries, keys in URLs, bytes, and
 * attributes with names of secrets are cut out of everything. Texts of the application are its own business, beside what
 * `secrets` names.
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

/** Loaded when it is used: it needs modules of `@effect/platform` that nothing else needs. */
const loaded = Effect.promise(() => import("./otlp/Exporter.js"))

/**
 * The exporter over a `HttpClient`, as a tracer, a logger and a sampling for all layers and programs above it. It connects
 * with the first export. Fails with `InvalidInput` that names the option.
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

/** Fetch as the client, without its module's weight for those who bring their own. */
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

/** Nothing is exported. */
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
 * As {@link layerFetch}, by OpenTelemetry's variables. `options` are the defaults of what no variable says.
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
