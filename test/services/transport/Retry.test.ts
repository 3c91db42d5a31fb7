import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as RetryPolicy from "../../../services/RetryPolicy.js"
import * as Retry from "../../../services/transport/Retry.js"
import { runs } from "../../support/runs.js"
import { fail, failure, fake } from "./support.js"

/** Runs it to its end, however long it sleeps. */
const finish = <A, E>(effect: Effect.Effect<A, E>, within: Duration.DurationInput = "1 hour") =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.either(effect))
    yield* TestClock.adjust(within)
    return yield* Fiber.join(fiber)
  })

const failing = (times: number, reason: Parameters<typeof fail>[0], rest: Parameters<typeof fail>[1] = {}) =>
  fake({ request: (_, __, nth) => (nth <= times ? fail(reason, rest) : Effect.succeed("answer")) })

describe("Retry", () => {
  it.effect("Given an endpoint that fails twice, When a read is made, Then the third attempt answers", () =>
    Effect.gen(function* () {
      const inner = failing(2, "Transport")
      const transport = yield* Retry.make()(inner)
      assert.deepStrictEqual(yield* finish(transport.request("getSlot", [])), Either.right("answer"))
      assert.strictEqual(inner.calls.length, 3)
    })
  )

  for (const [method, reason, rest, repeated] of [
    ["getBalance", "Transport", {}, true],
    ["getBalance", "HttpStatus", { status: 503 }, true],
    ["getBalance", "HttpStatus", { status: 404 }, false],
    ["getBalance", "Decode", {}, false],
    ["getBalance", "Node", { code: -32602 }, false],
    ["getBalance", "Node", { code: -32016 }, true],
    ["sendTransaction", "Timeout", {}, true],
    ["sendTransaction", "Node", { code: -32002 }, false],
    ["requestAirdrop", "Timeout", {}, false],
    ["requestAirdrop", "Transport", {}, false],
    ["requestAirdrop", "RateLimited", {}, true],
    ["sendBundle", "Transport", {}, false],
    ["getAsset", "Transport", {}, true]
  ] as const) {
    it.effect(
      `Given ${reason} ${JSON.stringify(rest)}, When ${method} is made, Then it is ${repeated ? "" : "not "}repeated`,
      () =>
        Effect.gen(function* () {
          const inner = failing(1, reason, rest)
          const transport = yield* Retry.make()(inner)
          const answer = yield* finish(transport.request(method, []))
          assert.strictEqual(Either.isRight(answer), repeated)
          assert.strictEqual(inner.calls.length, repeated ? 2 : 1)
        })
    )
  }

  it.effect("Given a call without retries, When an attempt fails, Then the call fails at once", () =>
    Effect.gen(function* () {
      const inner = failing(1, "Transport")
      const transport = yield* Retry.make()(inner)
      assert.strictEqual((yield* Effect.flip(RetryPolicy.never(transport.request("getSlot", [])))).reason, "Transport")
      assert.strictEqual(inner.calls.length, 1)
    })
  )

  it.effect("Given a Retry-After, When the call is retried, Then it waits until it has passed", () =>
    Effect.gen(function* () {
      const inner = failing(1, "RateLimited", { retryAfter: Duration.seconds(7) })
      const transport = yield* Retry.make()(inner)
      yield* finish(transport.request("getSlot", []))
      assert.isAtLeast(inner.calls[1]?.at ?? 0, 7000)
    })
  )

  it.effect("Given a deadline before the Retry-After, When a call is refused, Then it fails without waiting", () =>
    Effect.gen(function* () {
      const inner = failing(1, "RateLimited", { retryAfter: Duration.seconds(7) })
      const transport = yield* Retry.make()(inner)
      const error = yield* transport.request("getSlot", []).pipe(Deadline.within("5 seconds"), Effect.flip)
      assert.strictEqual(error.reason, "RateLimited")
    })
  )

  it.effect("Given a long outage, When many calls are made, Then retries stay within the budget", () =>
    Effect.gen(function* () {
      const inner = failing(Infinity, "Transport")
      const transport = yield* Retry.make({ budgetRatio: 0.1, budgetReserve: 10 })(inner)
      yield* Effect.forEach(Array.from({ length: 100 }), () => finish(transport.request("getSlot", []), "1 minute"))
      assert.isAtMost(inner.calls.length, 100 + 10 + 10)
      assert.isAtLeast(inner.calls.length, 115)
    })
  )

  it.effect(
    "Given an array with failed items, When it is retried, Then only the items that are safe to repeat are sent",
    () =>
      Effect.gen(function* () {
        const inner = fake({
          batch: (calls, nth) =>
            Effect.succeed(
              calls.map(({ method, params }) =>
                nth === 1 && params[0] !== 0
                  ? Either.left(failure("Node", { method, code: params[0] === 3 ? -32602 : -32005 }))
                  : Either.right(params[0])
              )
            )
        })
        const transport = yield* Retry.make()(inner)
        const answer = yield* finish(transport.batch([0, 1, 2, 3].map((n) => ({ method: "getBalance", params: [n] }))))
        const items = Either.getOrThrow(answer)
        assert.deepStrictEqual(items.slice(0, 3), [Either.right(0), Either.right(1), Either.right(2)])
        assert.isTrue(items[3] !== undefined && Either.isLeft(items[3]))
        assert.deepStrictEqual(
          inner.calls[1]?.params,
          [1, 2].map((n) => ({ method: "getBalance", params: [n] }))
        )
      })
  )

  it.effect(
    "Given a transaction that may have arrived, When its repetition is limited or refused, Then it does not count as not sent",
    () =>
      Effect.gen(function* () {
        for (const reason of ["RateLimited", "PoolClosed"] as const) {
          const told = (method: string) =>
            Effect.gen(function* () {
              const inner = fake({ request: (_method, _params, nth) => fail(nth === 1 ? "Timeout" : reason) })
              const transport = yield* Retry.make({ maxAttempts: 2 })(inner)
              return Either.getOrThrow(Either.flip(yield* finish(transport.request(method, [])))).reason
            })
          assert.strictEqual(yield* told("sendTransaction"), "Timeout", reason)
          assert.strictEqual(yield* told("getSlot"), reason)
        }
      })
  )

  it.effect(
    "Given a limited item of an array, When its repetition may have arrived, Then it does not count as not sent",
    () =>
      Effect.gen(function* () {
        const inner = fake({
          batch: (calls, nth) =>
            nth === 1
              ? Effect.succeed(calls.map(({ method }) => Either.left(failure("RateLimited", { method, code: 429 }))))
              : fail("Timeout", { method: "batch" })
        })
        const transport = yield* Retry.make({ maxAttempts: 2 })(inner)
        const methods = ["sendTransaction", "getSlot"]
        const answer = yield* finish(transport.batch(methods.map((method) => ({ method, params: [] }))))
        const reasons = Either.getOrThrow(answer).map((item) => Either.getOrThrow(Either.flip(item)).reason)
        assert.deepStrictEqual(reasons, ["Timeout", "RateLimited"])
      })
  )

  it.effect.prop(
    "Given any failures and options, Then attempts, waits and total time keep their bounds",
    {
      maxAttempts: FastCheck.integer({ min: 1, max: 8 }),
      baseDelay: FastCheck.integer({ min: 1, max: 1000 }),
      maxDelay: FastCheck.integer({ min: 1, max: 4000 }),
      timeout: FastCheck.integer({ min: 1, max: 20_000 }),
      failures: FastCheck.nat(10)
    },
    ({ maxAttempts, baseDelay, maxDelay, timeout, failures }) =>
      Effect.gen(function* () {
        const inner = failing(failures, "Transport")
        const transport = yield* Retry.make({ maxAttempts, baseDelay, maxDelay, timeout })(inner)
        yield* TestClock.adjust("1 day")
        const answer = yield* finish(transport.request("getSlot", []))
        const times = inner.calls.map(({ at }) => at)
        assert.isAtMost(times.length, maxAttempts)
        if (Either.isRight(answer)) assert.strictEqual(times.length, failures + 1)
        times.slice(1).forEach((at, index) => {
          const before = times[index] ?? 0
          assert.isAtMost(at - before, Math.ceil(Math.min(maxDelay, baseDelay * 2 ** index)))
          assert.isBelow(at - (times[0] ?? 0), timeout)
        })
      }),
    { fastCheck: { numRuns: runs(100) } }
  )
})
