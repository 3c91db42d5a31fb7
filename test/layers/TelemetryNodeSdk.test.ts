import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { describe, expect, it } from "@effect/vitest"
import { emptyResource } from "@opentelemetry/resources"
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader
} from "@opentelemetry/sdk-metrics"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pod from "../../layers/Pod.js"
import * as TelemetryNodeSdk from "../../layers/TelemetryNodeSdk.js"
import * as TestWallets from "../../layers/TestWallets.js"
import { Agent } from "../../services/Agent.js"
import * as Metrics from "../../services/Metrics.js"
import * as Telemetry from "../../services/Telemetry.js"
import { Wallet } from "../../services/Wallet.js"

const registered = Effect.gen(function* () {
  const agents = yield* Agent
  const wallet = yield* TestWallets.funded
  yield* agents
    .register({ capabilities: 1n, metadataUri: "https://example.com/a" })
    .pipe(Effect.provideService(Wallet, wallet))
})

const millisOf = ([seconds, nanos]: readonly [number, number] = [0, 0]) => seconds * 1000 + nanos / 1e6

const cluster = Layer.provideMerge(TestWallets.layer, Pod.layerEmbedded)

describe("the SDK of OpenTelemetry", () => {
  it.scopedLive("Given NodeSdk, When an agent registers, Then its spans and exponential histograms reach the SDK", () =>
    Effect.gen(function* () {
      const spans = new InMemorySpanExporter()
      const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
      const sdk = (producer: TelemetryNodeSdk.MetricProducer<ReturnType<typeof emptyResource>>) =>
        NodeSdk.layer(() => ({
          resource: { serviceName: "test" },
          spanProcessor: new SimpleSpanProcessor(spans),
          metricReader: new PeriodicExportingMetricReader({
            exporter,
            exportIntervalMillis: 3_600_000,
            metricProducers: [producer]
          })
        }))
      const layer = Layer.provideMerge(
        Layer.unwrapEffect(Effect.map(TelemetryNodeSdk.metricProducer(emptyResource()), sdk)),
        Metrics.layer()
      )
      const finished = yield* registered.pipe(
        Effect.provide(cluster),
        Effect.zipRight(Effect.sync(() => spans.getFinishedSpans())),
        Effect.provide(layer)
      )
      const byName = new Map(finished.map((span) => [span.name, span]))
      const register = byName.get("Agent.register")
      expect(byName.get("Transactions.send")?.parentSpanContext?.spanId).toBe(register?.spanContext().spanId)
      const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
      const durations = metrics.find(({ descriptor }) => descriptor.name === "pod_operation_duration_seconds")
      expect(durations?.dataPointType).toBe(DataPointType.EXPONENTIAL_HISTOGRAM)
      expect(durations?.descriptor.unit).toBe("s")
      expect(durations?.dataPoints.map(({ attributes }) => attributes["operation"])).toContain("Agent.register")
      expect(metrics.map(({ descriptor }) => descriptor.name)).toContain("pod_transactions_total")
    })
  )

  it.live("Given a producer, When it is read twice, Then the start is the same until the service is reset", () =>
    Effect.gen(function* () {
      const { collect } = yield* TelemetryNodeSdk.metricProducer(emptyResource())
      const metrics = yield* Metrics.Metrics
      const start = Effect.gen(function* () {
        yield* Effect.sleep(7).pipe(metrics.track("nap"))
        const { resourceMetrics } = yield* Effect.promise(collect)
        return resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.startTime
      })
      const first = yield* start
      expect(yield* start).toEqual(first)
      expect(yield* start).toEqual(first)
      yield* Effect.sleep(200)
      yield* metrics.reset
      const later = yield* start
      expect(millisOf(later) - millisOf(first)).toBeGreaterThan(190)
      expect(yield* start).toEqual(later)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.scopedLive("Given a ratio of 0, When an agent registers, Then the SDK gets no span", () =>
    Effect.gen(function* () {
      const spans = new InMemorySpanExporter()
      yield* registered.pipe(
        Effect.provide(cluster),
        Effect.provide(
          Layer.merge(
            NodeSdk.layer(() => ({ resource: { serviceName: "test" }, spanProcessor: new SimpleSpanProcessor(spans) })),
            Telemetry.layer({ ratio: 0 })
          )
        )
      )
      expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual([])
    })
  )
})
