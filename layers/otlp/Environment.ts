/** Reads OpenTelemetry's variables for exporters. An empty variable counts as absent. */
import * as Config from "effect/Config"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Telemetry from "../../services/Telemetry.js"
import * as Headers from "../internal/Headers.js"
import * as Setting from "../internal/Setting.js"
import * as Url from "../internal/Url.js"
import type { Options } from "./Options.js"

const DEFAULT_URL = "http://localhost:4318"

const url = (name: string): Config.Config<Option.Option<Redacted.Redacted>> =>
  Setting.optional({
    name,
    expected: "an http: or https: URL",
    parse: (text) =>
      Either.mapBoth(Url.http("url", text), { onLeft: ({ rule }) => `it ${rule}`, onRight: () => Redacted.make(text) })
  })

const millis = (name: string): Config.Config<Option.Option<number>> =>
  Setting.optional({
    name,
    expected: "a whole number of milliseconds above 0",
    parse: (text) => (/^[1-9]\d{0,9}$/.test(text) ? Either.right(Number(text)) : Either.left(undefined))
  })

/** `name=value,name=value` with percent escapes, as W3C Baggage writes it. */
const pairs = (text: string): Either.Either<Readonly<Record<string, string>>, undefined> =>
  Either.map(
    Either.all(
      text
        .split(",")
        .filter((pair) => pair.trim() !== "")
        .map((pair) => {
          const at = pair.indexOf("=")
          return at < 1
            ? Either.left(undefined)
            : Either.try({
                try: () => [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const,
                catch: () => undefined
              })
        })
    ),
    Record.fromEntries
  )

const PAIRS = "pairs of name=value with commas between them, percent-encoded"

const headers: Setting.Setting<Readonly<Record<string, Redacted.Redacted>>> = {
  name: "OTEL_EXPORTER_OTLP_HEADERS",
  expected: `${PAIRS}, which are valid HTTP headers`,
  parse: (text) =>
    Either.flatMap(pairs(text), (found) =>
      Either.mapBoth(Headers.make(found), {
        onLeft: () => undefined,
        onRight: Record.map((value) => Redacted.make(value))
      })
    )
}

const isExported = (signal: string): Config.Config<Option.Option<boolean>> =>
  Setting.optional({
    name: `OTEL_${signal}_EXPORTER`,
    expected: "otlp or none: other exporters are not supported",
    parse: Setting.oneOf({ otlp: true, none: false })
  })

const settings = Config.all({
  isDisabled: Setting.withDefault<boolean>(
    {
      name: "OTEL_SDK_DISABLED",
      expected: "true or false",
      parse: (text) => Setting.oneOf({ true: true, false: false })(text.toLowerCase())
    },
    false
  ),
  url: url("OTEL_EXPORTER_OTLP_ENDPOINT"),
  tracesUrl: url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
  metricsUrl: url("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"),
  logsUrl: url("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"),
  headers: Setting.optional(headers),
  protocol: Setting.optional<"http/json" | "http/protobuf">({
    name: "OTEL_EXPORTER_OTLP_PROTOCOL",
    expected: "http/protobuf or http/json: gRPC is not supported",
    parse: Setting.oneOf({ "http/protobuf": "http/protobuf", "http/json": "http/json" })
  }),
  requestTimeout: millis("OTEL_EXPORTER_OTLP_TIMEOUT"),
  exportInterval: millis("OTEL_BSP_SCHEDULE_DELAY"),
  metricInterval: millis("OTEL_METRIC_EXPORT_INTERVAL"),
  traces: isExported("TRACES"),
  metrics: isExported("METRICS"),
  logs: isExported("LOGS"),
  serviceName: Setting.optional({ name: "OTEL_SERVICE_NAME", expected: "a name", parse: Either.right }),
  resource: Setting.optional({ name: "OTEL_RESOURCE_ATTRIBUTES", expected: PAIRS, parse: pairs }),
  sampler: Config.option(Config.nonEmptyString("OTEL_TRACES_SAMPLER")),
  ratio: Telemetry.ratio
})

/** A function that overrides the application's options by the variables; `None` if they turn the exporter off. */
export const config: Config.Config<Option.Option<(options: Partial<Options>) => Options>> = Config.map(
  settings,
  ({ isDisabled, sampler, ...found }) => {
    if (isDisabled) return Option.none()
    const sampling = Option.map(sampler, () => found.ratio)
    return Option.some((options) => ({
      ...options,
      url: Option.getOrElse(found.url, () => options.url ?? DEFAULT_URL),
      endpoints: {
        traces: Option.getOrElse(found.tracesUrl, () => options.endpoints?.traces),
        metrics: Option.getOrElse(found.metricsUrl, () => options.endpoints?.metrics),
        logs: Option.getOrElse(found.logsUrl, () => options.endpoints?.logs)
      },
      headers: Option.getOrElse(found.headers, () => options.headers),
      protocol: Option.getOrElse(found.protocol, () => options.protocol),
      requestTimeout: Option.getOrElse(found.requestTimeout, () => options.requestTimeout),
      exportInterval: Option.getOrElse(found.exportInterval, () => options.exportInterval),
      metricInterval: Option.getOrElse(found.metricInterval, () => options.metricInterval),
      traces: Option.getOrElse(found.traces, () => options.traces),
      metrics: Option.getOrElse(found.metrics, () => options.metrics),
      logs: Option.getOrElse(found.logs, () => options.logs),
      serviceName: Option.getOrElse(found.serviceName, () => options.serviceName),
      resource: { ...options.resource, ...Option.getOrUndefined(found.resource) },
      sampling: Option.match(sampling, {
        onNone: () => options.sampling,
        onSome: (ratio) => ({ ...options.sampling, ratio })
      })
    }))
  }
)
