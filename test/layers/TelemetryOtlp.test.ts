import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as Pod from "../../layers/Pod.js"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import * as TestWallets from "../../layers/TestWallets.js"
import { Agent } from "../../services/Agent.js"
import { Message } from "../../services/Message.js"
import * as Metrics from "../../services/Metrics.js"
import * as Telemetry from "../../services/Telemetry.js"
import { Wallet } from "../../services/Wallet.js"
import * as ExponentialHistogram from "../../src/observe/ExponentialHistogram.js"
import { attribute, OK, receiver, until, type Answer } from "../support/otlpReceiver.js"

const TOOK = "30 millis"

/** Runs a program with the exporter, until the exporter has closed. Returns what became of what it made. */
const exported = <E>(
  url: string,
  program: Effect.Effect<void, E, TelemetryOtlp.TelemetryOtlp>,
  options: Partial<TelemetryOtlp.Options> = {}
) =>
  Effect.gen(function* () {
    const otlp = yield* program.pipe(
      Effect.zipRight(TelemetryOtlp.TelemetryOtlp),
      Effect.provide(
        TelemetryOtlp.layerFetch({
          url,
          metrics: false,
          logs: false,
          exportInterval: TOOK,
          shutdownTimeout: "30 seconds",
          ...options
        })
      )
    )
    return yield* otlp.stats
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

const layerTo = (url: string) =>
  TelemetryOtlp.layerFetch({ url, logs: false, exportInterval: TOOK, shutdownTimeout: "30 seconds" })

const spans = (count: number, from = 0) =>
  Effect.forEach(Array.from({ length: count }), (_, nth) => Effect.void.pipe(Effect.withSpan(`span ${from + nth}`)), {
    discard: true
  })

const parent = (sampled: boolean) =>
  Tracer.externalSpan({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", sampled })

describe("TelemetryOtlp: what arrives", () => {
  it.scopedLive.each(["http/protobuf", "http/json"] as const)(
    "Given a receiver of %s, When a message is sent, Then its trace, the metrics and the logs arrive",
    (protocol) =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const stats = yield* exported(
          collector.url,
          Effect.gen(function* () {
            const wallets = yield* TestWallets.TestWallets
            const [agents, messages] = [yield* Agent, yield* Message]
            const [alice, bob] = yield* Effect.all([wallets.funded, wallets.funded])
            for (const wallet of [alice, bob]) {
              yield* agents
                .register({ capabilities: 1n, metadataUri: "https://example.com/a" })
                .pipe(Effect.provideService(Wallet, wallet))
            }
            yield* messages
              .send({ recipient: bob.address, payload: "hello" })
              .pipe(Effect.provideService(Wallet, alice), Effect.withSpan("GET /send", { kind: "server" }))
            yield* Effect.logWarning("it was sent", { count: 3 }).pipe(Effect.annotateLogs("who", "alice"))
            const seconds = yield* Effect.serviceOptional(Metrics.Metrics)
            for (let nth = 1; nth <= 100; nth++) yield* seconds.increment("sendings", 2n ** 53n)
          }).pipe(Effect.orDie, Effect.provide(Layer.provideMerge(TestWallets.layer, Pod.layerEmbedded))),
          { metrics: true, logs: true, protocol, serviceName: "post", resource: { "service.version": "1.2" } }
        ).pipe(Effect.provide(Metrics.layer()))

        // Then the spans form one tree
        const byName = new Map(collector.spans().map((span) => [span.name, span]))
        const request = byName.get("GET /send")
        const send = byName.get("Message.send")
        const confirm = byName.get("Transactions.confirm")
        expect(request?.parentSpanId).toBeUndefined()
        expect(request?.kind).toBe(2)
        expect(send?.parentSpanId).toBe(request?.spanId)
        expect(confirm?.traceId).toBe(request?.traceId)
        expect(BigInt(send?.endTimeUnixNano ?? 0)).toBeGreaterThan(BigInt(send?.startTimeUnixNano ?? 0))

        // Then metrics have units, integers are whole, and durations keep their percentiles
        const metric = (name: string) => collector.metrics().findLast((one) => one.name === name)
        expect(metric("pod_messages_sent_total")?.unit).toBe("{message}")
        expect(metric("pod_transaction_confirmation_seconds")?.histogram?.dataPoints).not.toEqual([])
        expect(Number(metric("sendings")?.sum?.dataPoints[0]?.asInt)).toBe(100 * 2 ** 53)
        const durations = metric("pod_operation_duration_seconds")
        expect(durations?.unit).toBe("s")
        const operations = durations?.exponentialHistogram?.dataPoints.map((point) =>
          attribute(point.attributes, "operation")
        )
        expect(operations).toContain("Message.send")

        // Then the log says what was logged, in its trace's words
        const log = collector
          .logs()
          .find(({ body }) => body.arrayValue !== undefined || /sent/.test(body.stringValue ?? ""))
        expect(log?.severityText).toBe("WARN")
        expect(attribute(log?.attributes ?? [], "who")).toBe("alice")

        expect(collector.resources()[0]).toContain("post")
        for (const { dropped, made, sent, waiting } of Object.values(stats)) {
          expect({ dropped, sent, waiting }).toEqual({
            dropped: stats.metrics.dropped > 0 ? dropped : 0,
            sent: made - dropped,
            waiting: 0
          })
        }
      })
  )

  it.scopedLive("Given durations, When they are exported, Then the receiver's percentiles are exact within 1 %", () =>
    Effect.gen(function* () {
      const collector = yield* receiver()
      const exact = ExponentialHistogram.make()
      yield* exported(
        collector.url,
        Effect.gen(function* () {
          const metrics = yield* Effect.serviceOptional(Metrics.Metrics)
          for (let nth = 0; nth < 200; nth++)
            yield* Effect.sleep(0).pipe(metrics.track("pause", { nth: String(nth % 2) }))
          const { operations } = yield* metrics.snapshot
          for (const { seconds } of operations) ExponentialHistogram.record(exact, seconds.max)
        }).pipe(Effect.orDie),
        { metrics: true, traces: false }
      ).pipe(Effect.provide(Metrics.layer()))
      const points = collector
        .metrics()
        .find(({ name }) => name === "pod_operation_duration_seconds")?.exponentialHistogram
      for (const { count, positive, scale } of points?.dataPoints ?? []) {
        const counts = positive.bucketCounts.map(Number)
        expect(counts.reduce((sum, one) => sum + one, 0)).toBe(Number(count))
        const upper = 2 ** ((positive.offset + counts.length) / 2 ** scale)
        expect(upper).toBeLessThanOrEqual(exact.max * 1.012)
      }
      expect(points?.dataPoints).toHaveLength(2)
    })
  )

  it.scopedLive(
    "Given a failure, a defect and an interruption, When their spans end, Then only errors are errors",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        yield* exported(
          collector.url,
          Effect.all([
            // @effect-diagnostics-next-line globalErrorInEffectFailure:off
            Effect.fail(new Error("no such thing")).pipe(Effect.withSpan("fails"), Effect.ignore),
            Effect.dieMessage("broken").pipe(Effect.withSpan("dies"), Effect.sandbox, Effect.ignore),
            Effect.interrupt.pipe(Effect.withSpan("interrupted"), Effect.sandbox, Effect.ignore)
          ])
        )
        const status = (name: string) => collector.spans().find((span) => span.name === name)
        expect(status("fails")?.status).toEqual({ code: 2, message: "no such thing" })
        expect(attribute(status("fails")?.events[0]?.attributes ?? [], "exception.message")).toBe("no such thing")
        expect(status("dies")?.status?.code).toBe(2)
        expect(status("interrupted")?.status?.code ?? 0).toBe(0)
        expect(attribute(status("interrupted")?.attributes ?? [], "pod.interrupted")).toBe(true)
      })
  )

  it.scopedLive(
    "Given the parent of another process, When it is sampled or not, Then the trace goes on or ends there",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        yield* exported(
          collector.url,
          Effect.all([
            Effect.void.pipe(Effect.withSpan("sampled"), Effect.withParentSpan(parent(true))),
            Effect.void.pipe(Effect.withSpan("not sampled"), Effect.withParentSpan(parent(false)))
          ])
        )
        expect(collector.spans().map(({ name, parentSpanId, traceId }) => ({ name, parentSpanId, traceId }))).toEqual([
          { name: "sampled", parentSpanId: "b7ad6b7169203331", traceId: "0af7651916cd43dd8448eb211c80319c" }
        ])
      })
  )

  it.scopedLive(
    "Given a ratio of 0.5, When the SDK and the application begin traces, Then half of each is sampled",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const decisions = yield* Effect.provide(
          Effect.gen(function* () {
            yield* spans(2000)
            return yield* Telemetry.Telemetry
          }),
          TelemetryOtlp.layerFetch({
            url: collector.url,
            metrics: false,
            logs: false,
            shutdownTimeout: "30 seconds",
            sampling: { ratio: 0.5 }
          })
        )
        const share = collector.spans().length / 2000
        expect(share).toBeGreaterThan(0.4)
        expect(share).toBeLessThan(0.6)
        expect(Array.from({ length: 100 }, () => decisions.samples("x"))).toContain(true)
      })
  )
})

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

describe("TelemetryOtlp: secrets", () => {
  it.scopedLive(
    "Given secrets in attributes, errors, logs and names, When all is exported, Then no byte of them is",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const key = "sk1234567890abcdef"
        const bytes = Uint8Array.from({ length: 64 }, (_, nth) => (nth * 37 + 11) % 256)
        const url = `https://user:hunter22@rpc.example/v2/QWxjaGVteUtleTEyMzQ1Njc4/x?api-key=${key}&other=plainquery`
        const cyclic: Record<string, unknown> = { url, key: Redacted.make(key), bytes }
        cyclic["self"] = cyclic
        yield* exported(
          collector.url,
          Effect.gen(function* () {
            // @effect-diagnostics-next-line globalErrorInEffectFailure:off
            yield* Effect.fail(new Error(`cannot reach ${url}`, { cause: new Error(`inner ${url}`) })).pipe(
              Effect.withSpan(`GET ${url}`, {
                attributes: {
                  "url.full": url,
                  "url.query": `api-key=${key}`,
                  "http.request.header.authorization": `Bearer ${key}`,
                  path: `/a?token=${key}`,
                  list: [url],
                  object: cyclic,
                  bytes,
                  printed: `keypair [${bytes.join(",")}]`,
                  long: "x".repeat(10_000_000),
                  big: 2n ** 80n,
                  nan: Number.NaN
                }
              }),
              Effect.ignore
            )
            yield* Effect.logError(`failed for ${url}`, cyclic, new Error(url)).pipe(Effect.annotateLogs({ url }))
            yield* Effect.log(`the vendor's key is ${key}`)
          }),
          {
            logs: true,
            headers: { authorization: Redacted.make("Bearer vendorsecret99") },
            secrets: [key, Redacted.make("hunter22")]
          }
        )
        const raw = collector.raw()
        const shown = raw.toString("latin1").replaceAll(/"authorization":"[^"]*"/g, "")
        for (const secret of [key, "hunter22", "plainquery", "QWxjaGVteUtleTEyMzQ1Njc4", "vendorsecret99"]) {
          expect(shown).not.toContain(secret)
        }
        expect(raw.includes(Buffer.from(bytes))).toBe(false)
        expect(shown).not.toContain(bytes.join(","))
        expect(shown).not.toContain(Buffer.from(bytes).toString("base64"))
        expect(shown).not.toContain(Buffer.from(bytes).toString("hex"))
        // Then what is no secret is still there
        const [span] = collector.spans()
        expect(String(attribute(span?.attributes ?? [], "url.full"))).toMatch(
          /^https:\/\/rpc\.example\/v2\/<redacted>\/x\?<redacted>/
        )
        expect(String(attribute(span?.attributes ?? [], "long"))).toHaveLength(4096)
        expect(attribute(span?.attributes ?? [], "big")).toBe(String(2n ** 80n))
      })
  )
})

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
