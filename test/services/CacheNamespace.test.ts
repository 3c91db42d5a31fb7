import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Cache from "../../services/Cache.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Chain from "../support/cachedChain.js"

const withCache = (options?: Cache.Options) => Effect.provide(Chain.layer(options))

/** Runs over a new cache of two levels. */
const overStore = <A, E>(effect: Effect.Effect<A, E, Cache.Cache>) => Effect.provide(effect, Cache.layer())

const inNumbers = <A, E>(effect: (numbers: Cache.Namespace<number>) => Effect.Effect<A, E>) =>
  overStore(Effect.flatMap(Cache.namespace("numbers", Schema.Number), effect))

describe("Cache.namespace", () => {
  const Profile = Schema.Struct({ name: Schema.String, score: Schema.BigInt })

  it.effect("Given values, When set, read, tagged and invalidated, Then each target reaches its own", () =>
    Effect.gen(function* () {
      const profiles = yield* Cache.namespace("profiles", Profile)
      const set = (key: string, tags: ReadonlyArray<string> = []) =>
        profiles.set(key, { name: key, score: 7n }, { tags })
      const present = Effect.filter(["a", "a:b", "a:b:c", "ab", "z"], (key) =>
        Effect.map(profiles.get(key), Option.isSome)
      )
      const setAll = Effect.all([set("a"), set("a:b", ["t"]), set("a:b:c"), set("ab", ["t"]), set("z")])
      yield* setAll
      expect(yield* profiles.get("a:b")).toEqual(Option.some({ name: "a:b", score: 7n }))
      yield* profiles.invalidate({ prefix: "a" })
      expect(yield* present).toEqual(["ab", "z"])
      yield* setAll
      yield* profiles.invalidate({ key: "a" })
      expect(yield* present).toEqual(["a:b", "a:b:c", "ab", "z"])
      yield* Effect.flatMap(Cache.Cache, (cache) => cache.invalidate({ tag: "t" }))
      expect(yield* present).toEqual(["a:b:c", "z"])
      yield* Effect.flatMap(Cache.Cache, (cache) => cache.invalidate("all"))
      expect(yield* present).toEqual([])
    }).pipe(withCache())
  )

  it.effect(
    "Given loads under way, When shared, failed, interrupted or invalidated, Then each caller is answered right",
    () =>
      Effect.gen(function* () {
        const profiles = yield* Cache.namespace("profiles", Schema.Number)
        const loads = yield* Ref.make(0)
        const gate = yield* Deferred.make<void>()
        const load = Effect.zipLeft(
          Ref.updateAndGet(loads, (n) => n + 1),
          Deferred.await(gate)
        )
        const readers = yield* Effect.forEach(Array.from({ length: 50 }), () =>
          Effect.fork(profiles.getOrLoad("k", load, { tags: ["t"] }))
        )
        yield* Effect.yieldNow()
        expect(yield* Ref.get(loads)).toBe(1)
        yield* profiles.invalidate({ tag: "t" })
        yield* Deferred.succeed(gate, undefined)
        // The load had begun before the invalidation: its value is not handed out.
        for (const reader of readers) expect(yield* Fiber.join(reader)).toBe(2)
        expect(yield* profiles.getOrLoad("k", load)).toBe(2)

        const failure = yield* Effect.flip(profiles.getOrLoad("f", Effect.fail("mine" as const)))
        expect(failure).toBe("mine")
        expect(yield* profiles.getOrLoad("f", Effect.succeed(5))).toBe(5)
        expect(yield* profiles.getOrLoad("f", Effect.succeed(6))).toBe(5)
      }).pipe(withCache())
  )

  it.effect("Given a set during a load, When the load ends, Then the later value stays", () =>
    Effect.gen(function* () {
      const numbers = yield* Cache.namespace("numbers", Schema.Number)
      const gate = yield* Deferred.make<void>()
      const reader = yield* Effect.fork(numbers.getOrLoad("k", Effect.as(Deferred.await(gate), 1)))
      yield* Effect.yieldNow()
      yield* numbers.set("k", 2)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(reader)).toBe(2)
      expect(yield* numbers.get("k")).toEqual(Option.some(2))
    }).pipe(withCache())
  )

  it.effect("Given an upgrade of the Schema, When an old value is read, Then it counts as absent", () =>
    Effect.gen(function* () {
      const old = yield* Cache.namespace("things", Schema.Struct({ a: Schema.Number }))
      yield* old.set("k", { a: 1 })
      const next = yield* Cache.namespace("things", Schema.Struct({ a: Schema.Number, b: Schema.String }))
      expect(yield* next.get("k")).toEqual(Option.none())
      expect(yield* next.getOrLoad("k", Effect.succeed({ a: 1, b: "x" }))).toEqual({ a: 1, b: "x" })
      expect(yield* next.get("k")).toEqual(Option.some({ a: 1, b: "x" }))
    }).pipe(withCache())
  )

  it.effect("Given invalidations without a pause, When a value is loaded, Then its caller gets it after catchUp", () =>
    Effect.gen(function* () {
      const numbers = yield* Cache.namespace("numbers", Schema.Number)
      let loads = 0
      const load = Effect.suspend(() => Effect.delay(Effect.succeed(++loads), 100))
      const readers = yield* Effect.fork(
        Effect.all([numbers.getOrLoad("k", load, { tags: ["t"] }), numbers.getOrLoad("k", Effect.succeed(0))], {
          concurrency: 2
        })
      )
      for (let passed = 0; passed < 1200; passed += 50) {
        yield* TestClock.adjust(50)
        yield* numbers.invalidate({ tag: "t" })
      }
      // The second reader joined a load that is now known to be old: it has made its own.
      expect(yield* Fiber.join(readers)).toEqual([11, 0])
      expect(yield* numbers.get("k")).toEqual(Option.none())
    }).pipe(withCache({ catchUp: "1 second" }))
  )

  it.effect("Given a feed that starts during a load, When the value is read later, Then it counts as uncovered", () =>
    Effect.gen(function* () {
      const cache = yield* Cache.Cache
      const numbers = yield* Cache.namespace("numbers", Schema.Number, { ttl: Infinity })
      yield* cache.track("behind")
      const load = Effect.delay(Effect.succeed(1), 20)
      const reader = yield* Effect.fork(numbers.getOrLoad("k", load, { tags: ["t"] }))
      yield* TestClock.adjust(10)
      yield* cache.track("restarted")
      yield* TestClock.adjust(10)
      expect(yield* Fiber.join(reader)).toBe(1)
      // Its source may have answered before a change that the feed does not report.
      yield* TestClock.adjust("29 seconds")
      expect(yield* numbers.get("k")).toEqual(Option.some(1))
      yield* TestClock.adjust("1 second")
      expect(yield* numbers.get("k")).toEqual(Option.none())
    }).pipe(withCache())
  )

  it.effect("Given half of a surrogate pair, When it is a key or a tag, Then it is refused", () =>
    Effect.gen(function* () {
      const numbers = yield* Cache.namespace("numbers", Schema.Number)
      // As UTF-8, both keys would be one.
      yield* numbers.set("a\ufffd", 1)
      for (const [field, effect] of [
        ["key", Effect.asVoid(numbers.get("a\ud800"))],
        ["key", Effect.asVoid(numbers.getOrLoad("\udc00a", Effect.succeed(2)))],
        ["tags[0]", numbers.set("k", 3, { tags: ["\ud800:t"] })]
      ] as const) {
        expect(yield* Effect.flip(effect)).toMatchObject({ _tag: "InvalidInput", field })
      }
      expect(yield* numbers.get("😀")).toEqual(Option.none())
    }).pipe(withCache())
  )

  it.effect("Given a clock that was set back, When a new process invalidates or loads, Then the later one counts", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(3_600_000)
      yield* inNumbers((numbers) =>
        Effect.all([
          numbers.set("set", 1),
          numbers.set("tagged", 1, { tags: ["t"] }),
          numbers.getOrLoad("loaded", Effect.succeed(1)),
          numbers.invalidate({ key: "invalidated" })
        ])
      )
      yield* TestClock.setTime(3_590_000)
      yield* inNumbers((numbers) =>
        Effect.gen(function* () {
          yield* numbers.invalidate({ tag: "t" })
          yield* numbers.invalidate({ key: "loaded" })
          yield* numbers.set("set", 2)
          let loads = 0
          const load = Effect.sync(() => ++loads)
          expect(yield* numbers.getOrLoad("invalidated", load)).toBe(1)
          expect(loads).toBe(1)
        })
      )
      yield* TestClock.setTime(3_610_000)
      const found = yield* inNumbers((numbers) =>
        Effect.forEach(["set", "tagged", "loaded", "invalidated"], (key) => numbers.get(key))
      )
      expect(found.map(Option.getOrUndefined)).toEqual([2, undefined, undefined, 1])
    }).pipe(Effect.provide(Layer.merge(Chain.chain, CacheStore.layerMemory())))
  )

  it.effect("Given a cache that keeps nothing, When a value is set or loaded, Then it is loaded again", () =>
    Effect.gen(function* () {
      const numbers = yield* Cache.namespace("numbers", Schema.Number, { policy: "cache-first" })
      yield* numbers.set("k", 1)
      expect(yield* numbers.get("k")).toEqual(Option.none())
      expect(yield* numbers.getOrLoad("k", Effect.succeed(2))).toBe(2)
      expect(yield* numbers.getOrLoad("k", Effect.succeed(3))).toBe(3)
    }).pipe(Effect.provide(Layer.provide(Cache.layerNoop, Chain.chain)))
  )

  it.effect("Given two caches over one store, When one invalidates a tag, Then the other's new reads see it", () =>
    Effect.gen(function* () {
      yield* inNumbers((numbers) => numbers.set("a:1", 1, { tags: ["t"] }))
      expect(yield* inNumbers((numbers) => numbers.get("a:1"))).toEqual(Option.some(1))
      yield* TestClock.adjust(5)
      yield* inNumbers((numbers) => numbers.invalidate({ tag: "t" }))
      expect(yield* inNumbers((numbers) => numbers.get("a:1"))).toEqual(Option.none())
    }).pipe(Effect.provide(Layer.merge(Chain.chain, CacheStore.layerMemory())))
  )
})
