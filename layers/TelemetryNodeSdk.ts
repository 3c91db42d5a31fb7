/**
 * Passes the durations of the service `Metrics` to the SDK of OpenTelemetry, for applications that use that SDK
 * already. Spans and Effect's metrics reach it by `NodeSdk.layer` of `@effect/opentelemetry`; see `docs/telemetry.md`.
 *
 * The types match those of `@opentelemetry/sdk-metrics` by structure, so this package does not need it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { Metrics, type OperationSnapshot } from "../services/Metrics.js"
import * as ExponentialHistogram from "../src/observe/ExponentialHistogram.js"
import * as MetricTable from "../src/observe/MetricTable.js"
import * as CountedSince from "./internal/CountedSince.js"

/** Enumerations of the SDK. */
const CUMULATIVE = 1
const EXPONENTIAL_HISTOGRAM = 1
const DOUBLE = 1

type Time = [seconds: number, nanos: number]

interface Buckets {
  offset: number
  bucketCounts: Array<number>
}

interface Point {
  readonly startTime: Time
  readonly endTime: Time
  readonly attributes: Record<string, string>
  readonly value: {
    count: number
    sum: number
    scale: number
    zeroCount: number
    positive: Buckets
    negative: Buckets
    min?: number
    max?: number
  }
}

/**
 * The result of the SDK's `MetricProducer`: the durations of operations, as exponential histograms.
 *
 * @since 0.1.0
 * @category models
 */
export interface Collected<Resource> {
  readonly resourceMetrics: {
    readonly resource: Resource
    readonly scopeMetrics: Array<{
      readonly scope: { readonly name: string }
      readonly metrics: Array<{
        readonly descriptor: {
          readonly name: string
          readonly description: string
          readonly unit: string
          readonly valueType: typeof DOUBLE
        }
        readonly aggregationTemporality: typeof CUMULATIVE
        readonly dataPointType: typeof EXPONENTIAL_HISTOGRAM
        readonly dataPoints: Array<Point>
      }>
    }>
  }
  readonly errors: Array<unknown>
}

/**
 * The SDK's `MetricProducer`.
 *
 * @since 0.1.0
 * @category models
 */
export interface MetricProducer<Resource> {
  readonly collect: () => Promise<Collected<Resource>>
}

const timeOf = (millis: number): Time => [Math.floor(millis / 1000), (millis % 1000) * 1e6]

const pointOf =
  (startTime: Time, endTime: Time) =>
  ({ labels, name, seconds }: OperationSnapshot): Point => {
    const { positive, ...value } = ExponentialHistogram.toOtlp(seconds)
    return {
      startTime,
      endTime,
      attributes: { ...labels, operation: name },
      value: {
        ...value,
        positive: { offset: positive.offset, bucketCounts: [...positive.bucketCounts] },
        negative: { offset: 0, bucketCounts: [] }
      }
    }
  }

/**
 * A producer for the `metricProducers` of a reader of the SDK. It returns `resource` unchanged. A reader replaces it by
 * its own, so `emptyResource()` is enough.
 *
 * @since 0.1.0
 * @category constructors
 */
export const metricProducer = <Resource>(resource: Resource): Effect.Effect<MetricProducer<Resource>, never, Metrics> =>
  Effect.gen(function* () {
    const { snapshot } = yield* Metrics
    const runPromise = Runtime.runPromise(yield* Effect.runtime())
    const { meaning: description, name, unit } = MetricTable.operationDuration
    const since = CountedSince.make()
    const collect = Effect.zipWith(snapshot, Effect.clock, (taken, clock): Collected<Resource> => {
      const dataPoints = taken.operations.map(pointOf(timeOf(since(taken, clock)), timeOf(taken.takenAt)))
      const metric = {
        descriptor: { name, description, unit, valueType: DOUBLE },
        aggregationTemporality: CUMULATIVE,
        dataPointType: EXPONENTIAL_HISTOGRAM,
        dataPoints
      } as const
      const scope = { name: "@pod-protocol/effect" }
      const scopeMetrics = dataPoints.length === 0 ? [] : [{ scope, metrics: [metric] }]
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] }
    })
    return { collect: () => runPromise(collect) }
  })
