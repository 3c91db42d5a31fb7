import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import { spans } from "../support/otlpExport.js"
import { receiver } from "../support/otlpReceiver.js"

const failure = (options: Partial<TelemetryOtlp.Options>) =>
  Effect.either(Effect.void.pipe(Effect.provide(TelemetryOtlp.layerFetch({ url: "http://localhost:1", ...options }))))

const withVariables = (variables: Record<string, string>) =>
  Layer.provide(
    TelemetryOtlp.layerConfig({ serviceName: "mine", shutdownTimeout: "30 seconds" }),
    Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )

describe("TelemetryOtlp: options", () => {
  it.effect.each<readonly [string, Partial<TelemetryOtlp.Options>]>([
    ["url", { url: "ftp://host" }],
    ["endpoints.logs", { endpoints: { logs: "nonsense" } }],
    ["maxQueueBytes", { maxQueueBytes: 0 }],
    ["maxBatch", { maxBatch: 0.5 }],
    ["maxSeries", { maxSeries: -1 }],
    ["exportInterval", { exportInterval: 0 }],
    ["metricInterval", { metricInterval: -1 }],
    ["requestTimeout", { requestTimeout: 0 }],
    ["shutdownTimeout", { shutdownTimeout: Infinity }],
    ["headers", { headers: { "bad name": "x" } }],
    ["secrets", { secrets: ["short"] }],
    ["ratio", { sampling: { ratio: 2 } }]
  ])("Given a bad %s, When the layer is built, Then InvalidInput names it", ([field, options]) =>
    Effect.map(failure(options), (result) => {
      expect(Option.getOrThrow(Either.getLeft(result))).toMatchObject({ _tag: "InvalidInput", field })
    })
  )

  it.scopedLive("Given OpenTelemetry's variables, When the layer reads them, Then they are obeyed", () =>
    Effect.gen(function* () {
      const [collector, other] = [yield* receiver(), yield* receiver()]
      yield* Effect.zipRight(spans(3), Effect.logInfo("log")).pipe(
        Effect.provide(
          withVariables({
            OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/base/`,
            OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${other.url}/own`,
            OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b,x-two=2",
            OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
            OTEL_METRICS_EXPORTER: "none",
            OTEL_RESOURCE_ATTRIBUTES: "service.name=other,zone=eu%2C1",
            OTEL_SERVICE_NAME: "named"
          })
        )
      )
      expect(collector.paths()).toEqual(["/base/v1/traces"])
      expect(other.paths()).toEqual(["/own"])
      expect(collector.spans()).toHaveLength(3)
      expect(collector.resources()[0]).toContain('"named"')
      expect(collector.resources()[0]).toContain("eu,1")
      expect(collector.raw().toString()).toContain('"x-key":"a b"')
    })
  )

  it.scopedLive("Given OTEL_SDK_DISABLED, or a sampler that is off, When spans are made, Then none is exported", () =>
    Effect.gen(function* () {
      const collector = yield* receiver()
      const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
      yield* Effect.provide(spans(3), withVariables({ ...endpoint, OTEL_SDK_DISABLED: "true" }))
      yield* Effect.provide(
        spans(3),
        withVariables({
          ...endpoint,
          OTEL_TRACES_SAMPLER: "always_off",
          OTEL_METRICS_EXPORTER: "none",
          OTEL_LOGS_EXPORTER: "none"
        })
      )
      expect(collector.requests()).toBe(0)
    })
  )

  it.effect.each<readonly [name: string, value: string]>([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "localhost"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "soon"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no pair"],
    ["OTEL_TRACES_EXPORTER", "zipkin"],
    ["OTEL_TRACES_SAMPLER", "sometimes"]
  ])("Given a bad %s, When the layer reads it, Then a ConfigError names it", ([name, value]) =>
    Effect.map(Effect.either(Effect.provide(Effect.void, withVariables({ [name]: value }))), (result) => {
      expect(String(Option.getOrThrow(Either.getLeft(result)))).toContain(name)
    })
  )
})
