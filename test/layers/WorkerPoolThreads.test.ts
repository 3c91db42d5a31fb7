/** What only threads do: end a task that never returns, survive its crash, share work, sleep, and leave nothing behind. */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import * as WorkerThreads from "node:worker_threads"
import { Worker } from "node:worker_threads"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TasksCode from "../../layers/tasks/moduleCode.js"
import { ABANDONED, allocate, Board, type Memory, QUEUED, RUNNING } from "../../layers/threads/Board.js"
import * as ThreadCode from "../../layers/threads/threadCode.js"
import { Threads, type Options as ThreadsOptions } from "../../layers/threads/Threads.js"
import * as WorkerPoolThreads from "../../layers/WorkerPoolThreads.js"
import { bundle } from "../../scripts/build-thread.js"
import { root } from "../../scripts/publicModules.js"
import type { Job, Service, Task, WorkerError } from "../../services/WorkerPool.js"
import { eventually } from "../support/eventually.js"
import { bytesTask, textTask } from "../support/workerTasks.js"

const pool = (options: WorkerPoolThreads.Options = {}) => WorkerPoolThreads.make({ threads: 2, ...options })

/** Tasks beside which a bad one runs. */
const others = (pool: Service) =>
  Effect.forEach(
    Array.from({ length: 20 }, (_, index) => String(index)),
    (input) => pool.run(textTask("echo"), input),
    { concurrency: "unbounded" }
  )

interface Data {
  readonly memory: Memory
  readonly thread: number
  readonly port: WorkerThreads.MessagePort
}

/** Threads of which `make` may replace some. */
const saboteur = (
  options: Partial<ThreadsOptions>,
  make: (start: () => Worker, thread: number, data: Data) => Worker
) => {
  const Saboteur = new Proxy(Worker, {
    construct: (Real, [url, options]) =>
      make(() => new Real(url, options), options.workerData.thread, options.workerData)
  })
  const defaults = { threads: 2, queue: 16, slotBytes: 64, resourceLimits: undefined, onReplaced: () => {} }
  return Effect.acquireRelease(
    Effect.sync(() => new Threads({ ...WorkerThreads, Worker: Saboteur }, { ...defaults, ...options })),
    (threads) => Effect.promise(() => threads.close())
  )
}

const job = (task: Task<never, unknown>): Job => ({
  task,
  inputs: [new Uint8Array(1)],
  timeoutMillis: 5000,
  transfer: false,
  waits: true
})

const expected = Array.from({ length: 20 }, (_, index) => String(index))

describe("WorkerPoolThreads", () => {
  it("Given the code of a thread, When it is bundled again, Then nothing changes", async () => {
    expect(ThreadCode.CODE, "run `npm run build:thread`").toBe(await bundle("threads/thread"))
    expect(TasksCode.CODE, "run `npm run build:thread`").toBe(await bundle("tasks/module"))
  })

  it.scopedLive("Given a task that loops for ever, When its timeout comes, Then it fails and no other task does", () =>
    Effect.gen(function* () {
      const { run, stats } = yield* pool()
      const bad = yield* Effect.fork(Effect.flip(run(textTask("loops"), "x", { timeout: 300 })))
      expect(yield* others({ run, stats, map: () => Effect.never })).toEqual(expected)
      expect(yield* Fiber.join(bad)).toMatchObject({ reason: "Timeout" })
      // The thread is replaced after the caller has its answer
      yield* eventually(stats, ({ replaced }) => replaced === 1)
      // Both threads serve again
      yield* Effect.all([run(textTask("busy"), "20"), run(textTask("busy"), "20")], { concurrency: 2 })
      expect(yield* stats).toMatchObject({ pending: 0, replaced: 1 })
    })
  )

  it.scopedLive.each<[string, string, WorkerPoolThreads.Options]>([
    ["ends the process", "exits", {}],
    ["throws outside of its promise", "crashesLater", {}],
    ["eats memory", "eatsMemory", { resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } }]
  ])("Given a task that %s, When it runs, Then it alone is Crashed and its thread is replaced", ([, name, options]) =>
    Effect.gen(function* () {
      const service = yield* pool(options)
      const bad = yield* Effect.fork(Effect.flip(service.run(textTask(name), "x")))
      expect(yield* others(service)).toEqual(expected)
      expect(yield* Fiber.join(bad)).toMatchObject({ reason: "Crashed", task: name })
      expect(yield* others(service)).toEqual(expected)
      expect((yield* service.stats).replaced).toBe(1)
    })
  )

  it.scopedLive("Given a task that forges messages to the pool, When it runs, Then the pool serves on", () =>
    Effect.gen(function* () {
      const service = yield* pool()
      expect(yield* service.run(textTask("forges"), "x")).toBe("x")
      expect(yield* others(service)).toEqual(expected)
      expect(yield* service.stats).toMatchObject({ pending: 0, replaced: 0 })
    })
  )

  it.scopedLive("Given a task that returns a view of a larger Buffer, When it ends, Then only the view leaves", () =>
    Effect.gen(function* () {
      const { run } = yield* pool()
      const output = yield* run(bytesTask("returnsView"), new Uint8Array(1))
      expect([output.length, output[0], output.buffer.byteLength]).toEqual([100_000, 7, 100_000])
    })
  )

  it.scopedLive("Given an output that cannot be transferred, When the task ends, Then it is copied", () =>
    Effect.gen(function* () {
      const { run } = yield* pool()
      const output = yield* run(bytesTask("returnsWasm"), new Uint8Array(1))
      expect([output.length, output[0]]).toEqual([65_536, 7])
    })
  )

  it.scopedLive("Given an output that cannot be sent, When the task ends, Then it fails and its thread lives on", () =>
    Effect.gen(function* () {
      const { run } = yield* pool({ threads: 1 })
      const error = yield* Effect.flip(run(bytesTask("unsendable"), new Uint8Array(1)))
      expect(error).toMatchObject({ reason: "Task", detail: "it threw Error: no room" })
      expect(yield* run(textTask("echo"), "x")).toBe("x")
    })
  )

  it.scopedLive("Given an interrupted task that does not return, When others come, Then its thread is replaced", () =>
    Effect.gen(function* () {
      const service = yield* pool({ threads: 1 })
      const bad = yield* Effect.fork(service.run(textTask("loops"), "x"))
      yield* Effect.sleep(50)
      yield* Fiber.interrupt(bad)
      expect(yield* service.run(textTask("echo"), "served")).toBe("served")
      expect((yield* service.stats).replaced).toBe(1)
    })
  )

  it.scopedLive("Given inputs that cannot be moved, When a task runs, Then it is Encode and its thread lives on", () =>
    Effect.gen(function* () {
      const { run } = yield* pool()
      const echo = bytesTask("echo")
      const shared = new Uint8Array(new SharedArrayBuffer(40_000))
      expect(yield* Effect.flip(run(echo, shared, { transfer: true }))).toMatchObject({ reason: "Encode" })
      const moved = new Uint8Array(40_000).fill(5)
      expect((yield* run(echo, moved, { transfer: true })).length).toBe(40_000)
      expect(moved.length).toBe(0)
      expect(yield* Effect.flip(run(echo, moved, { transfer: true }))).toMatchObject({ reason: "Encode" })
      const uncloneable = textTask("shared", () => 1)
      expect(yield* Effect.flip(run(uncloneable, "x"))).toMatchObject({ reason: "Encode" })
      expect(yield* run(textTask("echo"), "x")).toBe("x")
    })
  )

  it.scopedLive("Given a long task among short ones, When they run, Then the short ones do not wait for it", () =>
    Effect.gen(function* () {
      const { run } = yield* pool()
      const endless = yield* Effect.fork(run(textTask("loops"), "x", { timeout: Infinity }))
      yield* Effect.forEach(Array.from({ length: 100 }), () => run(textTask("busy"), "1"), { concurrency: 64 })
      expect(endless.unsafePoll()).toBeNull()
      yield* Fiber.interrupt(endless)
    })
  )

  it.live("Given tasks in the pool, When its scope closes, Then they fail as Closed, and so do later ones", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const service = yield* Scope.extend(pool(), scope)
      const fibers = yield* Effect.forEach(["loops", "waits", "loops", "echo"], (name) =>
        Effect.fork(Effect.flip(service.run(textTask(name), "x")))
      )
      yield* Effect.sleep(30)
      yield* Scope.close(scope, Exit.void)
      for (const fiber of fibers) expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Closed" })
      expect(yield* Effect.flip(service.run(textTask("echo"), "x"))).toMatchObject({ reason: "Closed" })
    })
  )

  it.scopedLive.each<[string, WorkerPoolThreads.Options]>([
    ["threads", { threads: 0 }],
    ["threads", { threads: 10_000 }],
    ["threads", { threads: 1.5 }],
    ["slotBytes", { slotBytes: 8 }],
    ["slotBytes", { slotBytes: 100 }],
    ["queue", { queue: -1 }],
    ["resourceLimits.maxOldGenerationSizeMb", { resourceLimits: { maxOldGenerationSizeMb: 2 } }],
    ["resourceLimits.maxYoungGenerationSizeMb", { resourceLimits: { maxYoungGenerationSizeMb: -1 } }],
    ["resourceLimits.codeRangeSizeMb", { resourceLimits: { codeRangeSizeMb: Number.NaN } }],
    ["resourceLimits.stackSizeMb", { resourceLimits: { stackSizeMb: 0.2 } }]
  ])("Given the option %s out of its range, When threads would start, Then it is refused", ([field, options]) =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(WorkerPoolThreads.make(options))).toMatchObject({ field })
    })
  )

  it.live.each<[string, (start: () => Worker, thread: number) => Worker]>([
    ["ends at its start", (start, thread) => (thread === 0 ? start() : new Worker("process.exit(1)", { eval: true }))],
    [
      "has no room",
      (start, thread) => {
        if (thread === 0) return start()
        throw new Error("ERR_WORKER_INIT_FAILED")
      }
    ]
  ])("Given a thread that %s, When the others are ready, Then the pool serves with them", ([, make]) =>
    Effect.gen(function* () {
      const threads = yield* saboteur({}, make)
      yield* Effect.promise(() => threads.started)
      expect(threads.stats).toMatchObject({ threads: 1 })
      const outcome = yield* Effect.async<ReadonlyArray<Uint8Array>, WorkerError>((resume) => {
        threads.submit(job(bytesTask("echo")), resume)
      })
      expect(outcome).toEqual([new Uint8Array(1)])
    }).pipe(Effect.scoped)
  )

  it.live("Given no room for any thread, When the pool starts, Then it fails", () =>
    Effect.gen(function* () {
      const threads = yield* saboteur({}, () => {
        throw new Error("ERR_WORKER_INIT_FAILED")
      })
      const error = yield* Effect.flip(Effect.tryPromise(() => threads.started))
      expect(error.error).toMatchObject({ reason: "Crashed", cause: { message: "ERR_WORKER_INIT_FAILED" } })
    }).pipe(Effect.scoped)
  )

  it.live(
    "Given a thread that was stopped in its claim, When the task is interrupted, Then the thread is replaced",
    () =>
      Effect.gen(function* () {
        let memory: Memory | undefined
        const threads = yield* saboteur({ threads: 1 }, (_start, _thread, data) => {
          memory = data.memory
          const code = `const { workerData } = require("node:worker_threads")
          workerData.port.postMessage({ kind: "ready" })
          setInterval(() => {}, 1000)`
          return new Worker(code, { eval: true, workerData: data, transferList: [data.port] })
        })
        yield* Effect.promise(() => threads.started)
        const cancel = threads.submit({ ...job(bytesTask("echo")), timeoutMillis: Infinity }, () => {})
        const board = new Board(memory ?? allocate(1, 1, 64))
        // The thread is stopped between the two steps of its claim.
        expect(board.move(0, QUEUED, RUNNING)).toBe(true)
        cancel()
        expect(board.move(0, ABANDONED, QUEUED) && board.claim(0, 0) && board.move(0, RUNNING, ABANDONED)).toBe(true)
        yield* eventually(
          Effect.sync(() => threads.stats),
          ({ replaced }) => replaced === 1
        )
      }).pipe(Effect.scoped)
  )

  it.each([
    [
      "serves",
      `Effect.gen(function* () {
        const { run } = yield* WorkerPoolThreads.make({ threads: 1 })
        return yield* run(textTask("upper"), "done")
      })`
    ],
    [
      "has no memory",
      `WorkerPoolThreads.make({ queue: 65536, slotBytes: 1048576 }).pipe(Effect.flip, Effect.as("DONE"))`
    ]
  ])(
    "Given a program with a pool that %s, When it ends, Then the process ends by itself with code 0",
    async (_, use) => {
      const program = `
      import * as Effect from "effect/Effect"
      import * as WorkerPoolThreads from "./layers/WorkerPoolThreads.js"
      import { textTask } from "./test/support/workerTasks.js"
      console.log(await Effect.runPromise(Effect.scoped(${use})))`
      const arguments_ = ["--import", "tsx", "--input-type=module", "--eval", program]
      const ended = promisify(execFile)(process.execPath, arguments_, { cwd: path.resolve(root), timeout: 20_000 })
      expect((await ended).stdout).toBe("DONE\n")
    }
  )
})
