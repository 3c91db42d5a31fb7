/**
 * Runs many effects with a bound on how many run at once, in the order of their calls. The effects are fibers of one thread:
 * a task pool bounds what waits for a network or a disk. `WorkerPool` runs CPU work on other threads.
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
import * as FifoSemaphore from "./internal/FifoSemaphore.js"
import * as ForEachLazily from "./internal/forEachLazily.js"
import * as TestLayer from "./internal/testLayer.js"
import * as TimeLimit from "./internal/timeLimit.js"
import { traced } from "./internal/traced.js"

/**
 * The pool refused a task, or ended it.
 *
 * - `Timeout`: the task ran longer than its timeout and was interrupted.
 * - `Full`: as many tasks wait as `queue` allows. The task did not start.
 *
 * @since 0.1.0
 * @category errors
 */
export class TaskPoolError extends printable(
  Schema.TaggedError<TaskPoolError>("@pod-protocol/effect/TaskPoolError")("TaskPoolError", {
    reason: Schema.Literal("Timeout", "Full"),
    /** `Timeout`: the timeout in milliseconds. `Full`: the tasks that wait. */
    limit: Schema.Number
  })
) {
  /** True for `Full`: a task of the queue may have ended since. */
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
 * What a pool does at this moment.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  readonly running: number
  readonly waiting: number
}

/**
 * How a task runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunOptions {
  /**
   * The longest that the task may run; the wait for its turn does not count. Default: the pool's. Too low: tasks that would
   * have ended are interrupted. Too high: a task that hangs keeps its place for long. `Infinity`: no limit.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * How a list is cut into batches.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchOptions {
  /**
   * Items in one batch; the last may have fewer. Too low: `process` is called often. Too high: one failure fails many items,
   * and fewer batches run at once.
   */
  readonly size: number
  /** Batches of this call that run at once, within the pool's bound. Default: the pool's. Too low and too high: as there. */
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
   * Runs an effect when its turn comes. An interruption leaves the queue, or interrupts the effect. `InvalidInput` for a
   * timeout that is not above 0.
   *
   * A task that runs another task of the same pool holds its place meanwhile: if all do so, none goes on.
   */
  readonly run: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    options?: RunOptions
  ) => Effect.Effect<A, E | InvalidInput | TaskPoolError, R>
  /**
   * Runs effects and returns their results in order. The first failure interrupts the others. No more fibers start than the
   * pool runs at once, so they wait for their turn whatever `onFull` says.
   */
  readonly all: <A, E, R>(
    effects: Iterable<Effect.Effect<A, E, R>>,
    options?: RunOptions
  ) => Effect.Effect<Array<A>, E | InvalidInput | TaskPoolError, R>
  /**
   * Cuts a list into batches and calls `process` for each. Returns one result for each item, in order. A batch that fails, or
   * runs into the pool's timeout, fails its own items only. A `process` that returns another number of results than it got
   * items fails them with `InvalidInput`. The batches wait for their turn as the tasks of `all`.
   */
  readonly batch: <A, B, E, R>(
    items: Iterable<A>,
    options: BatchOptions,
    process: (batch: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E, R>
  ) => Effect.Effect<Array<Either.Either<B, E | InvalidInput | TaskPoolError>>, InvalidInput, R>
  readonly stats: Effect.Effect<Stats>
}

/**
 * A bound on the effects that run at once.
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
   * Effects that run at once, from 1 to 1,000,000. Default 100. Too low: the network is idle while tasks wait. Too high:
   * memory, and a node that refuses so many requests.
   */
  readonly concurrency?: number | undefined
  /** The timeout of a task that names none. Default 30 seconds. Too low and too high: as `RunOptions.timeout`. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Tasks that may wait for their turn with `onFull: "fail"`. Default 1000. Too low: a short burst is refused. Too high:
   * tasks wait longer than their callers do.
   */
  readonly queue?: number | undefined
  /**
   * What `run` does when `queue` tasks wait: `wait` holds the caller back, and `fail` refuses the task with `Full`. Default
   * `wait`, which is for callers that are bounded themselves.
   */
  readonly onFull?: "wait" | "fail" | undefined
}

const timeoutOf = (timeout: Duration.DurationInput) => Check.millis("timeout", timeout, "unlimited")

const limited = (millis: number) =>
  TimeLimit.within(millis, () => new TaskPoolError({ reason: "Timeout", limit: millis }))

/** One result for each item of a batch. */
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
 * A pool. `InvalidInput` for an option out of its range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<Service, InvalidInput> {
  const concurrency = yield* Check.integer("concurrency", options.concurrency ?? 100, 1, 1_000_000)
  const timeout = yield* timeoutOf(options.timeout ?? "30 seconds")
  const queue = yield* Check.integer("queue", options.queue ?? 1000, 0)
  const refuses = (options.onFull ?? "wait") === "fail"
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
          refuses && semaphore.free === 0 && semaphore.waiting >= queue
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
        const results = yield* ForEachLazily.forEach(Arr.chunksOf(items, size), atOnce, (batch) =>
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
 * A pool of these members for tests. Any other member dies and names itself.
 *
 * @since 0.1.0
 * @category testing
 */
export const layerTest = (members: Layer.PartialEffectful<Service>): Layer.Layer<TaskPool> =>
  TestLayer.layer(TaskPool, members)
