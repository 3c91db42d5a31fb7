import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as RateLimit from "../../../services/transport/RateLimit.js"
import { runs } from "../../support/runs.js"
import { fail, failure, fake } from "./support.js"

const limit = (transport: ReturnType<typeof fake>, options: RateLimit.Options) => RateLimit.make(options)(transport)

const forkCalls = (
  transport: { request: (m: string, p: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown> },
  n: number
) =>
  Effect.forEach(
    Array.from({ length: n }, (_, i) => i),
    (i) => Effect.fork(Effect.exit(transport.request("getSlot", [i])))
  ).pipe(Effect.tap(() => Effect.yieldNow()))

/** Milliseconds a call when so many pend. */
const cost = (n: number) =>
  Effect.gen(function* () {
    const inner = fake({ request: () => Effect.void })
    const transport = yield* limit(inner, { requests: { perSecond: 1_000_000, burst: 100 }, maxWaiting: n })
    const before = performance.now()
    yield* Effect.forEach(Array.from({ length: n }), (_, i) => transport.request("getSlot", [i]), {
      concurrency: "unbounded",
      discard: true
    })
    assert.deepStrictEqual(
      inner.calls.map(({ params }) => params[0]),
      Array.from({ length: n }, (_, i) => i)
    )
    return (performance.now() - before) / n
  })

describe("RateLimit", () => {
  it.effect(
    "Given 10 a second, When 30 calls come at once, Then the burst passes and the rest follow in order, one per 100 ms",
    () =>
      Effect.gen(function* () {
        const inner = fake()
        const transport = yield* limit(inner, { requests: { perSecond: 10 } })
        const fibers = yield* forkCalls(transport, 30)
        assert.strictEqual(inner.calls.length, 10)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(inner.calls.length, 20)
        yield* TestClock.adjust("1 second")
        yield* Fiber.joinAll(fibers)
        assert.deepStrictEqual(
          inner.calls.map(({ params }) => params[0]),
          Array.from({ length: 30 }, (_, i) => i)
        )
        assert.deepStrictEqual(
          inner.calls.slice(10).map(({ at }) => at),
          Array.from({ length: 20 }, (_, i) => (i + 1) * 100)
        )
      })
  )

  it.effect(
    "Given waiting calls, When the endpoint answers 429 with Retry-After, Then no call is sent before it has passed",
    () =>
      Effect.gen(function* () {
        const inner = fake({
          request: (_, __, nth) =>
            nth === 1 ? Effect.delay(fail("RateLimited", { retryAfter: Duration.seconds(5) }), 50) : Effect.succeed(nth)
        })
        const transport = yield* limit(inner, { requests: { perSecond: 10, burst: 1 } })
        const fibers = yield* forkCalls(transport, 3)
        yield* TestClock.adjust("5049 millis")
        assert.strictEqual(inner.calls.length, 1)
        yield* TestClock.adjust("1 second")
        yield* Fiber.joinAll(fibers)
        assert.deepStrictEqual(
          inner.calls.map(({ at }) => at),
          [0, 5150, 5250]
        )
      })
  )

  it.effect("Given a Retry-After of a year, When it comes, Then calls pause for maxPause", () =>
    Effect.gen(function* () {
      const inner = fake({
        request: (_, __, nth) =>
          nth === 1 ? fail("RateLimited", { retryAfter: Duration.days(365) }) : Effect.succeed(nth)
      })
      const transport = yield* limit(inner, { maxPause: "10 seconds" })
      yield* Effect.exit(transport.request("getSlot", []))
      const second = yield* Effect.fork(transport.request("getSlot", []))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(second), 2)
    })
  )

  it.effect("Given a deadline before its turn, When a call comes, Then it is refused at once and does not queue", () =>
    Effect.gen(function* () {
      const inner = fake()
      const transport = yield* limit(inner, { requests: { perSecond: 1 } })
      yield* transport.request("getSlot", [])
      const error = yield* transport.request("getSlot", []).pipe(Deadline.within("999 millis"), Effect.flip)
      assert.strictEqual(error.reason, "RateLimited")
      assert.deepStrictEqual(error.retryAfter, Duration.millis(1000))
      const other = yield* Effect.fork(transport.request("getSlot", []).pipe(Deadline.within("1 seconds")))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(other)
    })
  )

  it.effect("Given waiters with deadlines, When a pause outlasts them, Then they are refused at its start", () =>
    Effect.gen(function* () {
      const inner = fake({
        request: (_, __, nth) =>
          nth === 1 ? Effect.delay(fail("RateLimited", { retryAfter: Duration.seconds(30) }), 100) : Effect.succeed(nth)
      })
      const transport = yield* limit(inner, { requests: { perSecond: 1 } })
      const first = yield* Effect.fork(Effect.exit(transport.request("getSlot", [0])))
      yield* Effect.yieldNow()
      const patient = yield* Effect.fork(transport.request("getSlot", [1]))
      yield* Effect.yieldNow()
      const hasty = yield* Effect.fork(
        Effect.flip(transport.request("getSlot", [2]).pipe(Deadline.within("10 seconds")))
      )
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(hasty)).reason, "RateLimited")
      yield* Fiber.join(first)
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual(yield* Fiber.join(patient), 2)
    })
  )

  it.effect("Given a Retry-After of a year, Then the errors of callers have at most maxPause", () =>
    Effect.gen(function* () {
      for (const reason of ["RateLimited", "HttpStatus"] as const) {
        const inner = fake({ request: () => fail(reason, { status: 503, retryAfter: Duration.days(365) }) })
        const transport = yield* limit(inner, { maxPause: "10 seconds" })
        const error = yield* Effect.flip(transport.request("getSlot", []))
        assert.deepStrictEqual(error.retryAfter, Duration.seconds(10))
        yield* TestClock.adjust("10 seconds")
        const [item = Either.right(1)] = yield* transport.batch([{ method: "getSlot", params: [] }])
        assert.deepStrictEqual(
          Either.mapLeft(item, ({ retryAfter }) => retryAfter),
          Either.left(Duration.seconds(10))
        )
      }
    })
  )

  it.effect("Given an array with one limited item, When its reply comes, Then all callers pause", () =>
    Effect.gen(function* () {
      const inner = fake({
        batch: () => Effect.succeed([Either.right(1), Either.left(failure("RateLimited"))]),
        request: (_, __, nth) => Effect.succeed(nth)
      })
      const transport = yield* limit(inner, { pause: "2 seconds" })
      yield* transport.batch([])
      const call = yield* Effect.fork(transport.request("getSlot", []))
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(inner.calls.length, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(call), 2)
    })
  )

  it.effect(
    "Given an endpoint that asks for one pause after another, Then no call waits for longer than maxPause",
    () =>
      Effect.gen(function* () {
        const inner = fake({ request: () => fail("RateLimited", { retryAfter: Duration.days(365) }) })
        const transport = yield* limit(inner, { maxPause: "1 minute" })
        const ended: Array<number> = []
        const call = Effect.zipRight(
          Effect.flip(transport.request("getSlot", [])),
          Effect.map(Clock.currentTimeMillis, (at) => ended.push(at))
        )
        yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.zipRight(Effect.fork(call), Effect.yieldNow()))
        for (let second = 0; second < 180; second++) yield* TestClock.adjust("1 second")
        assert.strictEqual(ended.length, 100)
        assert.isAtMost(Math.max(...ended), 60_000)
        assert.isAtMost(inner.calls.length, 2)
      })
  )

  it.effect("Given a full queue, When one more call comes, Then it fails with a typed error", () =>
    Effect.gen(function* () {
      const transport = yield* limit(fake(), { requests: { perSecond: 1 }, maxWaiting: 5 })
      const fibers = yield* forkCalls(transport, 6)
      const error = yield* Effect.flip(transport.request("getSlot", []))
      assert.strictEqual(error.reason, "RateLimited")
      assert.include(error.message, "5 calls are waiting")
      yield* Fiber.interruptAll(fibers)
    })
  )

  it.effect(
    "Given waiting calls, When the head and others are interrupted, Then the rest pass in order at the same times",
    () =>
      Effect.gen(function* () {
        const inner = fake()
        const transport = yield* limit(inner, { requests: { perSecond: 10, burst: 1 } })
        const fibers = yield* forkCalls(transport, 6)
        yield* Fiber.interruptAll(fibers.filter((_, i) => i === 1 || i === 3 || i === 4))
        yield* TestClock.adjust("200 millis")
        assert.deepStrictEqual(
          inner.calls.map(({ params, at }) => [params[0], at]),
          [
            [0, 0],
            [2, 100],
            [5, 200]
          ]
        )
      })
  )

  it.effect(
    "Given an item limit, When an array is larger than the burst, Then it is sent and later calls wait for its debt",
    () =>
      Effect.gen(function* () {
        const inner = fake()
        const transport = yield* limit(inner, { items: { perSecond: 10 } })
        yield* transport.batch(Array.from({ length: 30 }, () => ({ method: "getSlot", params: [] })))
        const next = yield* Effect.fork(transport.request("getSlot", []))
        yield* TestClock.adjust("2099 millis")
        assert.strictEqual(inner.calls.length, 1)
        yield* TestClock.adjust("1 millis")
        yield* Fiber.join(next)
      })
  )

  it.effect.prop(
    "Given any arrivals, interruptions and limits, Then no window holds more than burst + rate × window, and order is kept",
    {
      perSecond: FastCheck.integer({ min: 1, max: 50 }),
      burst: FastCheck.integer({ min: 1, max: 10 }),
      steps: FastCheck.array(
        FastCheck.record({
          wait: FastCheck.integer({ min: 0, max: 200 }),
          calls: FastCheck.integer({ min: 0, max: 5 }),
          interrupt: FastCheck.option(FastCheck.nat(20))
        }),
        { maxLength: 20 }
      )
    },
    ({ perSecond, burst, steps }) =>
      Effect.gen(function* () {
        const inner = fake()
        const transport = yield* limit(inner, { requests: { perSecond, burst } })
        const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
        for (const step of steps) {
          for (let i = 0; i < step.calls; i++) {
            fibers.push(yield* Effect.fork(transport.request("getSlot", [fibers.length])))
            yield* Effect.yieldNow()
          }
          const victim = step.interrupt === null ? undefined : fibers[step.interrupt]
          if (victim !== undefined) yield* Fiber.interrupt(victim)
          yield* TestClock.adjust(step.wait)
        }
        yield* TestClock.adjust("120 seconds")
        yield* Effect.forEach(fibers, Fiber.await)
        const times = inner.calls.map(({ at }) => at)
        for (let from = 0; from < times.length; from++) {
          for (let to = from; to < times.length; to++) {
            const window = ((times[to] ?? 0) - (times[from] ?? 0)) / 1000
            assert.isAtMost(to - from + 1, burst + perSecond * window + 1e-6)
          }
        }
        const order = inner.calls.map(({ params }) => Number(params[0]))
        assert.deepStrictEqual(
          order,
          order.toSorted((a, b) => a - b)
        )
      }),
    { fastCheck: { numRuns: runs(100) } }
  )

  it.live("Given 1,000 or 10,000 pending calls, Then a waiter costs the same", () =>
    Effect.gen(function* () {
      yield* cost(1_000)
      const few = Math.min(yield* cost(1_000), yield* cost(1_000), yield* cost(1_000))
      const many = Math.min(yield* cost(10_000), yield* cost(10_000))
      assert.isBelow(many, few * 5)
    })
  )
})
