import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
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
import { exported, spans } from "../support/otlpExport.js"
import { attribute, receiver } from "../support/otlpReceiver.js"

const outside = (traceId: string, spanId: string) => Tracer.externalSpan({ traceId, spanId, sampled: true })

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
    "Given failures and attributes that cannot be written, When spans and logs show them, Then the program's outcome stays",
    () =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const unreadable = Object.defineProperty(["x"], 0, {
          get: () => {
            throw new Error("unreadable")
          }
        })
        const { proxy, revoke } = Proxy.revocable([], {})
        revoke()
        yield* exported(
          collector.url,
          Effect.gen(function* () {
            const failure = { lamports: 5n }
            const failed = yield* Effect.exit(Effect.fail(failure).pipe(Effect.withSpan("failing")))
            expect(Exit.causeOption(failed)).toEqual(Option.some(Cause.fail(failure)))
            yield* Effect.logError("it failed", Cause.fail(failure))
            yield* Effect.void.pipe(Effect.withSpan("attributed", { attributes: { unreadable, proxy } }))
          }),
          { logs: true }
        )
        const failing = collector.spans().find(({ name }) => name === "failing")
        expect(failing?.status?.message).toBe('{"lamports":"5"}')
        expect(collector.spans()).toHaveLength(2)
        expect(attribute(collector.logs()[0]?.attributes ?? [], "exception.message")).toBe('{"lamports":"5"}')
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

  it.scopedLive.each(["http/protobuf", "http/json"] as const)(
    "Given %s and parents and links with ids of any text, When they are exported, Then each id is one of OpenTelemetry's",
    (protocol) =>
      Effect.gen(function* () {
        const collector = yield* receiver()
        const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
        const parents = {
          whole: outside(trace, span),
          short: outside(span, span),
          "another span": outside(trace, "x".repeat(10_000)),
          "another trace": outside("traceparent", span),
          zero: outside("0".repeat(32), span)
        }
        const links = Object.values(parents).map((span) => ({ _tag: "SpanLink", span, attributes: {} }) as const)
        yield* exported(
          collector.url,
          Effect.forEach(Object.entries(parents), ([name, parent]) =>
            Effect.log(name).pipe(
              Effect.zipRight(Effect.void.pipe(Effect.withSpan(name))),
              Effect.withParentSpan(parent)
            )
          ).pipe(Effect.zipRight(Effect.void.pipe(Effect.withSpan("linked", { links })))),
          { logs: true, protocol }
        )
        const spans = new Map(collector.spans().map((one) => [one.name, one]))
        expect(spans.get("whole")).toMatchObject({ traceId: trace, parentSpanId: span })
        expect(spans.get("short")).toMatchObject({ traceId: `${"0".repeat(16)}${span}`, parentSpanId: span })
        expect(spans.get("another span")?.traceId).toBe(trace)
        for (const name of ["another span", "another trace", "zero"]) {
          expect(spans.get(name)?.parentSpanId).toBeUndefined()
          expect(spans.get(name)?.traceId).toMatch(/^(?!0+$)[\da-f]{32}$/)
        }
        expect(spans.get("linked")?.links).toHaveLength(2)
        expect(collector.logs().map(({ traceId }) => traceId)).toEqual([
          trace,
          `${"0".repeat(16)}${span}`,
          undefined,
          undefined,
          undefined
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
