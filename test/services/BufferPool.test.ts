import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as BufferPool from "../../services/BufferPool.js"

const KIB_256 = BufferPool.MIN_ARENA_BYTES

const useOnce = (pool: BufferPool.Service) =>
  Effect.scoped(Effect.map(pool.lease, (arena) => arena.allocate(100).fill(7)))

describe("BufferPool", () => {
  it.scoped("Given a pool, When a second batch follows the first, Then it reuses the memory of the first", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make()
      const first = yield* useOnce(pool)
      const second = yield* useOnce(pool)
      expect(second.buffer).toBe(first.buffer)
      expect(yield* pool.stats).toStrictEqual({ inUse: 0, idle: 1, hits: 1, misses: 1, bytes: KIB_256 })
    })
  )

  it.scoped("Given an arena, When buffers are taken, Then they do not overlap and are aligned to eight bytes", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make()
      const arena = yield* pool.lease
      const buffers = [1, 7, 8, 9, 1232].map((size) => arena.allocate(size))
      expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(1)
      expect(buffers.map(({ byteOffset }) => byteOffset)).toStrictEqual([0, 8, 16, 24, 40])
      expect(buffers.map(({ length }) => length)).toStrictEqual([1, 7, 8, 9, 1232])
    })
  )

  it.scoped("Given a full arena, When more is taken, Then it is allocated outside the arena", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make()
      const arena = yield* pool.lease
      const whole = arena.allocate(KIB_256)
      const more = arena.allocate(1)
      expect(more.buffer).not.toBe(whole.buffer)
    })
  )

  it.scoped.each<[string, number]>([
    ["NaN", Number.NaN],
    ["negative", -104],
    ["endless", Infinity],
    ["no whole number", 1.5]
  ])("Given a size that is %s, When it is taken, Then later buffers do not overlap earlier ones", ([, size]) =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make()
      const arena = yield* pool.lease
      arena.allocate(200).fill(1)
      const earlier = arena.allocate(200).fill(2)
      yield* Effect.either(Effect.try(() => arena.allocate(size)))
      arena.allocate(200).fill(3)
      arena.allocate(200).fill(4)
      expect(earlier.every((byte) => byte === 2)).toBe(true)
    })
  )

  it.scoped("Given a closed lease, When a buffer is taken, Then its memory does not belong to the pool", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make()
      const stale = yield* Effect.scoped(pool.lease)
      const live = yield* pool.lease
      expect(stale.allocate(8).buffer).not.toBe(live.allocate(8).buffer)
    })
  )

  it.scoped(
    "Given a batch that fails or is interrupted, When its scope closes, Then its arena returns to the pool",
    () =>
      Effect.gen(function* () {
        // Given
        const pool = yield* BufferPool.make()
        const started = yield* Deferred.make<void>()
        const waiting = yield* pool.lease.pipe(
          Effect.zipRight(Deferred.succeed(started, undefined)),
          Effect.zipRight(Effect.never),
          Effect.scoped,
          Effect.fork
        )
        yield* Deferred.await(started)
        expect((yield* pool.stats).inUse).toBe(1)
        // When
        yield* Fiber.interrupt(waiting)
        const failed = yield* Effect.exit(Effect.scoped(Effect.zipRight(pool.lease, Effect.fail("no"))))
        // Then
        expect(Exit.isFailure(failed)).toBe(true)
        expect(yield* pool.stats).toStrictEqual({ inUse: 0, idle: 1, hits: 1, misses: 1, bytes: KIB_256 })
      })
  )

  it.scoped("Given idle arenas, When the idle timeout passes, Then they are released, oldest first", () =>
    Effect.gen(function* () {
      // Given
      const pool = yield* BufferPool.make({ idleTimeout: "10 seconds" })
      yield* Effect.scoped(Effect.zipRight(pool.lease, Effect.scoped(pool.lease)))
      expect((yield* pool.stats).idle).toBe(2)
      yield* TestClock.adjust("6 seconds")
      yield* useOnce(pool)
      // When
      yield* TestClock.adjust("4 seconds")
      // Then
      expect((yield* pool.stats).idle).toBe(1)
      yield* TestClock.adjust("6 seconds")
      expect((yield* pool.stats).idle).toBe(0)
      yield* useOnce(pool)
      yield* TestClock.adjust("10 seconds")
      expect(yield* pool.stats).toMatchObject({ idle: 0, bytes: 0 })
    })
  )

  it.scoped("Given more arenas than may be idle, When all return, Then the excess is released", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make({ maxIdle: 2 })
      yield* Effect.scoped(Effect.replicateEffect(pool.lease, 5))
      expect(yield* pool.stats).toStrictEqual({ inUse: 0, idle: 2, hits: 0, misses: 5, bytes: 2 * KIB_256 })
    })
  )

  it.scoped("Given a pool that zeroes, When an arena is leased again, Then no byte of the earlier batch is left", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make({ zero: true })
      yield* useOnce(pool)
      const arena = yield* pool.lease
      expect(arena.allocate(KIB_256).every((byte) => byte === 0)).toBe(true)
    })
  )

  it.scoped("Given a factory, When arenas are made, Then the factory allocates their memory", () =>
    Effect.gen(function* () {
      const pool = yield* BufferPool.make({ factory: (bytes) => new SharedArrayBuffer(bytes) })
      expect((yield* useOnce(pool)).buffer).toBeInstanceOf(SharedArrayBuffer)
    })
  )

  it.scoped.each([{ arenaBytes: 1024 }, { arenaBytes: 300_000.5 }, { maxIdle: -1 }])(
    "Given the options %o, When a pool is made, Then it fails with InvalidInput",
    (options) =>
      Effect.gen(function* () {
        const refused = yield* Effect.flip(BufferPool.make(options))
        expect(refused.field).toBe(Object.keys(options)[0])
      })
  )
})
