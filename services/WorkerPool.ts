/**
 * Runs CPU work on other threads. A task is a function of a module, from bytes to bytes. The pool runs it on a free
 * thread.
 *
 * `layers/WorkerPoolThreads` runs tasks on Node's threads. {@link layerInline} runs the same tasks on the calling
 * thread, for browsers and tests. For effects that wait for a network, use `TaskPool`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as EventLoop from "./internal/eventLoop.js"
import * as FifoSemaphore from "./internal/FifoSemaphore.js"
import * as ForEachLazily from "./internal/forEachLazily.js"
import * as Measured from "./internal/measured.js"
import * as TestLayer from "./internal/testLayer.js"
import * as TimeLimit from "./internal/timeLimit.js"
import { spanned } from "./internal/traced.js"
import * as Metrics from "./Metrics.js"

const reasons = ["Timeout", "Crashed", "Full", "NotFound", "Encode", "Decode", "Task", "Closed"] as const

const ADVICE: Record<(typeof reasons)[number], string> = {
  Timeout: "Give it a longer timeout, or less work",
  Crashed: "Look at the cause: the task ended its thread, or the thread ran out of memory",
  Full: 'Start fewer tasks at a time, or let callers wait with onFull: "wait"',
  NotFound: "Check the URL of the task's module and the name of the function that it exports",
  Encode: "Check the input and the task's encode function, and transfer no shared or used buffer",
  Decode: "Check that the task's decode function accepts the bytes that its module returns",
  Task: "Look at the cause, which the task threw",
  Closed: "Run tasks before the scope of the pool closes"
}

/**
 * A task returned no result.
 *
 * - `Timeout`: it exceeded its timeout. Its thread was terminated and replaced.
 * - `Crashed`: its thread ended, by `process.exit`, by an exception outside of the task's promise, or because it ran
 *   out of memory. The task may be partly done. Other tasks are not affected.
 * - `Full`: the pool has `queue` tasks already. It did not start.
 * - `NotFound`: its module does not load, or does not export a function of its name.
 * - `Encode`: its input could not be encoded, or not be transferred to the thread. It did not start.
 * - `Decode`: its output could not be decoded.
 * - `Task`: it threw, its promise was rejected, or its result is not a `Uint8Array`.
 * - `Closed`: the pool was closed.
 *
 * @since 0.1.0
 * @category errors
 */
export class WorkerError extends printable(
  Schema.TaggedError<WorkerError>("@pod-protocol/effect/WorkerError")("WorkerError", {
    reason: Schema.Literal(...reasons),
    /** The name of the task. */
    task: SafeText.Schema(),
    /** The failure in one sentence. */
    detail: SafeText.Schema(),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `Full`: a task may have ended by then. */
  get isRetryable(): boolean {
    return this.reason === "Full"
  }

  override get message(): string {
    return `The task ${this.task} gave no result: ${this.detail}. ${ADVICE[this.reason]}`
  }
}

/**
 * The second argument of a task's function.
 *
 * @since 0.1.0
 * @category models
 */
export interface TaskContext {
  /**
   * Whether the result is no longer needed. A long computation should check this regularly and return early. Otherwise
   * its thread is terminated, which costs more.
   */
  readonly isCancelled: () => boolean
  /** The `shared` value of the task. */
  readonly shared: unknown
}

/**
 * A function that a task's module exports. It may run on any thread, and on several threads concurrently.
 *
 * @since 0.1.0
 * @category models
 */
export type TaskFunction = (input: Uint8Array, context: TaskContext) => Uint8Array | Promise<Uint8Array>

/**
 * A task: a function of a module, with the codecs of its input and output. Make it once and use it often: a thread
 * loads the task when it first gets this object.
 *
 * @since 0.1.0
 * @category models
 */
export interface Task<I, O> {
  /** The name under which the module exports its {@link TaskFunction}. */
  readonly name: string
  /** A module that the threads can import: a file, or a `data:` URL. Node 20 imports only JavaScript. */
  readonly module: URL
  /** Encodes an input. An exception fails the call with `Encode`. */
  readonly encode: (input: I) => Uint8Array
  /** Decodes an output. An exception fails the call with `Decode`. */
  readonly decode: (output: Uint8Array) => O
  /**
   * A value that each thread receives once with the task, such as a table or a `KeyObject`. It must be cloneable. A
   * thread keeps it until it has received 256 other tasks.
   */
  readonly shared?: unknown
}

/**
 * The present state and the totals of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  /** Threads that run tasks. */
  readonly threads: number
  /** Tasks in the pool, waiting or running. A chunk of `map` counts as one. */
  readonly pending: number
  /** Tasks that a thread took from the queue of another thread. */
  readonly stolen: number
  /** Threads that were terminated or crashed, and were replaced. */
  readonly replaced: number
}

/**
 * Options of one task.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions {
  /**
   * Maximum time that a thread works on the task, without the wait for a thread. Default: the pool's `timeout`. Too
   * low: the threads of slow tasks are terminated. Too high: a task that never returns keeps its thread for long.
   * `Infinity`: no limit.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Transfers the encoded bytes to the thread instead of copying them, if they are too large for a slot. No other code
   * may use their `ArrayBuffer`. Default false. A `SharedArrayBuffer` cannot be transferred and fails with `Encode`.
   */
  readonly transfer?: boolean | undefined
}

/**
 * Options of `map`.
 *
 * @since 0.1.0
 * @category models
 */
export interface MapOptions extends Pick<RunOptions, "timeout"> {
  /**
   * Inputs that one thread gets together, 1 to 65,536. Default: an eighth of a thread's share. Too low: the overhead of
   * the transfer for each input. Too high: some threads are idle while others still work. The timeout applies to a
   * chunk.
   */
  readonly chunk?: number | undefined
}

/**
 * The operations of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs a task on a free thread. An interruption removes a waiting task from the queue. The result of a running task
   * is dropped, and its thread is replaced if the task does not return soon. `InvalidInput` for a timeout that is not
   * above 0.
   */
  readonly run: <I, O>(task: Task<I, O>, input: I, options?: RunOptions) => Effect.Effect<O, InvalidInput | WorkerError>
  /**
   * Runs a task for each input, on all threads, and returns the outputs in order. The first failure cancels the rest.
   * It waits while the pool is full, whatever `onFull` is.
   */
  readonly map: <I, O>(
    task: Task<I, O>,
    inputs: ReadonlyArray<I>,
    options?: MapOptions
  ) => Effect.Effect<Array<O>, InvalidInput | WorkerError>
  readonly stats: Effect.Effect<Stats>
}

/**
 * Runs CPU work on threads.
 *
 * @example
 * ```ts
 * import { type Task, WorkerPool } from "@pod-protocol/effect/services/WorkerPool"
 * import * as Effect from "effect/Effect"
 *
 * // hash.js: export const hash = (input) => createHash("sha256").update(input).digest()
 * const hash: Task<string, Uint8Array> = {
 *   name: "hash",
 *   module: new URL("./hash.js", import.meta.url),
 *   encode: (text) => new TextEncoder().encode(text),
 *   decode: (digest) => digest
 * }
 *
 * export const digests = Effect.flatMap(WorkerPool, (pool) => pool.map(hash, ["a", "b", "c"]))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class WorkerPool extends Context.Tag("@pod-protocol/effect/WorkerPool")<WorkerPool, Service>() {}

/**
 * Options of every pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum tasks in the pool, waiting or running, 1 to 65,536. Default 1024. Too low: threads are idle while the
   * caller prepares tasks. Too high: memory for the inputs, and long waits.
   */
  readonly queue?: number | undefined
  /**
   * The behaviour of `run` when the pool is full: `wait` suspends the caller, in the order of the calls, and `fail`
   * fails with `WorkerError` `Full`. Default `wait`.
   */
  readonly onFull?: "wait" | "fail" | undefined
  /** The timeout of a task without its own. Default 30 seconds. Too low and too high: as for `RunOptions.timeout`. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * The implementation of a layer: runs one task for some inputs on one thread.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  readonly threads: number
  readonly execute: (job: Job) => Effect.Effect<ReadonlyArray<Uint8Array>, WorkerError>
  readonly stats: () => Stats
}

/**
 * A job of a {@link Source}. Its result has one output for each input.
 *
 * @since 0.1.0
 * @category models
 */
export interface Job {
  readonly task: Task<never, unknown>
  readonly inputs: ReadonlyArray<Uint8Array>
  /** Maximum duration in milliseconds. `Infinity`: no limit. */
  readonly timeoutMillis: number
  readonly transfer: boolean
  /** Whether to wait while the pool is full. */
  readonly waits: boolean
}

const MAX_CHUNK = 65_536

/** Chunks per thread in `map`: enough for the threads to end at about the same time. */
const CHUNKS_PER_THREAD = 8

/** Chunks per thread of one `map` that are in the pool at the same time. */
const CHUNKS_AT_ONCE = 4

const encoded = <I>(task: Task<I, unknown>, input: I): Uint8Array | WorkerError => {
  const refuse = (detail: string, cause?: unknown) =>
    new WorkerError({ reason: "Encode", task: task.name, detail, cause })
  try {
    const bytes: unknown = task.encode(input)
    return bytes instanceof Uint8Array ? bytes : refuse("encode did not return a Uint8Array")
  } catch (cause) {
    return refuse("encode threw", cause)
  }
}

const decoding = <O>(task: Task<never, unknown>, decode: () => O): Effect.Effect<O, WorkerError> =>
  Effect.try({
    try: decode,
    catch: (cause) => new WorkerError({ reason: "Decode", task: task.name, detail: "decode threw", cause })
  })

/** One counter for each outcome: creating a counter costs more than incrementing it. */
const ended: ReadonlyMap<string, Metric.Metric.Counter<number>> = new Map(
  ["success", "InvalidInput", "Interrupted", "Defect", ...reasons].map((outcome) => [
    outcome,
    Metrics.workerTasksOf(outcome)
  ])
)

const outcomeOf = (cause: Cause.Cause<InvalidInput | WorkerError>): string => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure !== undefined) return failure._tag === "WorkerError" ? failure.reason : failure._tag
  return Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect"
}

const counted = <A>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  self: Effect.Effect<A, InvalidInput | WorkerError>
): Effect.Effect<A, InvalidInput | WorkerError> =>
  Effect.onExit(self, (exit) =>
    Effect.sync(() => {
      const counter = ended.get(Exit.isSuccess(exit) ? "success" : outcomeOf(exit.cause))
      if (counter !== undefined) Measured.update(fiber, counter, 1)
    })
  )

/**
 * A pool over a source of threads. `InvalidInput` for a timeout that is not above 0.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (source: Source, options: Options = {}): Effect.Effect<Service, InvalidInput> =>
  Effect.gen(function* () {
    const poolTimeout = yield* Check.millis("timeout", options.timeout ?? "30 seconds", "unlimited")
    const waits = (yield* Check.oneOf("onFull", options.onFull ?? "wait", ["wait", "fail"])) === "wait"

    const withTimeout = <A, E>(
      { timeout }: Pick<RunOptions, "timeout">,
      use: (millis: number) => Effect.Effect<A, E>
    ): Effect.Effect<A, E | InvalidInput> =>
      timeout === undefined ? use(poolTimeout) : Effect.flatMap(Check.millis("timeout", timeout, "unlimited"), use)

    const run: Service["run"] = (task, input, options = {}) =>
      Effect.withFiberRuntime((fiber) =>
        counted(
          fiber,
          spanned(fiber, "WorkerPool.run", { "pod.task": task.name }, () =>
            withTimeout(options, (timeoutMillis) => {
              const bytes = encoded(task, input)
              if (bytes instanceof WorkerError) return bytes
              const job = { task, inputs: [bytes], timeoutMillis, transfer: options.transfer === true, waits }
              return Effect.flatMap(source.execute(job), ([output = new Uint8Array()]) =>
                decoding(task, () => task.decode(output))
              )
            })
          )
        )
      )

    const map: Service["map"] = (task, inputs, options = {}) =>
      Effect.withFiberRuntime((fiber) =>
        counted(
          fiber,
          spanned(fiber, "WorkerPool.map", { "pod.task": task.name, "pod.items": inputs.length }, () =>
            Effect.gen(function* () {
              const share = Math.ceil(inputs.length / (source.threads * CHUNKS_PER_THREAD))
              const size = yield* Check.integer(
                "chunk",
                options.chunk ?? Math.min(Math.max(share, 1), MAX_CHUNK),
                1,
                MAX_CHUNK
              )
              const chunks = EventLoop.partsOf(inputs, size)
              const outputs = yield* withTimeout(options, (timeoutMillis) =>
                ForEachLazily.forEach(chunks, CHUNKS_AT_ONCE * source.threads, (chunk) =>
                  Effect.gen(function* () {
                    const parts: Array<Uint8Array> = []
                    for (const input of chunk) {
                      const bytes = encoded(task, input)
                      if (bytes instanceof WorkerError) return yield* bytes
                      parts.push(bytes)
                    }
                    const job = { task, inputs: parts, timeoutMillis, transfer: false, waits: true }
                    const results = yield* source.execute(job)
                    return yield* decoding(task, () => results.map((output) => task.decode(output)))
                  })
                )
              )
              return outputs.flat()
            })
          )
        )
      )

    return { run, map, stats: Effect.sync(source.stats) }
  })

/** Imports the function of a task. Fails with `NotFound` if that is impossible. */
const load = ({ module, name }: Task<never, unknown>): Effect.Effect<TaskFunction, WorkerError> =>
  Effect.tryPromise({
    try: (): Promise<Record<string, unknown>> => import(/* @vite-ignore */ /* webpackIgnore: true */ module.href),
    catch: (cause) => new WorkerError({ reason: "NotFound", task: name, detail: "its module does not load", cause })
  }).pipe(
    Effect.flatMap((exports) => {
      const run = Object.hasOwn(exports, name) ? exports[name] : undefined
      const detail = "its module does not export a function of this name"
      return typeof run === "function"
        ? Effect.succeed<TaskFunction>((input, context) => Reflect.apply(run, undefined, [input, context]))
        : Effect.fail(new WorkerError({ reason: "NotFound", task: name, detail }))
    })
  )

const inlineSource = (queue: number): Source => {
  const semaphore = FifoSemaphore.make(1)
  const loaded = new WeakMap<Task<never, unknown>, TaskFunction>()
  const pending = () => 1 - semaphore.free + semaphore.waiting

  const functionOf = (task: Task<never, unknown>) => {
    const known = loaded.get(task)
    if (known !== undefined) return Effect.succeed(known)
    return Effect.tap(load(task), (run) => Effect.sync(() => loaded.set(task, run)))
  }

  const perform = (task: Task<never, unknown>, run: TaskFunction, input: Uint8Array) => {
    const failed = (detail: string, cause?: unknown) =>
      new WorkerError({ reason: "Task", task: task.name, detail, cause })
    return Effect.flatMap(
      Effect.tryPromise({
        try: async (signal): Promise<unknown> =>
          run(new Uint8Array(input), { shared: task.shared, isCancelled: () => signal.aborted }),
        catch: (cause) => failed("it threw", cause)
      }),
      (output) =>
        output instanceof Uint8Array ? Effect.succeed(output) : Effect.fail(failed("it did not return a Uint8Array"))
    )
  }

  return {
    threads: 1,
    stats: () => ({ threads: 1, pending: pending(), stolen: 0, replaced: 0 }),
    execute: ({ inputs, task, timeoutMillis, waits }) =>
      Effect.suspend(() => {
        if (!waits && pending() >= queue) {
          const detail = `${pending()} tasks are in the pool`
          return Effect.fail(new WorkerError({ reason: "Full", task: task.name, detail }))
        }
        const work = Effect.flatMap(functionOf(task), (run) =>
          Effect.forEach(inputs, (input) => perform(task, run, input))
        )
        const late = () =>
          new WorkerError({ reason: "Timeout", task: task.name, detail: `it ran longer than ${timeoutMillis} ms` })
        return semaphore.withPermit(TimeLimit.within(timeoutMillis, late)(work))
      })
  }
}

/**
 * Runs tasks on the calling thread, one at a time, for browsers and tests. A task that never returns to the event loop
 * blocks the program: neither a timeout nor an interruption can end it here.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerInline = (options: Options = {}): Layer.Layer<WorkerPool, InvalidInput> =>
  Layer.effect(
    WorkerPool,
    Effect.flatMap(Check.integer("queue", options.queue ?? 1024, 1, 65_536), (queue) =>
      make(inlineSource(queue), options)
    )
  )

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<WorkerPool> => TestLayer.layer(WorkerPool, stubs)
