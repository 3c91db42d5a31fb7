import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Clock from "../../../services/internal/clock.js"
import * as FifoSemaphore from "../../../services/internal/FifoSemaphore.js"

const limit = (millis: number) =>
  Effect.map(Clock.monotonicMillis, (now) => ({ at: now + millis, late: (what: string) => what }))

/** Takes the one permit and keeps it until it is interrupted. */
const hold = (semaphore: FifoSemaphore.FifoSemaphore) =>
  Effect.fork(semaphore.withPermit(Effect.never)).pipe(Effect.tap(Effect.yieldNow()))

const settle = Effect.repeatN(Effect.yieldNow(), 500)

describe("FifoSemaphore", () => {
  it.effect("Given waiters with limits of any order, When time passes, Then each ends at its own limit", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }), (limits) =>
          Effect.gen(function* () {
            const semaphore = FifoSemaphore.make(1)
            yield* hold(semaphore)
            const ended: Array<number> = []
            yield* Effect.forEach(limits, (millis) =>
              Effect.flatMap(limit(millis), (limit) =>
                Effect.fork(
                  Effect.either(semaphore.withPermit(Effect.void, limit)).pipe(
                    Effect.zip(Clock.monotonicMillis),
                    Effect.map(([outcome, at]) => {
                      assert.isTrue(Either.isLeft(outcome))
                      ended.push(at)
                    })
                  )
                )
              )
            )
            const start = yield* Clock.monotonicMillis
            for (let millis = 0; millis < 50; millis++) yield* TestClock.adjust("1 millis")
            assert.deepStrictEqual(
              ended.map((at) => at - start),
              limits.toSorted((one, other) => one - other)
            )
          }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext), Effect.runPromise)
        ),
        { numRuns: 15 }
      )
    )
  )

  it.effect("Given waiters, When some leave and the permit comes back, Then the others enter in their order", () =>
    Effect.gen(function* () {
      const semaphore = FifoSemaphore.make(1)
      const holder = yield* hold(semaphore)
      const entered: Array<number> = []
      const waiters = yield* Effect.forEach([0, 1, 2, 3, 4], (nth) =>
        Effect.flatMap(limit(100), (limit) =>
          Effect.fork(
            semaphore.withPermit(
              Effect.sync(() => entered.push(nth)),
              limit
            )
          )
        )
      )
      yield* Effect.yieldNow()
      for (const nth of [0, 3]) yield* Effect.fromNullable(waiters[nth]).pipe(Effect.flatMap(Fiber.interrupt))
      yield* Fiber.interrupt(holder)
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(entered, [1, 2, 4])
    })
  )

  it.effect(
    "Given a waiter whose limit came, When it is interrupted in the same turn, Then it gives no permit back",
    () =>
      Effect.gen(function* () {
        const semaphore = FifoSemaphore.make(1)
        yield* hold(semaphore)
        const waiter = yield* Effect.fork(
          Effect.flatMap(limit(10), (limit) => semaphore.withPermit(Effect.void, limit))
        )
        yield* Effect.yieldNow()
        const stop = Effect.sync(() => waiter.unsafeInterruptAsFork(FiberId.none))
        yield* Effect.fork(Effect.zipRight(Effect.sleep("10 millis"), stop))
        yield* TestClock.adjust("10 millis")
        const next = yield* Effect.fork(semaphore.withPermit(Effect.void))
        yield* TestClock.adjust("1 second")
        assert.isNull(next.unsafePoll())
      })
  )

  it.effect(
    "Given waiters at a semaphore, When some are interrupted, Then the others pass in order and no permit is lost",
    () =>
      Effect.gen(function* () {
        const semaphore = FifoSemaphore.make(1)
        const passed: Array<number> = []
        const hold = yield* Deferred.make<void>()
        const holder = yield* Effect.fork(semaphore.withPermit(Deferred.await(hold)))
        yield* settle
        const fibers = yield* Effect.forEach([...Array(1000).keys()], (index) =>
          Effect.fork(semaphore.withPermit(Effect.sync(() => passed.push(index))))
        )
        yield* settle
        yield* Effect.forEach(
          fibers.filter((_, index) => index % 2 === 0),
          Fiber.interrupt
        )
        yield* Deferred.succeed(hold, undefined)
        yield* Fiber.join(holder)
        yield* Effect.forEach(fibers, Fiber.await)
        assert.deepStrictEqual(
          passed,
          [...Array(1000).keys()].filter((index) => index % 2 === 1)
        )
        assert.strictEqual(yield* semaphore.withPermit(Effect.succeed("free")), "free")
      })
  )

  it.effect("Given a permit handed to a waiter that is interrupted in the same turn, Then the next one gets it", () =>
    Effect.gen(function* () {
      const semaphore = FifoSemaphore.make(1)
      const hold = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(semaphore.withPermit(Deferred.await(hold)))
      yield* settle
      const first = yield* Effect.fork(semaphore.withPermit(Effect.never))
      yield* settle
      const second = yield* Effect.fork(semaphore.withPermit(Effect.succeed("second")))
      yield* settle
      yield* Deferred.succeed(hold, undefined)
      yield* Fiber.interrupt(first)
      yield* Fiber.join(holder)
      assert.strictEqual(yield* Fiber.join(second), "second")
    })
  )
})
