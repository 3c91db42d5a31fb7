/**
 * Pools objects that are expensive to make: each belongs to a Scope while in use, and returns when the Scope closes.
 *
 * Acquiring costs more than `new` of a small object (`npm run -s bench -- buffers`), so pool only objects that are
 * large or slow to make.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Clock from "./internal/clock.js"
import * as MemoryMonitor from "./MemoryMonitor.js"

/**
 * Statistics of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  /** Objects in use. */
  readonly inUse: number
  /** Objects that are not in use. */
  readonly idle: number
  /** Acquisitions that found an idle object. */
  readonly hits: number
  /** Acquisitions that made an object. */
  readonly misses: number
}

/**
 * A pool of objects.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryPool<A> {
  /**
   * Acquires an object until the Scope closes. It never waits: if no object is idle, it makes one. Do not use the
   * object after the Scope closes: another holder may have it then.
   */
  readonly acquire: Effect.Effect<A, never, Scope.Scope>
  /**
   * Runs an effect with an object. The object returns to the pool when the effect succeeds, fails or is interrupted.
   */
  readonly use: <B, E, R>(f: (object: A) => Effect.Effect<B, E, R>) => Effect.Effect<B, E, R>
  readonly stats: Effect.Effect<Stats>
}

/**
 * Options of a pool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<A> {
  /** Makes an object. An exception is a defect of the acquiring call. */
  readonly create: () => A
  /**
   * Prepares a returned object for its next holder. Default: nothing. If it throws, the object is not pooled and the
   * exception is a defect.
   */
  readonly reset?: ((object: A) => void) | undefined
  /**
   * Maximum idle objects. Default: 1000. Too low: a burst makes new objects each time. Too high: the pool holds the
   * memory of a burst until `idleTimeout`. 0 keeps none.
   */
  readonly maxPooled?: number | undefined
  /**
   * Time after which the pool drops an idle object. Default: 5 minutes. Too low: infrequent callers always make a new
   * object. Too high: the pool holds the memory of a burst for long. `Infinity` drops none.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /**
   * Bytes of one object, for the statistics of a `MemoryMonitor`. Default 0: the pool is listed as empty. A wrong value
   * affects only the statistics.
   */
  readonly bytesEach?: number | undefined
  /**
   * The name with which the pool registers in the `MemoryMonitor` of the context, if one is provided. Default
   * `MemoryPool`.
   */
  readonly name?: string | undefined
}

interface Idle<A> {
  readonly object: A
  /** Monotonic time of its return, in milliseconds. */
  readonly since: number
}

/**
 * A pool that exists until the Scope closes. `InvalidInput` for a `maxPooled` below 0 or an `idleTimeout` of 0.
 *
 * @example
 * ```ts
 * import * as MemoryPool from "@pod-protocol/effect/services/MemoryPool"
 * import * as Effect from "effect/Effect"
 *
 * export const digest = Effect.scoped(
 *   Effect.gen(function* () {
 *     const buffers = yield* MemoryPool.make({
 *       create: () => new Uint8Array(4096),
 *       reset: (buffer) => buffer.fill(0),
 *       maxPooled: 100
 *     })
 *     return yield* buffers.use((buffer) => Effect.sync(() => buffer.length))
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function* <A>(
  options: Options<A>
): Effect.fn.Return<MemoryPool<A>, InvalidInput, Scope.Scope> {
  const { create, reset } = options
  const maxPooled = yield* Check.integer("maxPooled", options.maxPooled ?? 1000, 0)
  const idleTimeout = yield* Check.millis("idleTimeout", options.idleTimeout ?? "5 minutes", "unlimited")
  const bytesEach = yield* Check.between("bytesEach", options.bytesEach ?? 0, 0, Number.MAX_SAFE_INTEGER)
  const scope = yield* Effect.scope
  // The object that returned last is taken first, so the object with the longest idle time is at the front.
  const idle: Array<Idle<A>> = []
  let inUse = 0
  let hits = 0
  let misses = 0
  let isSweeping = idleTimeout === Infinity
  let isClosed = false

  const sweep = Effect.gen(function* () {
    while (true) {
      const [oldest] = idle
      if (oldest === undefined) break
      const wait = oldest.since + idleTimeout - (yield* Clock.monotonicMillis)
      if (wait <= 0) idle.shift()
      else yield* Effect.sleep(wait)
    }
    isSweeping = false
  })

  const take = Effect.sync(() => {
    const found = idle.pop()
    const object = found === undefined ? create() : found.object
    if (found === undefined) misses++
    else hits++
    inUse++
    return object
  })

  const giveBack = (object: A): Effect.Effect<void> =>
    Effect.flatMap(Clock.monotonicMillis, (since) => {
      inUse--
      if (isClosed || idle.length >= maxPooled) return Effect.void
      reset?.(object)
      idle.push({ object, since })
      if (isSweeping) return Effect.void
      isSweeping = true
      // A fiber forked by a finalizer is uninterruptible by default, because finalizers are.
      return Effect.forkIn(Effect.interruptible(sweep), scope)
    })

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isClosed = true
      idle.length = 0
    })
  )

  yield* MemoryMonitor.registerIfMonitored({
    name: options.name ?? "MemoryPool",
    bytes: Effect.sync(() => (inUse + idle.length) * bytesEach),
    shrink: (level) =>
      Effect.sync(() => {
        const dropped = level === "critical" ? idle.length : Math.ceil(idle.length / 2)
        // Drops the objects with the longest idle time.
        idle.splice(0, dropped)
        return dropped * bytesEach
      })
  })

  return {
    acquire: Effect.acquireRelease(take, giveBack),
    use: (f) => Effect.acquireUseRelease(take, f, giveBack),
    stats: Effect.sync(() => ({ inUse, idle: idle.length, hits, misses }))
  }
})
