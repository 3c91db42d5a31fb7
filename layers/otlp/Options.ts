/** The options, operations and statistics of the exporter. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Telemetry from "../../services/Telemetry.js"

/**
 * Numbers of one signal's items: spans, metrics or log records. `made` is the sum of `sent`, `dropped` and `waiting`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignalStats {
  /** Items to export. */
  readonly made: number
  /** Items that the collector accepted. */
  readonly sent: number
  /** Items that were lost: the queue was full, the collector refused them, or the process ended. */
  readonly dropped: number
  readonly waiting: number
  /** The encoded size of the waiting items. */
  readonly waitingBytes: number
}

/**
 * The numbers of all signals.
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
   * Reads the metrics and sends all waiting items. It ends when no item waits, so bound it with a timeout. It is for
   * platforms that stop a process between two requests.
   */
  readonly flush: Effect.Effect<void>
  /** The numbers so far, also after the layer has closed. */
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
  /** Complete URLs for single signals, instead of `url`. Default: the path of each signal below `url`. */
  readonly endpoints?:
    | {
        readonly traces?: string | Redacted.Redacted | undefined
        readonly metrics?: string | Redacted.Redacted | undefined
        readonly logs?: string | Redacted.Redacted | undefined
      }
    | undefined
  /** Headers of each request, such as a vendor's key. Default: none. Their values are removed from all exported texts. */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  /** The name of the service. Default: `service.name` of `resource`, or `unknown_service`. */
  readonly serviceName?: string | undefined
  /** Attributes of the process, such as `service.version` and `deployment.environment.name`. Default: none. */
  readonly resource?: Readonly<Record<string, string>> | undefined
  /** Default `http/protobuf`. `http/json` is for collectors without protobuf; its requests are larger. */
  readonly protocol?: "http/json" | "http/protobuf" | undefined
  /** Whether spans are exported. Default true. */
  readonly traces?: boolean | undefined
  /** Whether metrics are exported. Default true. */
  readonly metrics?: boolean | undefined
  /** Whether log entries are exported, beside the application's own logger. Default true. */
  readonly logs?: boolean | undefined
  /** The sampling of traces. Default: the `Telemetry` of the context, or else all traces. */
  readonly sampling?: Telemetry.Options | undefined
  /**
   * Texts to remove from everything exported, each of at least 8 characters, such as keys that logs might show. Default
   * none.
   */
  readonly secrets?: ReadonlyArray<string | Redacted.Redacted> | undefined
  /**
   * Maximum series of metrics, at least 1. Default 2,000. Too low: series are left out, and counted as
   * `pod_telemetry_series_left_out`. Too high: labels with ever new values make large requests.
   */
  readonly maxSeries?: number | undefined
  /**
   * Maximum waiting bytes of one signal, at least 1,024. Default 8 MiB (8,388,608), about 20,000 spans. Too low: spans
   * are dropped in bursts and outages. Too high: an outage fills the memory.
   */
  readonly maxQueueBytes?: number | undefined
  /**
   * Maximum items of a request, 1 to 100,000. Default 1,000. A request of several items has at most 1 MiB. Too low:
   * many requests. Too high: a refused request loses more items.
   */
  readonly maxBatch?: number | undefined
  /**
   * Time in which spans and log records gather for a request. Default 5 seconds. Too low: many requests. Too high: they
   * arrive late, and a killed process loses more.
   */
  readonly exportInterval?: Duration.DurationInput | undefined
  /**
   * Time between two exports of metrics. Default 60 seconds. Too low: many requests. Too high: metrics have a low
   * resolution.
   */
  readonly metricInterval?: Duration.DurationInput | undefined
  /**
   * Time limit from a request to the last byte of its reply. Default 10 seconds. Too low: slow collectors get batches
   * twice. Too high: a hanging collector delays the export for long.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * Time limit for sending the waiting items when the layer closes. Default 3 seconds. Too low: the last spans are
   * dropped. Too high: an application ends late if the collector is down.
   */
  readonly shutdownTimeout?: Duration.DurationInput | undefined
}
