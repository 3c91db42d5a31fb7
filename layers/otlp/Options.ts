/** What an application gives the exporter, and what it gets. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Telemetry from "../../services/Telemetry.js"

/**
 * What became of one signal's items: spans, metrics or log records. `made` is the sum of the other three numbers.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignalStats {
  /** Items that were to be exported. */
  readonly made: number
  /** Items that the collector took. */
  readonly sent: number
  /** Items that were lost: the queue was full, the collector refused them, or the process ended. */
  readonly dropped: number
  readonly waiting: number
  /** The encoded size of what waits. */
  readonly waitingBytes: number
}

/**
 * What became of everything.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  readonly traces: SignalStats
  /** A metric counts at each export, with all its series. */
  readonly metrics: SignalStats
  readonly logs: SignalStats
}

/**
 * The operations of the exporter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Reads the metrics, and sends what waits. Ends when nothing waits: bound it with a timeout. For platforms that stop a
   * process between two requests.
   */
  readonly flush: Effect.Effect<void>
  /** What became of everything so far; after the end too. */
  readonly stats: Effect.Effect<Stats>
}

/**
 * Options of the exporter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * `http:` or `https:` URL of the collector, without `/v1/traces`: `http://localhost:4318`. Only its host is ever shown.
   */
  readonly url: string | Redacted.Redacted
  /** Whole URLs for single signals, in place of `url`. */
  readonly endpoints?:
    | {
        readonly traces?: string | Redacted.Redacted | undefined
        readonly metrics?: string | Redacted.Redacted | undefined
        readonly logs?: string | Redacted.Redacted | undefined
      }
    | undefined
  /** Headers of each request, such as a vendor's key. Their values are cut out of everything exported. */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  /** The name of the service. Default: that of `resource`, or `unknown_service`. */
  readonly serviceName?: string | undefined
  /** Attributes of the process: `service.version`, `deployment.environment.name`. */
  readonly resource?: Readonly<Record<string, string>> | undefined
  /** Default `http/protobuf`. `http/json` is for collectors that know no protobuf, and is larger. */
  readonly protocol?: "http/json" | "http/protobuf" | undefined
  /** Whether spans are exported. Default true. */
  readonly traces?: boolean | undefined
  /** Whether metrics are exported. Default true. */
  readonly metrics?: boolean | undefined
  /** Whether log entries are exported, beside the application's own logger. Default true. */
  readonly logs?: boolean | undefined
  /** Which traces are sampled. Default: the `Telemetry` of the context, or all. */
  readonly sampling?: Telemetry.Options | undefined
  /** Texts that are cut out of everything exported, of at least 8 characters: keys that logs might show. Default none. */
  readonly secrets?: ReadonlyArray<string | Redacted.Redacted> | undefined
  /**
   * The most series of metrics, at least 1. Default 2,000. Too low: series are left out, and counted as
   * `pod_telemetry_series_left_out`. Too high: labels with ever new values make large requests.
   */
  readonly maxSeries?: number | undefined
  /**
   * The most bytes of one signal that wait, at least 1,024. Default 8 MiB (8,388,608), about 20,000 spans. Too low: spans
   * are dropped in bursts and outages. Too high: an outage fills the memory.
   */
  readonly maxQueueBytes?: number | undefined
  /** The most items of a request, 1 to 100,000. Default 1,000. A request has at most 1 MiB. */
  readonly maxBatch?: number | undefined
  /**
   * Time in which spans and log records gather. Default 5 seconds. Too low: many requests. Too high: they are seen late,
   * and a killed process loses more.
   */
  readonly exportInterval?: Duration.DurationInput | undefined
  /** Time between two exports of metrics. Default 60 seconds. Too low: many requests. Too high: a coarse picture. */
  readonly metricInterval?: Duration.DurationInput | undefined
  /**
   * Time from a request to the last byte of its reply. Default 10 seconds. Too low: slow collectors see batches twice. Too
   * high: a collector that hangs is noticed late.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * Time for what waits when the layer closes. Default 3 seconds. Too low: the last spans are dropped. Too high: an
   * application ends late when the collector is down.
   */
  readonly shutdownTimeout?: Duration.DurationInput | undefined
}
