import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import type { RpcError } from "../../../services/RpcTransport.js"
import { SubscriptionError } from "../../../services/RpcTransport.js"
import * as CircuitBreaker from "../../../services/transport/CircuitBreaker.js"
import { runs } from "../../support/runs.js"
import type { Fake } from "./support.js"
import { fail, fake } from "./support.js"

const protect = (transport: Fake, options: CircuitBreaker.Options) =>
  Effect.gen(function* () {
    const calls = yield* CircuitBreaker.circuit(options)
    const subscriptions = yield* CircuitBreaker.circuit(options)
    return { calls, subscriptions, transport: CircuitBreaker.protect({ calls, subscriptions })(transport) }
  })

describe("CircuitBreaker", () => {
  it.effect(
    "Given three failures in a row, When more calls come, Then one probe per cooldown is sent until one is answered",
    () =>
      Effect.gen(function* () {
        let up = false
        const inner = fake({ request: () => (up ? Effect.succeed("up") : fail("Transport")) })
        const { calls, transport } = yield* protect(inner, {
          failures: 3,
          cooldown: "1 second",
          maxCooldown: "3 seconds"
        })
        const call = Effect.either(transport.request("getSlot", []))
        for (let i = 0; i < 10; i++) yield* call
        assert.strictEqual(inner.calls.length, 3)
        for (const wait of [1, 2, 3, 3]) {
          assert.strictEqual(calls.state(wait), "open")
          yield* TestClock.adjust(`${wait} seconds`)
          for (let i = 0; i < 10; i++) yield* call
        }
        assert.deepStrictEqual(
          inner.calls.map(({ at }) => at),
          [0, 0, 0, 1000, 3000, 6000, 9000]
        )
        up = true
        yield* TestClock.adjust("3 seconds")
        for (let i = 0; i < 10; i++) assert.strictEqual(yield* transport.request("getSlot", []), "up")
        assert.strictEqual(calls.state(12_000), "closed")
      })
  )

  it.effect("Given a half-open circuit, When its probe is interrupted, Then the next call is the probe", () =>
    Effect.gen(function* () {
      const inner = fake({
        request: (_, __, nth) => (nth === 1 ? fail("Transport") : nth === 2 ? Effect.never : Effect.succeed(nth))
      })
      const { transport } = yield* protect(inner, { failures: 1 })
      yield* Effect.either(transport.request("getSlot", []))
      yield* TestClock.adjust("1 second")
      const probe = yield* Effect.fork(transport.request("getSlot", []))
      yield* Effect.yieldNow()
      const refused: RpcError = yield* Effect.flip(transport.request("getSlot", []))
      assert.strictEqual(refused.reason, "Transport")
      yield* Fiber.interrupt(probe)
      assert.strictEqual(yield* transport.request("getSlot", []), 3)
    })
  )

  it.effect(
    "Given a process that stands still, When it notices a timeout late, Then only the time that the call had counts",
    () =>
      Effect.gen(function* () {
        const inner = fake({ request: () => Effect.delay(fail("Timeout"), 1200) })
        const { calls, transport } = yield* protect(inner, { failures: 1 })
        const late = (deadline: Duration.DurationInput) =>
          Effect.gen(function* () {
            const call = transport.request("getSlot", []).pipe(Deadline.within(deadline), Effect.either)
            const running = yield* Effect.fork(call)
            yield* TestClock.adjust(1200)
            yield* Fiber.join(running)
          })
        yield* late("50 millis")
        assert.strictEqual(calls.state(1200), "closed")
        yield* late("5 seconds")
        assert.strictEqual(calls.state(2400), "open")
      })
  )

  it.effect("Given answers that are errors of the call, When they come in a row, Then the circuit stays closed", () =>
    Effect.gen(function* () {
      const inner = fake({
        request: (_, __, nth) => (nth % 2 === 0 ? fail("Node", { code: -32602 }) : fail("RateLimited"))
      })
      const { calls, transport } = yield* protect(inner, { failures: 1 })
      for (let i = 0; i < 10; i++) yield* Effect.either(transport.request("getSlot", []))
      assert.strictEqual(calls.state(0), "closed")
    })
  )

  it.effect(
    "Given sockets that cannot be opened, When subscriptions fail, Then their circuit opens and calls still pass",
    () =>
      Effect.gen(function* () {
        let opened = 0
        const inner = fake({
          subscribe: () =>
            Stream.suspend(() => {
              opened++
              return Stream.fail(
                new SubscriptionError({ reason: "Connect", method: "slotSubscribe", detail: "refused" })
              )
            })
        })
        const { subscriptions, transport } = yield* protect(inner, { failures: 2 })
        for (let i = 0; i < 5; i++) yield* Effect.either(Stream.runDrain(transport.subscribe("slot", [])))
        assert.strictEqual(opened, 2)
        assert.strictEqual(subscriptions.state(0), "open")
        yield* transport.request("getSlot", [])
      })
  )

  it.effect.prop(
    "Given any sequence of calls, Then the circuit behaves as its model",
    {
      failures: FastCheck.integer({ min: 1, max: 4 }),
      steps: FastCheck.array(
        FastCheck.record({
          wait: FastCheck.constantFrom(0, 500, 1000, 2000, 5000),
          outcome: FastCheck.constantFrom("answered" as const, "failed" as const, "inconclusive" as const)
        }),
        { maxLength: 40 }
      )
    },
    ({ failures, steps }) =>
      Effect.gen(function* () {
        const circuit = yield* CircuitBreaker.circuit({ failures, cooldown: 1000, maxCooldown: 4000 })
        let now = 0
        let inRow = 0
        let open: { readonly until: number; readonly cooldown: number } | undefined
        for (const { wait, outcome } of steps) {
          now += wait
          const pass = circuit.enter(now)
          assert.strictEqual(pass !== undefined, open === undefined || now >= open.until)
          if (pass === undefined) continue
          if (open !== undefined) assert.isUndefined(circuit.enter(now), "a second call passed beside the probe")
          pass.end(outcome, now)
          if (outcome === "inconclusive") continue
          if (outcome === "answered") {
            inRow = 0
            open = undefined
          } else if (open === undefined) {
            inRow++
            if (inRow >= failures) open = { until: now + 1000, cooldown: 1000 }
          } else {
            const cooldown = Math.min(4000, open.cooldown * 2)
            open = { until: now + cooldown, cooldown }
          }
        }
      }),
    { fastCheck: { numRuns: runs(300) } }
  )
})
