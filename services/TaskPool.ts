/**
 * Runs many effects with bounded concurrency, in the order of their calls. The effects are fibers of one thread: a task
 * pool is for work that waits for a network or a disk. `WorkerPool` runs CPU work on other threads.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Check from "../src/internal/check.js"
import { printable } from "../src/internal/printable.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as EventLoop from "./internal/eventLoop.js"
import * as FifoSemaphore from "./internal/FifoSemaphore.js"
import * as ForEachLazily from "./internal/forEachLazily.js"
import * as TestLayer from "./internal/testLayer.js"
import * as TimeLimit from "./internal/timeLimit.js"
import { traced } from "./internal/traced.js"

/**
 * The pool refused or interrupted a task.
 *
 * - `Timeout`: the task ran longer than its timeout and was interrupted.
 * - `Full`: `queue` tasks are waiting already. The task did not start.
 *
 * @since 0.1.0
 * @category errors
 */
export class TaskPoolError extends printable(
  Schema.TaggedError<TaskPoolError>("@pod-protocol/effect/TaskPoolError")("TaskPoolError", {
    reason: Schema.Literal("Timeout", "Full"),
    /** `Timeout`: the timeout in milliseconds. `Full`: the number of waiting tasks. */
    limit: Schema.Number
  })
) {
  /** True for `Full`: a waiting task may have ended by then. */
  get isRetryable(): boolean {
    return this.reason === "Full"
  }

  override get message(): string {
    return this.reason === "Timeout"
      ? `The task did not end within ${this.limit} ms: give it a longer timeout, or less work`
      : `${this.limit} tasks wait for the pool: start fewer at a time, or let callers wait with onFull: "wait"`
  }
}

/**
 * The present state of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  readonly running: number
  readonly waiting: number
}

/**
 * Options of one task.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions {
  /**
   * Maximum duration of the task, without the wait for its turn. Default: the pool's `timeout`. Too low: slow tasks are
   * interrupted before they end. Too high: a task that hangs keeps its place for long. `Infinity`: no limit.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * Options of splitting a list into batches.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchOptions {
  /**
   * Items in one batch; the last may have fewer. Too low: many calls of `process`. Too high: one failure affects many
   * items, and fewer batches run concurrently.
   */
  readonly size: number
  /**
   * Batches of this call that run concurrently, within the pool's bound. Default, too low and too high: as the pool's
   * `concurrency`.
   */
  readonly concurrency?: number | undefined
}

/**
 * The operations of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs an effect when its turn comes. An interruption removes it from the queue, or interrupts it. `InvalidInput` for
   * a timeout that is not above 0.
   *
   * A task that runs another task of the same pool keeps its own place. If all running tasks do so, the pool is in a
   * deadlock.
   */
  readonly run: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    options?: RunOptions
  ) => Effect.Effect<A, E | InvalidInput | TaskPoolError, R>
  /**
   * Runs effects and returns their results in order. The first failure interrupts the others. It starts at most
   * `concurrency` fibers, which wait for their turn whatever `onFull` is.
   */
  readonly all: <A, E, R>(
    effects: Iterable<Effect.Effect<A, E, R>>,
    options?: RunOptions
  ) => Effect.Effect<Array<A>, E | InvalidInput | TaskPoolError, R>
  /**
   * Splits a list into batches and calls `process` for each. Returns one result for each item, in order. A batch that
   * fails, or exceeds the pool's timeout, affects only its own items. If `process` returns fewer or more results than
   * it got items, these items fail with `InvalidInput`. The batches wait for their turn like the tasks of `all`.
   */
  readonly batch: <A, B, E, R>(
    items: Iterable<A>,
    options: BatchOptions,
    process: (batch: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E, R>
  ) => Effect.Effect<Array<Either.Either<B, E | InvalidInput | TaskPoolError>>, InvalidInput, R>
  readonly stats: Effect.Effect<Stats>
}

/**
 * Bounds the number of effects that run concurrently.
 *
 * @example
 * ```ts
 * import { Agent } from "@pod-protocol/effect/services/Agent"
 * import { TaskPool } from "@pod-protocol/effect/services/TaskPool"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const readAll = Effect.fn(function* (wallets: ReadonlyArray<Address>) {
 *   const agents = yield* Agent
 *   const pool = yield* TaskPool
 *   return yield* pool.all(wallets.map((wallet) => agents.get(wallet)))
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class TaskPool extends Context.Tag("@pod-protocol/effect/TaskPool")<TaskPool, Service>() {}

/**
 * Options of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Effects that run concurrently, 1 to 1,000,000. Default 100. Too low: the network is idle while tasks wait. Too
   * high: more memory, and a node may refuse that many requests.
   */
  readonly concurrency?: number | undefined
  /** The timeout of a task without its own. Default 30 seconds. Too low and too high: as for `RunOptions.timeout`. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Maximum waiting tasks with `onFull: "fail"`. Default 1000. Too low: short bursts are refused. Too high: tasks wait
   * longer than their callers.
   */
  readonly queue?: number | undefined
  /**
   * The behaviour of `run` when `queue` tasks are waiting: `wait` suspends the caller, and `fail` refuses the task with
   * `Full`. Default `wait`, which suits a bounded number of callers.
   */
  readonly onFull?: "wait" | "fail" | undefined
}

const timeoutOf = (timeout: Duration.DurationInput) => Check.millis("timeout", timeout, "unlimited")

const limited = (millis: number) =>
  TimeLimit.within(millis, () => new TaskPoolError({ reason: "Timeout", limit: millis }))

/** One result for each item of a batch. It fails if their numbers differ. */
const spread = <A, B, E>(
  batch: ReadonlyArray<A>,
  outcome: Either.Either<ReadonlyArray<B>, E>
): ReadonlyArray<Either.Either<B, E | InvalidInput>> => {
  if (Either.isLeft(outcome)) return batch.map(() => Either.left(outcome.left))
  const results = outcome.right
  if (results.length === batch.length) return results.map((result) => Either.right(result))
  const rule = `must return one result for each of its ${batch.length} items`
  return batch.map(() => Either.left(new InvalidInput({ field: "process", rule, size: results.length })))
}

/**
 * Makes a pool. `InvalidInput` for an option out of its range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<Service, InvalidInput> {
  const concurrency = yield* Check.integer("concurrency", options.concurrency ?? 100, 1, 1_000_000)
  const timeout = yield* timeoutOf(options.timeout ?? "30 seconds")
  const queue = yield* Check.integer("queue", options.queue ?? 1000, 0)
  const onFull = yield* Check.oneOf("onFull", options.onFull ?? "wait", ["wait", "fail"])
  const semaphore = FifoSemaphore.make(concurrency)

  const turn = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E | TaskPoolError, R> =>
    semaphore.withPermit(limited(millis)(effect))

  const withTimeout = <A, E, R>(
    { timeout: own }: RunOptions,
    use: (millis: number) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | InvalidInput, R> => (own === undefined ? use(timeout) : Effect.flatMap(timeoutOf(own), use))

  return {
    run: (effect, options = {}) =>
      withTimeout(options, (millis) =>
        Effect.suspend(() =>
          onFull === "fail" && semaphore.free === 0 && semaphore.waiting >= queue
            ? Effect.fail(new TaskPoolError({ reason: "Full", limit: semaphore.waiting }))
            : turn(effect, millis)
        )
      ).pipe(traced("TaskPool.run")),
    all: (effects, options = {}) =>
      withTimeout(options, (millis) =>
        ForEachLazily.forEach(effects, concurrency, (effect) => turn(effect, millis))
      ).pipe(traced("TaskPool.all")),
    batch: (items, options, process) =>
      Effect.gen(function* () {
        const size = yield* Check.integer("size", options.size, 1)
        const atOnce = yield* Check.integer("concurrency", options.concurrency ?? concurrency, 1)
        const batches = EventLoop.partsOf(Arr.fromIterable(items), size).filter(Arr.isNonEmptyReadonlyArray)
        const results = yield* ForEachLazily.forEach(batches, atOnce, (batch) =>
          Effect.map(
            Effect.either(
              turn(
                Effect.suspend(() => process(batch)),
                timeout
              )
            ),
            (outcome) => spread(batch, outcome)
          )
        )
        return results.flat()
      }).pipe(traced("TaskPool.batch")),
    stats: Effect.sync(() => ({ running: concurrency - semaphore.free, waiting: semaphore.waiting }))
  }
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<TaskPool, InvalidInput> => Layer.effect(TaskPool, make(options))

/**
 * As {@link layer}, with options from the configuration.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<TaskPool, ConfigError.ConfigError | InvalidInput> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category testing
 */
export const layerTest = (members: Layer.PartialEffectful<Service>): Layer.Layer<TaskPool> =>
  TestLayer.layer(TaskPool, members)
