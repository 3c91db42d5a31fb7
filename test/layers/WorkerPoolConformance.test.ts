/** What every layer of `WorkerPool` does. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as WorkerPoolThreads from "../../layers/WorkerPoolThreads.js"
import * as WorkerPool from "../../services/WorkerPool.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Tasks from "../support/workerTasks.js"

type Pool = Layer.Layer<WorkerPool.WorkerPool, InvalidInput | WorkerPool.WorkerError>

const layers: ReadonlyArray<readonly [string, (options?: WorkerPool.Options) => Pool]> = [
  ["layerInline", WorkerPool.layerInline],
  ["WorkerPoolThreads", (options) => WorkerPoolThreads.layer({ threads: 2, ...options })]
]

const { bytesTask, textTask } = Tasks

const thrower = () => {
  throw new Error("no")
}

describe.each(layers)("%s", (_, layer) => {
  const using = <A, E>(
    use: (pool: WorkerPool.Service) => Effect.Effect<A, E>,
    options?: WorkerPool.Options
  ): Effect.Effect<A, E | InvalidInput | WorkerPool.WorkerError> =>
    Effect.provide(Effect.flatMap(WorkerPool.WorkerPool, use), layer(options))

  it.live("Given tasks that return bytes or promises of them, When they run, Then their results come back", () =>
    using((pool) =>
      Effect.gen(function* () {
        expect(yield* pool.run(textTask("echo"), "hello")).toBe("hello")
        expect(yield* pool.run(textTask("upper"), "hello")).toBe("HELLO")
        expect(yield* pool.run(textTask("echo"), "")).toBe("")
        expect(yield* pool.run(bytesTask("view"), new Uint8Array())).toEqual(new Uint8Array(10).fill(1))
        const large = yield* pool.run(bytesTask("largeView"), new Uint8Array())
        expect(Buffer.compare(large, new Uint8Array(100_000).fill(1))).toBe(0)
        expect((yield* pool.stats).pending).toBe(0)
      })
    )
  )

  it.live(
    "Given inputs and outputs about and above a slot, When they pass, Then they are whole and the caller's stay",
    () =>
      using((pool) =>
        Effect.gen(function* () {
          for (const size of [1, 32_767, 32_768, 32_769, 100_000]) {
            const input = new Uint8Array(size).map((_, index) => index * 7)
            const before = input.slice()
            expect(yield* pool.run(bytesTask("echo"), input)).toEqual(before)
            expect(input).toEqual(before)
            const grown = yield* pool.run(textTask("grow"), String(size))
            expect(grown.length).toBe(size)
          }
        })
      )
  )

  it.live("Given two hundred inputs, When they are mapped, Then the outputs are in order at any chunk", () =>
    using((pool) =>
      Effect.gen(function* () {
        const inputs = Array.from({ length: 200 }, (_, index) => `input ${index}`)
        for (const chunk of [undefined, 1, 7, 5000]) {
          expect(yield* pool.map(textTask("upper"), inputs, { chunk })).toEqual(
            inputs.map((input) => input.toUpperCase())
          )
        }
        expect(yield* pool.map(textTask("upper"), [])).toEqual([])
        expect(yield* pool.map(textTask("upper"), ["", "a", ""], { chunk: 3 })).toEqual(["", "A", ""])
      })
    )
  )

  it.live("Given five hundred tasks at once, When they run through a small queue, Then each is answered once", () =>
    using(
      (pool) =>
        Effect.gen(function* () {
          const inputs = Array.from({ length: 500 }, (_, index) => String(index))
          const task = textTask("echo")
          const outputs = yield* Effect.forEach(inputs, (input) => pool.run(task, input), { concurrency: "unbounded" })
          expect(outputs).toEqual(inputs)
        }),
      { queue: 16 }
    )
  )

  it.live("Given a shared value, When the task runs, Then it has it", () =>
    using((pool) =>
      Effect.gen(function* () {
        expect(yield* pool.run(textTask("shared", { table: [1, 2] }), "")).toBe('{"table":[1,2]}')
        expect(yield* pool.run(textTask("shared", "other"), "")).toBe('"other"')
      })
    )
  )

  it.live.each<[string, WorkerPool.Task<string, string>, object]>([
    ["throws", textTask("throws"), { reason: "Task", cause: { name: "RangeError" } }],
    ["rejects", textTask("rejects"), { reason: "Task", cause: { message: "rejected" } }],
    ["throws a function", textTask("throwsFunction"), { reason: "Task" }],
    ["throws a revoked proxy", textTask("throwsProxy"), { reason: "Task" }],
    ["returns a text", textTask("returnsText"), { reason: "Task" }],
    ["returns nothing", textTask("returnsNothing"), { reason: "Task" }],
    ["is no function", textTask("notFunction"), { reason: "NotFound" }],
    ["is not exported", textTask("missing"), { reason: "NotFound" }],
    ["has a name of every object", textTask("toString"), { reason: "NotFound" }],
    ["has no module", Tasks.missingModule, { reason: "NotFound" }],
    ["has a module that throws", Tasks.throwingModule, { reason: "NotFound", cause: { message: "this module throws" } }]
  ])("Given a task that %s, When it runs, Then the failure is typed and the pool goes on", ([, task, expected]) =>
    using((pool) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(pool.run(task, "x"))
        expect(error).toMatchObject({ _tag: "WorkerError", task: task.name, isRetryable: false, ...expected })
        expect(() => JSON.stringify(error)).not.toThrow()
        expect(yield* Effect.flip(pool.map(task, ["x", "y"], { chunk: 2 }))).toMatchObject(expected)
        expect(yield* pool.run(textTask("echo"), "goes on")).toBe("goes on")
      })
    )
  )

  it.live("Given an encoding or a decoding that throws, When the task runs, Then the failure says which", () =>
    using((pool) =>
      Effect.gen(function* () {
        const echo = textTask("echo")
        expect(yield* Effect.flip(pool.run({ ...echo, encode: thrower }, "x"))).toMatchObject({ reason: "Encode" })
        expect(yield* Effect.flip(pool.run({ ...echo, decode: thrower }, "x"))).toMatchObject({ reason: "Decode" })
        expect(yield* Effect.flip(pool.map({ ...echo, decode: thrower }, ["x"]))).toMatchObject({ reason: "Decode" })
        expect((yield* pool.stats).pending).toBe(0)
      })
    )
  )

  it.live("Given a task that hangs, When its timeout comes, Then it fails, and the others are answered", () =>
    using((pool) =>
      Effect.gen(function* () {
        const started = performance.now()
        const [error, others] = yield* Effect.all(
          [
            Effect.flip(pool.run(textTask("hangs"), "x", { timeout: 100 })),
            Effect.forEach(["a", "b", "c"], (input) => pool.run(textTask("upper"), input), { concurrency: "unbounded" })
          ],
          { concurrency: "unbounded" }
        )
        expect(error).toMatchObject({ reason: "Timeout", task: "hangs" })
        expect(performance.now() - started).toBeGreaterThanOrEqual(99)
        expect(others).toEqual(["A", "B", "C"])
        expect(yield* pool.run(textTask("echo"), "after")).toBe("after")
      })
    )
  )

  it.live("Given a Buffer, When a task writes to its input, Then the caller's Buffer is as it was", () =>
    using((pool) =>
      Effect.gen(function* () {
        const mine = Buffer.from("hello")
        expect([...(yield* pool.run(bytesTask("wipes"), mine))]).toEqual([0, 0, 0, 0, 0])
        expect(mine.toString()).toBe("hello")
      })
    )
  )

  it.live("Given a full pool that refuses, When a task comes, Then it fails as Full, and is taken later", () =>
    using(
      (pool) =>
        Effect.gen(function* () {
          const fibers = yield* Effect.forEach(["80", "80"], (millis) =>
            Effect.fork(pool.run(textTask("waits"), millis, { timeout: 200 }))
          )
          yield* Effect.sleep(20)
          const error = yield* Effect.flip(pool.run(textTask("echo"), "x"))
          expect(error).toMatchObject({ reason: "Full", isRetryable: true })
          yield* Effect.forEach(fibers, (fiber) => fiber.await)
          // A task that was late leaves its place when its thread is replaced.
          const later = Effect.retry(pool.run(textTask("echo"), "x"), {
            while: ({ isRetryable }) => isRetryable,
            schedule: Schedule.spaced("20 millis")
          })
          expect(yield* Effect.timeout(later, "30 seconds")).toBe("x")
        }),
      { queue: 2, onFull: "fail" }
    )
  )

  it.live("Given callers that are interrupted, waiting or running, When others come, Then their places are free", () =>
    using(
      (pool) =>
        Effect.gen(function* () {
          for (let round = 0; round < 5; round++) {
            const fibers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () =>
              Effect.fork(pool.run(textTask("waits"), "x"))
            )
            yield* Effect.sleep(10)
            yield* Effect.forEach(fibers, (fiber) => fiber.interruptAsFork(fiber.id()))
            yield* Effect.forEach(fibers, (fiber) => fiber.await)
          }
          expect(yield* pool.map(textTask("upper"), ["a", "b"])).toEqual(["A", "B"])
        }),
      { queue: 4 }
    )
  )

  it.live.each<[string, WorkerPool.RunOptions]>([
    ["0", { timeout: 0 }],
    ["below 0", { timeout: -1 }],
    ["not a number", { timeout: Number.NaN }]
  ])("Given a timeout that is %s, When a task runs, Then it is refused", ([, options]) =>
    using((pool) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(pool.run(textTask("echo"), "x", options))).toMatchObject({ field: "timeout" })
        expect(yield* Effect.flip(pool.map(textTask("echo"), ["x"], options))).toMatchObject({ field: "timeout" })
        expect(yield* pool.run(textTask("echo"), "x", { timeout: Infinity })).toBe("x")
      })
    )
  )

  it.live.each<[string, WorkerPool.Options]>([
    ["queue", { queue: 0 }],
    ["queue", { queue: 1.5 }],
    ["queue", { queue: 2 ** 20 }],
    ["timeout", { timeout: 0 }],
    ["onFull", JSON.parse('{ "onFull": "refuse" }')]
  ])("Given the option %s out of its range, When the layer is built, Then it is refused", ([field, options]) =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(using(() => Effect.void, options))).toMatchObject({ field })
    })
  )

  it.live("Given a chunk out of its range, When inputs are mapped, Then it is refused", () =>
    using((pool) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(pool.map(textTask("echo"), ["x"], { chunk: 0 }))).toMatchObject({ field: "chunk" })
      })
    )
  )
})
