/**
 * A worker pool on threads of Node. They share memory with the pool: a small task costs no message, idle threads take work from
 * busy ones, and sleep when there is none.
 *
 * @since 0.1.0
 */
import { availableParallelism } from "node:os"
import type { ResourceLimits } from "node:worker_threads"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
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
   * Threads, from 1 to four for each core. Default: one less than the cores, at least 1. Too low: cores are idle. Too high:
   * threads take time from each other and from the event loop; above the number of cores a warning is logged.
   */
  readonly threads?: number | undefined
  /**
   * Bytes of shared memory for the input, and then the output, of each task: a multiple of 8 from 64 to 1,048,576. Default 4096.
   * Larger ones go by messages. Too low: messages cost several times as much. Too high: `queue` times as much memory.
   */
  readonly slotBytes?: number | undefined
  /**
   * Limits of each thread, such as `maxOldGenerationSizeMb`. A task that exceeds them is `Crashed`, and the process lives on.
   * Default: Node's. Too low: threads do not start. Too high: no protection.
   */
  readonly resourceLimits?: ResourceLimits | undefined
}

const checked = Effect.fnUntraced(function* (options: Options) {
  const cores = availableParallelism()
  const threads = yield* Check.integer("threads", options.threads ?? Math.max(1, cores - 1), 1, 4 * cores)
  if (threads > cores) yield* Effect.logWarning(`The worker pool has ${threads} threads on ${cores} cores`)
  const slotBytes = yield* Check.integer("slotBytes", options.slotBytes ?? 4096, 64, 2 ** 20)
  if (slotBytes % 8 !== 0) {
    return yield* new InvalidInput({ field: "slotBytes", rule: "must be a multiple of 8", size: slotBytes })
  }
  const queue = yield* Check.integer("queue", options.queue ?? 1024, 1, 65_536)
  return { threads, slotBytes, queue, resourceLimits: options.resourceLimits }
})

const crashed = (cause: unknown): WorkerPool.WorkerError =>
  cause instanceof WorkerPool.WorkerError
    ? cause
    : new WorkerPool.WorkerError({ reason: "Crashed", task: "start", detail: "the threads do not start", cause })

/**
 * Starts the threads, and ends them with the Scope. It is ready when all threads are.
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
 * {@link make} as a layer: threads start when the layer is built, and none does before.
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
