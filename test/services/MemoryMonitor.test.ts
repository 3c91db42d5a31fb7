import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as BufferPool from "../../services/BufferPool.js"
import { Survivors } from "../../services/memory/Suspicion.js"
import * as MemoryMonitor from "../../services/MemoryMonitor.js"
import * as PayloadStore from "../../services/PayloadStore.js"

const MEGABYTE = 1024 * 1024

/** A platform of which a test sets the figures. */
const platform = () => {
  const state = { heapUsedBytes: 10 * MEGABYTE, collections: 0, survived: (_bytes: number): void => undefined }
  const source: MemoryMonitor.Source = {
    read: Effect.sync(() => ({
      rssBytes: 50 * MEGABYTE,
      heapUsedBytes: state.heapUsedBytes,
      heapTotalBytes: 100 * MEGABYTE,
      heapLimitBytes: 100 * MEGABYTE,
      externalBytes: 0,
      arrayBufferBytes: 0,
      stackBytes: Option.none(),
      containerLimitBytes: Option.none()
    })),
    onMajor: (survived) => Effect.sync(() => void (state.survived = survived)),
    collect: Effect.sync(() => void state.collections++),
    wait: Effect.sleep
  }
  const layer = Layer.scoped(MemoryMonitor.MemoryMonitor, Effect.orDie(MemoryMonitor.make(source)))
  return { state, layer }
}

const seeded = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

/** Bytes that survive at each second of five minutes, by scenario. */
const series: Readonly<Record<string, (second: number, random: () => number) => number>> = {
  "a leak of 1 MB a minute": (second, random) => 30 * MEGABYTE + (second * MEGABYTE) / 60 + random() * 0.5 * MEGABYTE,
  "a sawtooth": (second, random) => 30 * MEGABYTE + ((second + 7) % 23) * 200_000 + random() * MEGABYTE,
  "a filling cache": (second, random) => 30 * MEGABYTE + Math.min(second, 120) * 200_000 + random() * MEGABYTE,
  "a warm-up": (second, random) => 30 * MEGABYTE + 20 * MEGABYTE * (1 - Math.exp(-second / 20)) + random() * MEGABYTE
}

describe("MemoryMonitor", () => {
  it.each(Object.entries(series))(
    "Given ten seeds of %s, When five minutes are judged, Then only a leak grows",
    (name, bytes) => {
      for (let seed = 1; seed <= 10; seed++) {
        const random = seeded(seed)
        const survivors = new Survivors(1000)
        for (let second = 0; second < 300; second++) {
          if (second < 8) expect(survivors.suspicion).toEqual({ _tag: "NotEnough", majors: second })
          survivors.add(second * 1000, bytes(second, random))
        }
        const judged = survivors.suspicion
        const isLeak = name.startsWith("a leak")
        expect(judged._tag, `${name}, seed ${seed}: ${JSON.stringify(judged)}`).toBe(isLeak ? "Growing" : "Steady")
        if (judged._tag === "Growing") expect(judged.bytesPerSecond / (MEGABYTE / 60)).toBeCloseTo(1, 0)
      }
    }
  )

  it.effect(
    "Given a share that moves about the thresholds, When it is read, Then the level changes only beyond the hysteresis",
    () => {
      const { layer, state } = platform()
      return Effect.gen(function* () {
        const monitor = yield* MemoryMonitor.MemoryMonitor
        const levels = yield* Effect.fork(Stream.runCollect(Stream.take(monitor.pressure, 5)))
        yield* TestClock.adjust("1 second")
        for (const share of [0.74, 0.76, 0.74, 0.71, 0.91, 0.86, 0.84, 0.76, 0.69, 0.74]) {
          state.heapUsedBytes = share * 100 * MEGABYTE
          yield* TestClock.adjust("1 second")
        }
        expect(Chunk.toReadonlyArray(yield* Fiber.join(levels))).toEqual([
          "normal",
          "high",
          "critical",
          "high",
          "normal"
        ])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect(
    "Given pools of which some fail, hang or lie, When pressure rises, Then the others shrink within the second",
    () => {
      const { layer, state } = platform()
      return Effect.gen(function* () {
        const monitor = yield* MemoryMonitor.MemoryMonitor
        const asked: Array<string> = []
        const good = { bytes: Effect.succeed(7), shrink: (level: string) => Effect.sync(() => asked.push(level)) }
        yield* monitor.register({ name: "a", ...good })
        yield* monitor.register({
          name: "dies",
          bytes: Effect.dieMessage("a bug"),
          shrink: () => Effect.dieMessage("a bug")
        })
        yield* monitor.register({
          name: "throws",
          bytes: Effect.succeed(Number.NaN),
          shrink: () => {
            throw new Error("a bug")
          }
        })
        yield* monitor.register({
          name: "hangs",
          bytes: Effect.uninterruptible(Effect.never),
          shrink: () => Effect.uninterruptible(Effect.never)
        })
        yield* monitor.register({ name: "a", ...good })

        state.heapUsedBytes = 80 * MEGABYTE
        const changes = yield* Effect.fork(Stream.runHead(monitor.changes))
        yield* TestClock.adjust("3 seconds")
        const stats = Option.getOrThrow(yield* Fiber.join(changes))
        expect(stats.pools).toMatchObject({ a: 14, dies: 0, throws: 0, hangs: 0 })
        expect(asked).toEqual(["high", "high"])

        // While it lasts they are asked again, but not at each reading
        yield* TestClock.adjust("5 seconds")
        expect(asked.length).toBe(2)
        state.heapUsedBytes = 95 * MEGABYTE
        yield* TestClock.adjust("3 seconds")
        expect(asked.slice(2)).toEqual(["critical", "critical"])
        yield* TestClock.adjust("15 seconds")
        expect(asked.length).toBeGreaterThanOrEqual(6)
      }).pipe(Effect.scoped, Effect.provide(layer))
    }
  )

  it.effect("Given a pool whose Scope closes, When statistics are read, Then it is gone", () => {
    const { layer } = platform()
    return Effect.gen(function* () {
      const monitor = yield* MemoryMonitor.MemoryMonitor
      const scope = yield* Scope.make()
      const pool = { name: "p".repeat(1000), bytes: Effect.succeed(1), shrink: () => Effect.succeed(0) }
      yield* Scope.extend(monitor.register(pool), scope)
      const names = Object.keys((yield* monitor.stats).pools)
      expect(names.map(({ length }) => length <= 100)).toEqual([true, true])
      yield* Scope.close(scope, Effect.runSync(Effect.exit(Effect.void)))
      expect(Object.keys((yield* monitor.stats).pools)).toEqual(["KnownAddresses"])
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "Given the SDK's pools under the monitor, When pressure is critical, Then they give their memory back",
    () => {
      const { layer, state } = platform()
      const pools = Layer.merge(BufferPool.layer(), PayloadStore.layerMemory)
      return Effect.gen(function* () {
        const monitor = yield* MemoryMonitor.MemoryMonitor
        const buffers = yield* BufferPool.BufferPool
        const store = yield* PayloadStore.PayloadStore
        yield* Effect.scoped(Effect.zip(buffers.lease, buffers.lease))
        const hashes = yield* Effect.forEach([1, 2, 3, 4], (byte) => store.put(new Uint8Array(1000).fill(byte)))
        expect((yield* monitor.stats).pools).toMatchObject({
          BufferPool: 2 * BufferPool.MIN_ARENA_BYTES,
          PayloadStore: 4000
        })

        // At high pressure payloads stay: they may exist nowhere else
        state.heapUsedBytes = 80 * MEGABYTE
        yield* TestClock.adjust("1 second")
        expect((yield* monitor.stats).pools).toMatchObject({
          BufferPool: BufferPool.MIN_ARENA_BYTES,
          PayloadStore: 4000
        })

        state.heapUsedBytes = 95 * MEGABYTE
        yield* TestClock.adjust("1 second")
        expect((yield* monitor.stats).pools).toMatchObject({ BufferPool: 0, PayloadStore: 2000 })
        expect(yield* Effect.forEach(hashes, store.has)).toEqual([false, false, true, true])
      }).pipe(Effect.provide(Layer.provideMerge(Layer.orDie(pools), layer)))
    }
  )

  it.effect("Given collections in a loop, When they are asked for, Then one runs each minute", () => {
    const { layer, state } = platform()
    return Effect.gen(function* () {
      const { triggerGc } = yield* MemoryMonitor.MemoryMonitor
      const outcomes = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.either(triggerGc), {
        concurrency: 10
      })
      expect(outcomes.filter(({ _tag }) => _tag === "Right").length).toBe(1)
      yield* TestClock.adjust("1 minute")
      yield* triggerGc
      expect(state.collections).toBe(2)
    }).pipe(Effect.provide(layer))
  })
})
