/**
 * A worker pool on Node's threads. The threads share memory with the pool, so a small task needs no message. An idle
 * thread takes work from busy ones, and sleeps if there is none.
 *
 * @since 0.1.0
 */
import { availableParallelism } from "node:os"
import type { ResourceLimits } from "node:worker_threads"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Struct from "effect/Struct"
import { cancelable } from "../services/internal/hot.js"
import * as Metrics from "../services/Metrics.js"
import * as WorkerPool from "../services/WorkerPool.js"
import * as Check from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import { Threads } from "./threads/Threads.js"

/**
 * Options of the threads.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends WorkerPool.Options {
  /**
   * Number of threads, from 1 to four per core. Default: the number of cores minus one, at least 1. Too low: cores are
   * idle. Too high: the threads compete with each other and with the event loop; above the number of cores, a warning
   * is logged.
   */
  readonly threads?: number | undefined
  /**
   * Bytes of shared memory for the input, and then the output, of each task: a multiple of 8 from 64 to 1,048,576.
   * Default 32,768, or less for a `queue` above 1024, but at least 4096. Larger inputs and outputs, also the chunks of
   * `map`, are sent in messages. Too low: many tasks need messages, which cost several times as much, and a thread waits
   * for its input. Too high: it reserves `queue` times as much memory, of which only used pages count.
   */
  readonly slotBytes?: number | undefined
  /**
   * Limits of each thread, such as `maxOldGenerationSizeMb`: at least 8 MB for the old generation, and 1 MB for each other.
   * A task that exceeds them fails with `Crashed`, and the process continues. Default: Node's. Too low: threads cannot
   * start. Too high: no protection.
   */
  readonly resourceLimits?: ResourceLimits | undefined
}

/**
 * Minimum megabytes of each limit. Below 4 MB for the old generation, V8 of Node 22 and 24 ends the whole process instead of
 * the thread. With a stack of 0.2 MB, Node 20 does.
 */
const MINIMUM: Record<keyof ResourceLimits, number> = {
  maxOldGenerationSizeMb: 8,
  maxYoungGenerationSizeMb: 1,
  codeRangeSizeMb: 1,
  stackSizeMb: 1
}

const MAX_MEGABYTES = 2 ** 20

const checkLimits = (limits: ResourceLimits): Either.Either<unknown, InvalidInput> =>
  Either.all(
    Struct.keys(MINIMUM).map((name) => {
      const value = limits[name]
      return value === undefined
        ? Either.void
        : Check.between(`resourceLimits.${name}`, value, MINIMUM[name], MAX_MEGABYTES)
    })
  )

const MAX_SLOT = 32_768
const MIN_SLOT = 4096

/** All slots together take 32 MiB, as far as the bounds of one slot allow. */
const slotBytesFor = (queue: number): number =>
  Math.min(MAX_SLOT, Math.max(MIN_SLOT, 8 * Math.floor((1024 * MAX_SLOT) / queue / 8)))

const checked = Effect.fnUntraced(function* (options: Options) {
  const cores = availableParallelism()
  const threads = yield* Check.integer("threads", options.threads ?? Math.max(1, cores - 1), 1, 4 * cores)
  if (threads > cores) yield* Effect.logWarning(`The worker pool has ${threads} threads on ${cores} cores`)
  const queue = yield* Check.integer("queue", options.queue ?? 1024, 1, 65_536)
  const slotBytes = yield* Check.integer("slotBytes", options.slotBytes ?? slotBytesFor(queue), 64, 2 ** 20)
  if (slotBytes % 8 !== 0) {
    return yield* new InvalidInput({ field: "slotBytes", rule: "must be a multiple of 8", size: slotBytes })
  }
  const { resourceLimits } = options
  if (resourceLimits !== undefined) yield* checkLimits(resourceLimits)
  return { threads, slotBytes, queue, resourceLimits }
})

const crashed = (cause: unknown): WorkerPool.WorkerError =>
  cause instanceof WorkerPool.WorkerError
    ? cause
    : new WorkerPool.WorkerError({ reason: "Crashed", task: "start", detail: "the threads could not start", cause })

/**
 * Starts the threads, and ends them with the Scope. The effect ends when all threads are ready.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const settings = yield* checked(options)
  const threads = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: async () =>
        new Threads(await import("node:worker_threads"), {
          ...settings,
          onReplaced: (reason) => Metrics.workersReplacedOf(reason).unsafeUpdate(1, [])
        }),
      catch: crashed
    }),
    (threads) => Effect.promise(() => threads.close())
  )
  yield* Effect.tryPromise({ try: () => threads.started, catch: crashed })
  const started = threads.stats.threads
  if (started < settings.threads) {
    yield* Effect.logWarning(`The worker pool has ${started} threads: ${settings.threads - started} could not start`)
  }
  return yield* WorkerPool.make(
    {
      threads: settings.threads,
      stats: () => threads.stats,
      execute: (job) => cancelable((resume) => threads.submit(job, resume))
    },
    options
  )
})

/**
 * {@link make} as a layer. The threads start when the layer is built.
 *
 * @example
 * ```ts
 * import { WorkerPool } from "@pod-protocol/effect/services/WorkerPool"
 * import * as WorkerPoolThreads from "@pod-protocol/effect/layers/WorkerPoolThreads"
 * import * as Effect from "effect/Effect"
 *
 * export const threads = Effect.flatMap(WorkerPool, (pool) => pool.stats).pipe(
 *   Effect.provide(WorkerPoolThreads.layer({ threads: 2 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<WorkerPool.WorkerPool, InvalidInput | WorkerPool.WorkerError> =>
  Layer.scoped(WorkerPool.WorkerPool, make(options))

/**
 * As {@link layer}, with options from the configuration.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<WorkerPool.WorkerPool, ConfigError.ConfigError | InvalidInput | WorkerPool.WorkerError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))
