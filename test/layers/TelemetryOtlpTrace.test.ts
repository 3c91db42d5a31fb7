import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Pod from "../../layers/Pod.js"
import * as PrometheusServer from "../../layers/PrometheusServer.js"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import * as TestWallets from "../../layers/TestWallets.js"
import { Agent } from "../../services/Agent.js"
import { Message } from "../../services/Message.js"
import * as Metrics from "../../services/Metrics.js"
import { Wallet } from "../../services/Wallet.js"
import { attribute, receiver, type Receiver } from "../support/otlpReceiver.js"

const ERROR = 2

/** An exporter to a collector, which is closed with the program that it is provided to. */
const exporter = (url: string, options: Partial<TelemetryOtlp.Options> = {}) =>
  TelemetryOtlp.layerFetch({ url, metrics: false, logs: false, shutdownTimeout: "30 seconds", ...options })

const silent = Effect.provide(Logger.remove(Logger.defaultLogger))

/** Two registered agents on a cluster in this process, made without a tracer. */
const agents = Effect.gen(function* () {
  const { funded } = yield* TestWallets.TestWallets
  const [alice, bob] = yield* Effect.all([funded, funded])
  const { register } = yield* Agent
  yield* register({ metadataUri: "https://example.com/a" }).pipe(Effect.provideService(Wallet, alice))
  return { alice, bob }
})

const onCluster = Effect.provide(Layer.provideMerge(TestWallets.layer, Pod.layerEmbedded))

type Span = ReturnType<Receiver["spans"]>[number]

const named = (collector: Receiver, name: string): ReadonlyArray<Span> =>
  collector.spans().filter((span) => span.name === name)

const messageOf = ({ attributes }: Span): unknown => attribute(attributes, "pod.message")

/** A text for each link of the spans, in any order. */
const pairs = (from: ReadonlyArray<Span>, pair: (span: Span, other: string) => string): ReadonlyArray<string> =>
  from.flatMap((span) => span.links.map(({ spanId }) => pair(span, spanId))).toSorted()

describe("the trace of packed messages at a collector", () => {
  it.scopedLive.each([
    ["http/protobuf", 100, 13],
    ["http/json", 16, 2]
  ] as const)(
    "Given %s, When %d messages are sent in %d transactions, Then they and their transactions link to one another",
    ([protocol, count, transactions]) =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const { alice, bob } = yield* agents
        const messages = yield* Message
        const inputs = Arr.makeBy(count, (index) => ({ recipient: bob.address, payload: `message ${index}` }))
        const outcomes = yield* messages
          .sendAll(inputs)
          .pipe(Effect.provideService(Wallet, alice), Effect.provide(exporter(collector.url, { protocol })))
        expect(Arr.getRights(outcomes)).toHaveLength(count)

        const [all, packed] = [named(collector, "Message.sendAll")[0], named(collector, "Transactions.sendPacked")[0]]
        const [sends, carried] = [named(collector, "Transactions.send"), named(collector, "Message.send")]
        expect(packed?.parentSpanId).toBe(all?.spanId)
        expect(sends.map(({ parentSpanId }) => parentSpanId)).toEqual(Arr.replicate(packed?.spanId, transactions))
        expect(carried.map(({ parentSpanId }) => parentSpanId)).toEqual(Arr.replicate(all?.spanId, count))
        expect(carried.map(messageOf).toSorted()).toEqual(
          outcomes.map((outcome) => Either.getOrThrow(outcome).address).toSorted()
        )
        // Then the links of both ends are the same pairs
        const byTransaction = pairs(sends, ({ spanId }, message) => `${spanId} ${message}`)
        expect(byTransaction).toHaveLength(count)
        expect(pairs(carried, ({ spanId }, transaction) => `${transaction} ${spanId}`)).toEqual(byTransaction)
        // Then each transaction was confirmed in its own span
        const confirms = named(collector, "Transactions.confirm")
        expect(confirms.map(({ parentSpanId }) => parentSpanId).toSorted()).toEqual(
          sends.map(({ spanId }) => spanId).toSorted()
        )
        expect(new Set(collector.spans().map(({ traceId }) => traceId)).size).toBe(1)
      }).pipe(onCluster, silent)
  )

  it.scopedLive(
    "Given a transaction that lands and fails, When it is exported, Then its spans are errors of a type",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const { alice, bob } = yield* agents
        const messages = yield* Message
        // Bob is no agent
        yield* Effect.flip(messages.send({ recipient: alice.address, payload: "x" }, { preflight: false })).pipe(
          Effect.provideService(Wallet, bob),
          Effect.provide(exporter(collector.url))
        )
        const [failed] = named(collector, "Transactions.send")
        expect(failed?.status?.code).toBe(ERROR)
        expect(attribute(failed?.attributes ?? [], "error.type")).toBe("Rejected")
        const [confirm] = named(collector, "Transactions.confirm")
        expect(confirm?.status?.code).toBe(ERROR)
        expect(named(collector, "Message.send")[0]?.status?.code).toBe(ERROR)
      }).pipe(onCluster, silent)
  )
})

/** A value of which `share` of all are smaller, from the buckets as they arrived. */
const percentile = (
  { offset, bucketCounts }: { readonly offset: number; readonly bucketCounts: ReadonlyArray<string | number> },
  scale: number,
  share: number
): number => {
  const counts = bucketCounts.map(Number)
  const wanted = share * counts.reduce((sum, count) => sum + count, 0)
  let below = 0
  const index = counts.findIndex((count) => (below += count) >= wanted)
  // The middle of a bucket of which each bound is the last one times 2^(2^-scale)
  return 2 ** ((offset + index + 0.5) / 2 ** scale)
}

describe("metrics at a collector", () => {
  it.scopedLive(
    "Given a list of durations, When they are exported, Then the receiver's P95 is the list's within 1 %",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const list = Arr.makeBy(1000, (index) => 0.001 * 1.01 ** index)
        yield* Effect.gen(function* () {
          const metrics = yield* Metrics.Metrics
          let now = 0n
          const clock = { unsafeCurrentTimeNanos: () => now }
          for (const seconds of list) {
            yield* metrics
              .track("call")(Effect.sync(() => (now += BigInt(Math.round(seconds * 1e9)))))
              .pipe(Effect.withClock(Object.assign(Object.create(yield* Effect.clock), clock)))
          }
        }).pipe(
          Effect.provide(exporter(collector.url, { metrics: true, traces: false })),
          Effect.provide(Metrics.layer())
        )
        const { exponentialHistogram } =
          collector.metrics().findLast(({ name }) => name === "pod_operation_duration_seconds") ?? {}
        const [point] = exponentialHistogram?.dataPoints ?? []
        expect(Number(point?.count)).toBe(1000)
        const exact = list[949] ?? 0
        const told = point === undefined ? 0 : percentile(point.positive, point.scale, 0.95)
        expect(Math.abs(told / exact - 1)).toBeLessThan(0.01)
      }).pipe(silent)
  )

  it.scopedLive(
    "Given a reset, When counts are exported, Then they have another start, and the same one otherwise",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        yield* Effect.gen(function* () {
          const metrics = yield* Metrics.Metrics
          const { flush } = yield* TelemetryOtlp.TelemetryOtlp
          const exported = Effect.zipRight(metrics.increment("counted"), flush)
          yield* exported
          yield* Effect.sleep(207)
          yield* exported
          yield* metrics.reset
          yield* exported
        }).pipe(
          Effect.provide(exporter(collector.url, { metrics: true, traces: false })),
          Effect.provide(Metrics.layer())
        )
        const points = collector
          .metrics()
          .flatMap(({ name, sum }) => (name === "counted" ? (sum?.dataPoints ?? []) : []))
          .map(({ asInt, startTimeUnixNano }) => ({ value: Number(asInt), start: Number(startTimeUnixNano) / 1e6 }))
        expect(points.map(({ value }) => value).slice(0, 3)).toEqual([1, 2, 1])
        const [first, second, third] = points.map(({ start }) => start)
        expect(second).toBe(first)
        expect((third ?? 0) - (first ?? 0)).toBeGreaterThan(200)
      }).pipe(silent)
  )

  it.scopedLive("Given two collectors and Prometheus, When one call is made, Then each of them counts it once", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* receiver(), yield* receiver()]
      const scraped = yield* Effect.gen(function* () {
        const metrics = yield* Metrics.Metrics
        yield* metrics.increment("once", 3)
        yield* metrics.track("call")(Effect.void)
        return yield* PrometheusServer.text()
      }).pipe(
        Effect.provide([
          exporter(one.url, { metrics: true, traces: false }),
          Layer.fresh(exporter(other.url, { metrics: true, traces: false }))
        ]),
        Effect.provide(Metrics.layer())
      )
      for (const collector of [one, other]) {
        const metric = (name: string) => collector.metrics().findLast((found) => found.name === name)
        expect(Number(metric("once")?.sum?.dataPoints[0]?.asInt)).toBe(3)
        const [call] = metric("pod_operation_duration_seconds")?.exponentialHistogram?.dataPoints ?? []
        expect(Number(call?.count)).toBe(1)
      }
      expect(scraped).toMatch(/^once 3$/m)
      expect(scraped).toMatch(/^pod_operation_duration_seconds_count\{operation="call"[^}]*\} 1$/m)
    }).pipe(silent)
  )
})
