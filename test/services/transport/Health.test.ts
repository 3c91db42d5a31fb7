import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Health from "../../../services/transport/Health.js"
import { fail, failure, fake } from "./support.js"

const judged = (code: number) =>
  Health.judge(Cause.fail(failure("Node", { code })), { start: 0, deadline: Infinity }, 10)

describe("Health", () => {
  it.effect("Given answers after 100 ms, When they pass, Then latency, percentile and calls in flight are right", () =>
    Effect.gen(function* () {
      const meter = Health.meter("node.example")
      const transport = Health.observe(meter)(fake({ request: () => Effect.delay(Effect.succeed(1), 100) }))
      const fibers = yield* Effect.forEach(Array.from({ length: 16 }), () =>
        Effect.fork(transport.request("getBalance", []))
      )
      yield* Effect.yieldNow()
      assert.strictEqual(meter.snapshot(0).inFlight, 16)
      assert.isUndefined(meter.snapshot(0).p95)
      yield* TestClock.adjust("100 millis")
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(meter.snapshot(100), {
        host: "node.example",
        latency: 100,
        p95: 100,
        errors: 0,
        inFlight: 0,
        slot: 0n,
        slotAge: 0
      })
    })
  )

  it.effect("Given slots in replies and notifications, When they pass, Then the newest is known", () =>
    Effect.gen(function* () {
      const meter = Health.meter("node.example")
      const transport = Health.observe(meter)(
        fake({
          request: (method) => Effect.succeed(method === "getSlot" ? 7 : { context: { slot: 9n }, value: null }),
          batch: () => Effect.succeed([Either.right({ context: { slot: 11 } }), Either.right("getSlot")]),
          subscribe: (kind) =>
            Stream.make(kind === "slot" ? { slot: 15 } : kind === "root" ? 99 : { context: { slot: 13 } })
        })
      )
      const slot = () => meter.snapshot(0).slot
      yield* transport.request("getSlot", [])
      assert.strictEqual(slot(), 7n)
      yield* transport.request("getBalance", [])
      assert.strictEqual(slot(), 9n)
      yield* transport.batch([
        { method: "getBalance", params: [] },
        { method: "getSlot", params: [] }
      ])
      assert.strictEqual(slot(), 11n)
      for (const kind of ["account", "slot", "root"] as const) yield* Stream.runDrain(transport.subscribe(kind, []))
      assert.strictEqual(slot(), 15n)
    })
  )

  it.effect(
    "Given errors of the endpoint and of the call, When they pass, Then only those of the endpoint count, and decay",
    () =>
      Effect.gen(function* () {
        const meter = Health.meter("node.example")
        const transport = Health.observe(meter)(
          fake({ request: (method) => (method === "getSlot" ? fail("Transport") : fail("Node", { code: -32602 })) })
        )
        yield* Effect.either(transport.request("getBalance", []))
        assert.strictEqual(meter.snapshot(0).errors, 0)
        for (let i = 0; i < 50; i++) yield* Effect.either(transport.request("getSlot", []))
        const { errors } = meter.snapshot(0)
        assert.isAbove(errors, 0.9)
        assert.closeTo(meter.snapshot(10_000).errors, errors / 2, 1e-9)
      })
  )

  it.effect("Given a call that is interrupted or had too little time, When it ends, Then it is inconclusive", () =>
    Effect.gen(function* () {
      const meter = Health.meter("node.example")
      const transport = Health.observe(meter)(
        fake({ request: (_, __, nth) => (nth === 1 ? Effect.never : Effect.delay(fail("Timeout"), 10)) })
      )
      const hanging = yield* Effect.fork(transport.request("getSlot", []))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(hanging)
      const hasty = yield* Effect.fork(Effect.either(transport.request("getSlot", [])))
      yield* TestClock.adjust("10 millis")
      yield* Fiber.join(hasty)
      assert.deepInclude(meter.snapshot(10), { errors: 0, latency: 0, inFlight: 0 })
    })
  )

  it("Given refusals of a node, When they are judged, Then only the error that it lags counts as failed", () => {
    assert.strictEqual(judged(-32005), "failed")
    for (const code of [-32004, -32014, -32016, -32601, -32602]) assert.strictEqual(judged(code), "answered")
  })
})
