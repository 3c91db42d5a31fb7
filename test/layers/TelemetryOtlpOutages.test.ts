import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import * as Metrics from "../../services/Metrics.js"
import { EXPORT_INTERVAL, exported, spans } from "../support/otlpExport.js"
import { OK, receiver, until, type Answer } from "../support/otlpReceiver.js"

const layerTo = (url: string) =>
  TelemetryOtlp.layerFetch({ url, logs: false, exportInterval: EXPORT_INTERVAL, shutdownTimeout: "30 seconds" })

describe("TelemetryOtlp: accidents", () => {
  it.scopedLive("Given 2,500 spans and a slow collector, When the process ends, Then all have arrived", () =>
    Effect.gen(function* () {
      const collector = yield* receiver()
      collector.answers = [{ status: 200, after: 100 }]
      const { traces } = yield* exported(collector.url, spans(2500), { exportInterval: "5 seconds" })
      expect(collector.spans()).toHaveLength(2500)
      expect(traces).toMatchObject({ made: 2500, sent: 2500, dropped: 0, waiting: 0 })
      expect(collector.maxOpen()).toBe(1)
    })
  )

  it.scopedLive(
    "Given an outage with 503, 429, a lost and a silent connection, When it ends, Then nothing was lost",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const later: Answer = { status: 429, headers: { "retry-after": "0" } }
        collector.answers = [{ status: 503 }, later, "close", "hang", OK]
        const { traces } = yield* exported(
          collector.url,
          Effect.zipRight(
            spans(100),
            until(() => collector.spans().length >= 100)
          ),
          { requestTimeout: "500 millis" }
        )
        expect(traces).toMatchObject({ made: 100, sent: 100, dropped: 0 })
        expect(collector.requests()).toBeGreaterThanOrEqual(5)
      })
  )

  it.scoped.each<readonly [string, string, number, number]>([
    ["a date in 30 s", "Thu, 01 Jan 1970 00:00:30 GMT", 30, 30],
    ["a date in a year", "Fri, 01 Jan 1971 00:00:00 GMT", 60, 60],
    ["a date that is over", "Wed, 31 Dec 1969 00:00:00 GMT", 0, 1],
    ["no date", "Someday", 0, 1]
  ])(
    "Given a collector that answers 429 until %s, When it is asked again, Then it is so at that time or after a minute",
    ([, date, earliest, latest]) =>
      Effect.gen(function* () {
        let requests = 0
        const client = HttpClient.make((request) =>
          Effect.sync(() => {
            const isFirst = ++requests === 1
            const reply = isFirst ? { status: 429, headers: { "retry-after": date } } : { status: 200 }
            return HttpClientResponse.fromWeb(request, new Response(null, reply))
          })
        )
        const built = yield* Layer.build(
          TelemetryOtlp.layer({ url: "http://collector", metrics: false, logs: false }).pipe(
            Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
          )
        )
        const otlp = Context.get(built, TelemetryOtlp.TelemetryOtlp)
        yield* Effect.fork(Effect.zipRight(Effect.provide(spans(10), built), otlp.flush))

        yield* TestClock.adjust(Math.max(earliest * 1000 - 1, 0))
        expect(requests).toBe(1)
        expect((yield* otlp.stats).traces).toMatchObject({ made: 10, sent: 0, dropped: 0, waiting: 10 })

        yield* TestClock.adjust((latest - earliest) * 1000 + 1)
        expect(requests).toBe(2)
        expect((yield* otlp.stats).traces).toMatchObject({ made: 10, sent: 10, dropped: 0, waiting: 0 })
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.scopedLive("Given the exporter's layer built twice, When spans and counts are made, Then each arrives once", () =>
    Effect.gen(function* () {
      const [outer, inner] = [yield* receiver(), yield* receiver()]
      const { made, metrics } = yield* Effect.gen(function* () {
        const metrics = yield* Metrics.Metrics
        yield* Effect.zipRight(spans(10), metrics.increment("exported twice", 3))
        const { stats } = yield* TelemetryOtlp.TelemetryOtlp
        return { made: (yield* stats).traces.made, metrics }
      }).pipe(
        Effect.provide(layerTo(inner.url)),
        Effect.provide(layerTo(outer.url)),
        Effect.provide(Metrics.layer()),
        Effect.provide(Logger.remove(Logger.defaultLogger))
      )
      expect([made, inner.spans().length, outer.spans().length]).toEqual([10, 10, 0])
      expect((yield* metrics.snapshot).counters.map(({ value }) => value)).toEqual([3n])
      for (const collector of [inner, outer]) {
        const last = collector.metrics().findLast(({ name }) => name === "exported twice")
        expect(last?.sum?.dataPoints.map(({ asInt }) => Number(asInt))).toEqual([3])
      }
    })
  )

  it.scopedLive("Given no collector, When one comes up on the port, Then what waited arrives", () =>
    Effect.gen(function* () {
      const { port, url } = yield* Effect.scoped(receiver())
      const { traces } = yield* exported(
        url,
        Effect.gen(function* () {
          yield* spans(10)
          yield* Effect.sleep("200 millis")
          yield* receiver(port)
          const { flush } = yield* TelemetryOtlp.TelemetryOtlp
          yield* flush
        }).pipe(Effect.scoped)
      )
      expect(traces).toMatchObject({ made: 10, sent: 10, dropped: 0 })
    })
  )

  it.scopedLive(
    "Given a collector that hangs, When the process ends, Then it ends in time and counts what is lost",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        collector.answers = ["hang"]
        const started = performance.now()
        const { traces } = yield* exported(
          collector.url,
          Effect.zipRight(
            spans(10_000),
            until(() => collector.maxOpen() > 0)
          ),
          { shutdownTimeout: "300 millis" }
        )
        expect(performance.now() - started).toBeLessThan(20_000)
        expect(traces).toMatchObject({ made: 10_000, sent: 0, dropped: 10_000, waiting: 0 })
        expect(collector.maxOpen()).toBe(1)
      })
  )

  it.scopedLive(
    "Given a small queue and no collector, When much is made, Then the queue stays bounded and the rest counts",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Effect.scoped(receiver())
        let most = 0
        const { traces } = yield* exported(
          url,
          Effect.gen(function* () {
            const otlp = yield* TelemetryOtlp.TelemetryOtlp
            for (let nth = 0; nth < 50; nth++) {
              yield* spans(100)
              most = Math.max(most, (yield* otlp.stats).traces.waitingBytes)
            }
          }),
          { maxQueueBytes: 20_000, shutdownTimeout: "50 millis" }
        )
        expect(most).toBeGreaterThan(10_000)
        expect(most).toBeLessThanOrEqual(20_000)
        expect(traces).toMatchObject({ made: 5000, sent: 0, dropped: 5000 })
      })
  )

  it.scopedLive("Given a collector that takes 8 at a time, When more is sent, Then batches shrink until they fit", () =>
    Effect.gen(function* () {
      const collector = yield* receiver()
      const tooLarge: Answer = { status: 413 }
      collector.answers = [tooLarge, tooLarge, tooLarge, OK]
      const { traces } = yield* exported(collector.url, spans(64), { exportInterval: "5 seconds" })
      expect(traces).toMatchObject({ made: 64, sent: 64, dropped: 0 })
      expect(collector.requests()).toBe(3 + 8)
    })
  )

  it.scopedLive(
    "Given an item that is too large, When the collector has refused it, Then batches are whole again",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        // The batch of 16, and its halves down to the one item.
        collector.answers = [...Array.from({ length: 5 }, (): Answer => ({ status: 413 })), OK]
        const { traces } = yield* exported(
          collector.url,
          Effect.gen(function* () {
            const { flush } = yield* TelemetryOtlp.TelemetryOtlp
            yield* spans(16)
            yield* flush
            yield* spans(100)
          }),
          { exportInterval: "5 seconds" }
        )
        expect(traces).toMatchObject({ made: 116, sent: 115, dropped: 1 })
        expect(collector.requests()).toBe(5 + 1 + 1)
      })
  )

  it.scopedLive.each<readonly [string, Answer, number]>([
    ["refuses with 400", { status: 400, body: "bad" }, 10],
    ["redirects", { status: 307, headers: { location: "http://127.0.0.1:1/" } }, 10],
    ["answers with a page", { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }, 10],
    ["rejects a part in JSON", { status: 200, body: '{"partialSuccess":{"rejectedSpans":"4"}}' }, 4]
  ])(
    "Given a collector that %s, When spans are sent, Then what it did not take counts as dropped",
    ([, answer, dropped]) =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        collector.answers = [answer]
        const { traces } = yield* exported(collector.url, spans(10), { protocol: "http/json" })
        expect(traces).toMatchObject({ made: 10, sent: 10 - dropped, dropped })
        expect(collector.requests()).toBe(1)
      })
  )

  it.scopedLive(
    "Given a protobuf reply that rejects a part, or is no protobuf, When it is read, Then it is counted or ignored",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        collector.answers = [
          { status: 200, body: Uint8Array.of(0x0a, 0x02, 0x08, 0x03) },
          { status: 200, body: new Uint8Array(1000).fill(0xff) }
        ]
        const { traces } = yield* exported(
          collector.url,
          Effect.gen(function* () {
            const { flush } = yield* TelemetryOtlp.TelemetryOtlp
            yield* Effect.zipRight(spans(10), flush)
            yield* Effect.zipRight(spans(10), flush)
          })
        )
        expect(traces).toMatchObject({ made: 20, sent: 17, dropped: 3 })
      })
  )
})
