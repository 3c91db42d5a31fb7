/**
 * Pools memory for an application's own batches: a batch leases one large arena and allocates its buffers in it. The
 * SDK itself leases none, because Node's pool is cheaper for its small buffers.
 *
 * Leasing costs more than allocating a small buffer, so arenas have 256 KiB or more, and one lease serves a whole
 * batch. A lease is worth it from about 64 buffers of a transaction's size (`npm run -s bench -- buffers`).
 * `MemoryPool` pools any object.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as TestLayer from "./internal/testLayer.js"
import * as MemoryPool from "./MemoryPool.js"

/**
 * The smallest arena, in bytes: below it, allocating is cheaper than leasing.
 *
 * @since 0.1.0
 * @category constants
 */
export const MIN_ARENA_BYTES = 256 * 1024

/**
 * Memory for one batch. It returns to the pool when the scope of the lease closes; there is no other way to return it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Arena {
  /**
   * Returns a buffer of `size` bytes. Its content is undefined unless the pool zeroes. Do not use it after the scope
   * closes. If the arena is full or closed, the buffer is allocated outside of it.
   */
  readonly allocate: (size: number) => Uint8Array
}

/**
 * Statistics of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  /** Arenas on lease. */
  readonly inUse: number
  /** Arenas that are not on lease. */
  readonly idle: number
  /** Leases that got an idle arena. */
  readonly hits: number
  /** Leases that made a new arena. */
  readonly misses: number
  /** Bytes of all arenas, on lease or idle. */
  readonly bytes: number
}

/**
 * The operations of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Leases an arena until the scope closes. It never waits: if no arena is idle, it makes one. */
  readonly lease: Effect.Effect<Arena, never, Scope.Scope>
  readonly stats: Effect.Effect<Stats>
}

/**
 * Arenas for batches.
 *
 * @example
 * ```ts
 * import * as BufferPool from "@pod-protocol/effect/services/BufferPool"
 * import * as Effect from "effect/Effect"
 *
 * export const batch = Effect.scoped(
 *   Effect.gen(function* () {
 *     const pool = yield* BufferPool.BufferPool
 *     const arena = yield* pool.lease
 *     return arena.allocate(1232).length
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class BufferPool extends Context.Tag("@pod-protocol/effect/BufferPool")<BufferPool, Service>() {}

/**
 * Options of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Bytes of an arena, at least 262,144. Default 262,144. Too low: batches overflow it and allocate apart. Too high:
   * idle arenas hold memory that no batch fills.
   */
  readonly arenaBytes?: number | undefined
  /**
   * Maximum idle arenas. Default 4. Too low: concurrent batches make new arenas each time. Too high: the pool holds the
   * memory of a burst until `idleTimeout`.
   */
  readonly maxIdle?: number | undefined
  /**
   * Time after which the pool drops an idle arena. Default 1 minute. Too low: infrequent batches always miss. Too high:
   * the pool holds the memory of a burst for long.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /**
   * Whether a returned arena is overwritten with zeros. Default false. It costs about 10 µs for 256 KiB; without it, a
   * batch can read bytes of an earlier batch.
   */
  readonly zero?: boolean | undefined
  /**
   * Allocates the memory of an arena. Default: an `ArrayBuffer`. Return a `SharedArrayBuffer` for arenas that threads
   * share.
   */
  readonly factory?: ((bytes: number) => ArrayBufferLike) | undefined
}

/** Allocates buffers one after the other, aligned to eight bytes so that any typed array fits. */
class Lease implements Arena {
  #used = 0
  #memory: Uint8Array | undefined

  constructor(memory: Uint8Array) {
    this.#memory = memory
  }

  allocate(size: number): Uint8Array {
    const from = this.#used
    const end = from + size
    // A negative size or NaN would lay the next buffers over earlier ones.
    if (this.#memory === undefined || !(end >= from && end <= this.#memory.length)) return new Uint8Array(size)
    this.#used = Math.ceil(end / 8) * 8
    return this.#memory.subarray(from, from + size)
  }

  /** Releases the memory and returns the number of allocated bytes. */
  close(): number {
    this.#memory = undefined
    return this.#used
  }
}

/**
 * A pool that lives as long as the scope. `InvalidInput` for an arena below 256 KiB or a number that is negative.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Service, InvalidInput, Scope.Scope> {
  const { factory = (bytes) => new ArrayBuffer(bytes), zero = false } = options
  const arenaBytes = yield* Check.integer("arenaBytes", options.arenaBytes ?? MIN_ARENA_BYTES, MIN_ARENA_BYTES)
  const maxPooled = yield* Check.integer("maxIdle", options.maxIdle ?? 4, 0)
  const { acquire, stats } = yield* MemoryPool.make({
    create: () => new Uint8Array(factory(arenaBytes)),
    maxPooled,
    name: "BufferPool",
    bytesEach: arenaBytes,
    idleTimeout: options.idleTimeout ?? "1 minute"
  })

  // Finalizers run in reverse order: the lease closes before its memory returns to the pool.
  const lease = Effect.flatMap(acquire, (memory) =>
    Effect.acquireRelease(
      Effect.sync(() => new Lease(memory)),
      (lease) =>
        Effect.sync(() => {
          const used = lease.close()
          if (zero) memory.fill(0, 0, used)
        })
    )
  )

  return {
    lease,
    stats: Effect.map(stats, ({ hits, idle, inUse, misses }) => ({
      inUse,
      idle,
      hits,
      misses,
      bytes: (inUse + idle) * arenaBytes
    }))
  }
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<BufferPool, InvalidInput> =>
  Layer.scoped(BufferPool, make(options))

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<BufferPool> => TestLayer.layer(BufferPool, stubs)
