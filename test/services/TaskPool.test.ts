import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TaskPool from "../../services/TaskPool.js"
import { InvalidInput } from "../../src/InvalidInput.js"

/** A task that notes how many run at once. */
const tally = () => {
  let running = 0
  const tally = { most: 0, order: new Array<number>() }
  const task = (id: number, body: Effect.Effect<void> = Effect.yieldNow()) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        tally.order.push(id)
        tally.most = Math.max(tally.most, ++running)
      }),
      () => Effect.as(body, id),
      () => Effect.sync(() => running--)
    )
  return { tally, task }
}

describe("TaskPool", () => {
  it.effect.prop(
    "Given tasks that wait or do not, When they run, Then the bound holds, all end in order and they start in order",
    [fc.integer({ min: 1, max: 5 }), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 })],
    ([concurrency, sleeps]) =>
      Effect.gen(function* () {
        const pool = yield* TaskPool.make({ concurrency })
        const { tally: seen, task } = tally()
        const tasks = sleeps.map((millis, id) => task(id, millis === 0 ? Effect.void : Effect.sleep(millis)))
        const fiber = yield* Effect.fork(pool.all(tasks))
        yield* TestClock.adjust("1 minute")
        expect(yield* Fiber.join(fiber)).toEqual(sleeps.map((_, id) => id))
        expect(seen.most).toBeLessThanOrEqual(concurrency)
        expect(seen.order).toEqual(sleeps.map((_, id) => id))
        expect(yield* pool.stats).toEqual({ running: 0, waiting: 0 })
      }),
    { fastCheck: { numRuns: 25 } }
  )

  it.effect("Given a pool at its bound, When callers run tasks, Then they start in the order of their calls", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 1 })
      const { tally: seen, task } = tally()
      const fibers = yield* Effect.forEach([0, 1, 2, 3, 4], (id) => Effect.fork(pool.run(task(id, Effect.sleep(10)))))
      yield* TestClock.adjust("5 millis")
      expect(yield* pool.stats).toEqual({ running: 1, waiting: 4 })
      for (const fiber of fibers.slice(2, 3)) yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 second")
      expect(seen.order).toEqual([0, 1, 3, 4])
    })
  )

  it.effect("Given a task that hangs, When its timeout comes, Then it is interrupted and its place is free", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 1, timeout: "1 second" })
      const isInterrupted = yield* Deferred.make<void>()
      const hangs = Effect.onInterrupt(Effect.never, () => Deferred.succeed(isInterrupted, undefined))
      const first = yield* Effect.fork(Effect.flip(pool.run(hangs)))
      const second = yield* Effect.fork(pool.run(Effect.as(Effect.sleep("900 millis"), "ended")))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(first)
      expect(error).toMatchObject({ _tag: "TaskPoolError", reason: "Timeout", limit: 1000, isRetryable: false })
      yield* Deferred.await(isInterrupted)
      // The wait for its turn did not count
      yield* TestClock.adjust("900 millis")
      expect(yield* Fiber.join(second)).toBe("ended")
    })
  )

  it.effect("Given a timeout of its own, When a task runs, Then the pool's does not count", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ timeout: "1 second" })
      const long = yield* Effect.fork(pool.run(Effect.as(Effect.sleep("1 hour"), "ended"), { timeout: Infinity }))
      const short = yield* Effect.fork(Effect.flip(pool.run(Effect.never, { timeout: 10 })))
      yield* TestClock.adjust("10 millis")
      expect(yield* Fiber.join(short)).toMatchObject({ reason: "Timeout", limit: 10 })
      yield* TestClock.adjust("1 hour")
      expect(yield* Fiber.join(long)).toBe("ended")
    })
  )

  it.effect("Given a full queue, When a task comes, Then it is refused, and one is taken after a task has ended", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 1, queue: 2, onFull: "fail" })
      yield* Effect.forEach([0, 1, 2], () => Effect.fork(pool.run(Effect.sleep(10))))
      yield* TestClock.adjust("1 millis")
      expect(yield* Effect.flip(pool.run(Effect.void))).toMatchObject({ reason: "Full", limit: 2, isRetryable: true })
      yield* TestClock.adjust("9 millis")
      const taken = yield* Effect.fork(pool.run(Effect.succeed("taken")))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(taken)).toBe("taken")
    })
  )

  it.effect("Given a queue of 0, When the pool has a place, Then the task runs", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 1, queue: 0, onFull: "fail" })
      expect(yield* pool.run(Effect.succeed(1))).toBe(1)
    })
  )

  it.effect("Given a failure among tasks, When all run, Then it comes back and the others are interrupted", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 2 })
      const { tally: seen, task } = tally()
      const error = yield* Effect.flip(pool.all([Effect.never, Effect.fail("no"), task(2)]))
      expect(error).toBe("no")
      expect(seen.order).toEqual([])
      expect(yield* pool.stats).toEqual({ running: 0, waiting: 0 })
    })
  )

  it.effect("Given defects, interruptions and thrown exceptions, When they end a task, Then no place is lost", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 1 })
      const thrown = Effect.sync(() => {
        throw new Error("thrown")
      })
      for (const bad of [Effect.die("defect"), Effect.interrupt, thrown, Effect.fail("failure")]) {
        expect(Exit.isFailure(yield* Effect.exit(pool.run(bad)))).toBe(true)
      }
      expect(yield* pool.run(Effect.succeed("free"))).toBe("free")
    })
  )

  it.effect.prop(
    "Given items and batches of which some fail, When they are processed, Then each item has its own result in order",
    [fc.array(fc.nat({ max: 99 }), { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 })],
    ([items, size, concurrency]) =>
      Effect.gen(function* () {
        const pool = yield* TaskPool.make({ concurrency: 3 })
        const sizes = new Array<number>()
        const results = yield* pool.batch(items, { size, concurrency }, (batch) => {
          sizes.push(batch.length)
          return batch.includes(7)
            ? Effect.fail("seven")
            : Effect.as(
                Effect.yieldNow(),
                batch.map((item) => item * 2)
              )
        })
        const isFailed = (index: number) =>
          items.slice(Math.floor(index / size) * size, (Math.floor(index / size) + 1) * size).includes(7)
        expect(results).toEqual(
          items.map((item, index) => (isFailed(index) ? Either.left("seven") : Either.right(item * 2)))
        )
        expect(sizes.every((length) => length <= size)).toBe(true)
        expect(sizes).toHaveLength(Math.ceil(items.length / size))
      })
  )

  it.effect("Given a process that loses an item or hangs, When a batch runs, Then its own items fail alone", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ timeout: "1 second" })
      const fiber = yield* Effect.fork(
        pool.batch(["a", "b", "loses", "d", "hangs"], { size: 2 }, (batch) =>
          batch.includes("hangs") ? Effect.never : Effect.succeed(batch.filter((item) => item !== "loses"))
        )
      )
      yield* TestClock.adjust("1 second")
      const [a, b, c, d, e] = yield* Fiber.join(fiber)
      expect([a, b]).toEqual([Either.right("a"), Either.right("b")])
      for (const lost of [c, d]) expect(lost).toMatchObject({ left: { field: "process", size: 1 } })
      expect(e).toMatchObject({ left: { reason: "Timeout" } })
    })
  )

  it.effect("Given a long list in batches of one, When they run, Then splitting it does not take quadratic time", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ timeout: Infinity })
      const items = Array.from({ length: 100_000 }, (_, index) => index)
      const began = performance.now()
      const results = yield* pool.batch(items, { size: 1 }, (batch) => Effect.succeed(batch))
      expect(results.at(-1)).toEqual(Either.right(99_999))
      expect(performance.now() - began).toBeLessThan(5000)
    })
  )

  it.effect("Given ten thousand callers, When they run at once, Then each is served once", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make({ concurrency: 10, timeout: Infinity })
      const { tally: seen, task } = tally()
      const ids = Array.from({ length: 10_000 }, (_, id) => id)
      yield* Effect.forEach(ids, (id) => pool.run(task(id)), { concurrency: "unbounded", discard: true })
      expect(seen.order).toEqual(ids)
      expect(seen.most).toBe(10)
    })
  )

  it.effect.each<[string, TaskPool.Options]>([
    ["concurrency", { concurrency: 0 }],
    ["concurrency", { concurrency: 1.5 }],
    ["concurrency", { concurrency: Infinity }],
    ["timeout", { timeout: 0 }],
    ["timeout", { timeout: -1 }],
    ["timeout", { timeout: Number.NaN }],
    ["queue", { queue: -1 }],
    ["onFull", JSON.parse('{ "onFull": "refuse" }')]
  ])("Given the option %s out of its range, When a pool is made, Then it is refused", ([field, options]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TaskPool.make(options))
      expect(error).toBeInstanceOf(InvalidInput)
      expect(error.field).toBe(field)
    })
  )

  it.effect("Given an option of a call out of its range, When it is called, Then nothing starts", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.make()
      const never = Effect.dieMessage("started")
      expect(yield* Effect.flip(pool.run(never, { timeout: 0 }))).toMatchObject({ field: "timeout" })
      expect(yield* Effect.flip(pool.all([never], { timeout: -5 }))).toMatchObject({ field: "timeout" })
      expect(yield* Effect.flip(pool.batch([1], { size: 0 }, () => never))).toMatchObject({ field: "size" })
      const none = yield* Effect.flip(pool.batch([1], { size: 1, concurrency: 0 }, () => never))
      expect(none).toMatchObject({ field: "concurrency" })
    })
  )

  it.effect("Given a configuration, When the layer is built from it, Then its options are in force", () =>
    Effect.gen(function* () {
      const pool = yield* TaskPool.TaskPool
      yield* Effect.fork(pool.run(Effect.never))
      yield* Effect.yieldNow()
      yield* Effect.fork(pool.run(Effect.void))
      yield* Effect.yieldNow()
      expect(yield* pool.stats).toEqual({ running: 1, waiting: 1 })
    }).pipe(
      Effect.provide(TaskPool.layerConfig({ concurrency: Config.integer("TASKS") })),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["TASKS", "1"]])))
    )
  )
})
