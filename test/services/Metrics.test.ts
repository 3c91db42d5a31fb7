import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as Metrics from "../../services/Metrics.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import type { RpcTransport } from "../../services/RpcTransport.js"

const transport: RpcTransport = {
  host: "metrics.test",
  request: (method) => {
    switch (method) {
      case "minimumLedgerSlot":
        return Effect.delay(Effect.succeed(1), "30 millis")
      case "getFirstAvailableBlock":
        return Effect.delay(new RpcError({ reason: "RateLimited", method, detail: "HTTP status 429" }), "2 seconds")
      case "getGenesisHash":
      case "getVersion":
        return Effect.succeed("not a hash")
      case "getEpochSchedule":
        return Effect.dieMessage("a bug")
      default:
        return Effect.never
    }
  },
  batch: () => Effect.succeed([]),
  subscribe: () => Stream.never
}

const rpc = RpcPool.make(transport)

const labelled = (method: string, outcome: string) => ({
  calls: Metrics.rpcCalls.pipe(Metric.tagged("rpc.method", method), Metric.tagged("outcome", outcome)),
  duration: Metrics.rpcCallDuration.pipe(Metric.tagged("rpc.method", method), Metric.tagged("outcome", outcome))
})

describe("Metrics", () => {
  it.effect("Given calls that end in each way, When they are done, Then each outcome is counted and timed", () =>
    Effect.gen(function* () {
      // Given
      const outcomes = [
        { method: "minimumLedgerSlot", call: rpc.minimumLedgerSlot, outcome: "success", seconds: 0.03 },
        { method: "getFirstAvailableBlock", call: rpc.getFirstAvailableBlock, outcome: "RateLimited", seconds: 2 },
        { method: "getGenesisHash", call: rpc.getGenesisHash, outcome: "Decode", seconds: 0 },
        { method: "getEpochSchedule", call: rpc.getEpochSchedule, outcome: "Defect", seconds: 0 },
        { method: "getIdentity", call: rpc.getIdentity, outcome: "Interrupted", seconds: 5 },
        { method: "_OTHER", call: rpc.request("somethingElse"), outcome: "Interrupted", seconds: 5 }
      ]

      const read = Effect.forEach(outcomes, ({ method, outcome }) => {
        const { calls, duration } = labelled(method, outcome)
        return Effect.all({ calls: Metric.value(calls), duration: Metric.value(duration) })
      })
      // Other tests of the process count in the same registry.
      const before = yield* read

      // When
      for (const { call } of outcomes) {
        const fiber = yield* Effect.fork(call)
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.interrupt(fiber)
      }

      // Then
      const after = yield* read
      for (const [index, { method, seconds }] of outcomes.entries()) {
        const [was, is] = [before[index], after[index]]
        assert(was !== undefined && is !== undefined)
        assert.strictEqual(is.calls.count - was.calls.count, 1, method)
        assert.strictEqual(is.duration.count - was.duration.count, 1, method)
        assert.closeTo(is.duration.sum - was.duration.sum, seconds, 0.001, method)
      }
    })
  )

  it.effect("Given a subscription, When it runs and is interrupted, Then the gauge goes up and down", () =>
    Effect.gen(function* () {
      const active = Metrics.subscriptionsActive.pipe(Metric.tagged("rpc.method", "slotSubscribe"))

      const started = yield* Deferred.make<void>()
      const rpc = RpcPool.make({
        ...transport,
        subscribe: () => Stream.concat(Stream.execute(Deferred.succeed(started, undefined)), Stream.never)
      })

      const fiber = yield* Effect.fork(Stream.runDrain(rpc.slotSubscribe))
      yield* Deferred.await(started)
      const during = yield* Metric.value(active)
      yield* Fiber.interrupt(fiber)
      const after = yield* Metric.value(active)

      assert.deepStrictEqual([during.value, after.value], [1, 0])
    })
  )

  it.effect("Given a span around a call, When it fails, Then the call's span is its child and says why", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const native = yield* Effect.tracer
      const tracer = Tracer.make({
        context: native.context.bind(native),
        span: (...args) => {
          const span = native.span(...args)
          spans.push(span)
          return span
        }
      })

      yield* rpc.getVersion.pipe(Effect.either, Effect.withSpan("outer"), Effect.withTracer(tracer))

      const [outer, call] = spans
      assert.strictEqual(call?.name, "getVersion")
      assert.strictEqual(call?.kind, "client")
      assert.strictEqual(Option.getOrUndefined(call?.parent ?? Option.none())?.spanId, outer?.spanId)
      assert.deepStrictEqual(Object.fromEntries(call?.attributes ?? []), {
        "rpc.system.name": "jsonrpc",
        "rpc.method": "getVersion",
        "server.address": "metrics.test",
        "error.type": "Decode"
      })
    })
  )
})
