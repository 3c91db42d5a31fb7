import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Cache from "../../services/Cache.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Deadline from "../../services/Deadline.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import * as Chain from "../support/cachedChain.js"

const { agentOf } = Chain

const uriAt = (name: number, options?: Cache.CallOptions) =>
  Effect.flatMap(Cache.Cache, (cache) => cache.account(AccountType.agent, agentOf(name).address, options)).pipe(
    Effect.map(({ account, slot }) => [account.metadataUri, slot] as const)
  )

const withCache = (options?: Cache.Options) => Effect.provide(Chain.layer(options))

/** Runs over a new cache of two levels. */
const overStore = <A, E>(effect: Effect.Effect<A, E, Cache.Cache>) => Effect.provide(effect, Cache.layer())

/** The option that is refused. */
const refused = (options: Cache.Options) =>
  Effect.map(Effect.flip(Effect.scoped(Cache.makeMemory(options))), (error) => error.field)

describe("Cache, first level", () => {
  it.effect(
    "Given an account that was read, When read again, Then the network is not asked and the model is the same",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        yield* chain.write(1, "https://a.example/1")
        const first = yield* cache.account(AccountType.agent, agentOf(1).address)
        const second = yield* cache.account(AccountType.agent, agentOf(1).address)
        expect(second).toBe(first)
        expect(yield* chain.reads).toBe(1)
        expect(JSON.stringify(first)).toContain(`"slot":"1"`)
      }).pipe(withCache())
  )

  it.effect("Given a time to live, When it is over, Then the network is asked again", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* uriAt(1)
      yield* chain.write(1, "https://a.example/2")
      yield* TestClock.adjust("59 seconds")
      expect(yield* uriAt(1)).toEqual(["https://a.example/1", 1n])
      yield* TestClock.adjust("1 second")
      expect(yield* uriAt(1)).toEqual(["https://a.example/2", 2n])
    }).pipe(withCache({ ttl: { AgentAccount: "1 minute" } }))
  )

  it.effect(
    "Given an absent account, When it is made, Then it is seen after 5 seconds, or at once after its fence",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        expect(yield* Effect.flip(uriAt(1))).toMatchObject({ _tag: "AccountNotFound", account: "AgentAccount" })
        expect(yield* Effect.flip(uriAt(2))).toMatchObject({ _tag: "AccountNotFound" })
        yield* chain.write(1, "https://a.example/1")
        yield* chain.write(2, "https://a.example/2")
        expect(yield* Effect.flip(uriAt(1))).toMatchObject({ _tag: "AccountNotFound" })
        yield* cache.fence([agentOf(1).address], 1n)
        expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
        expect(yield* Effect.flip(uriAt(2))).toMatchObject({ _tag: "AccountNotFound" })
        yield* TestClock.adjust("5 seconds")
        expect((yield* uriAt(2))[0]).toBe("https://a.example/2")
      }).pipe(withCache())
  )

  it.effect(
    "Given 100 readers of one account, When the first is interrupted, Then the others get it from one call",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        yield* chain.write(1, "https://a.example/1")
        const gate = yield* chain.hold
        const first = yield* Effect.fork(uriAt(1))
        yield* Effect.yieldNow()
        const others = yield* Effect.forEach(Array.from({ length: 99 }), () => Effect.fork(uriAt(1)))
        yield* Effect.yieldNow()
        expect(yield* chain.reads).toBe(1)
        const interrupted = yield* Effect.fork(Fiber.interrupt(first))
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(interrupted)
        for (const other of others) expect((yield* Fiber.join(other))[0]).toBe("https://a.example/1")
        // The first call was cut off with its reader; the next reader made it anew.
        expect(yield* chain.reads).toBeLessThanOrEqual(2)
      }).pipe(withCache())
  )

  it.effect("Given a failing endpoint, When it works again, Then the failure was not kept", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* chain.failing(true)
      expect(yield* Effect.flip(uriAt(1))).toMatchObject({ _tag: "RpcError", reason: "Transport" })
      yield* chain.failing(false)
      expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
    }).pipe(withCache())
  )

  it.effect(
    "Given bytes of another kind or cut ones, When read, Then it is AccountDecodeError and nothing is kept",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        yield* chain.writeBytes(1, new Uint8Array(40))
        expect(yield* Effect.flip(uriAt(1))).toMatchObject({ _tag: "AccountDecodeError" })
        yield* chain.write(1, "https://a.example/1")
        expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
        expect((yield* Effect.flatMap(Cache.Cache, ({ stats }) => stats)).entries).toBe(1)
      }).pipe(withCache())
  )

  it.effect("Given a budget of bytes, When more is read, Then it is held", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      const cache = yield* Cache.Cache
      for (let name = 0; name < 40; name++) {
        yield* chain.write(name, `https://a.example/${name}`)
        yield* uriAt(name)
        expect((yield* cache.stats).bytes).toBeLessThanOrEqual(10_000)
      }
      expect((yield* cache.stats).evictions).toBeGreaterThan(0)
    }).pipe(withCache({ maxBytes: 10_000 }))
  )
})

describe("Cache, policies", () => {
  it.effect(
    "Given stale-while-revalidate, When the time to live is over, Then the old is given at once and refreshed once",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        yield* chain.write(1, "https://a.example/1")
        yield* uriAt(1)
        yield* chain.write(1, "https://a.example/2")
        yield* TestClock.adjust("61 seconds")
        const gate = yield* chain.hold
        expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
        expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.yieldNow()
        yield* TestClock.adjust(1)
        expect((yield* uriAt(1))[0]).toBe("https://a.example/2")
        expect(yield* chain.reads).toBe(2)
        // Past maxStale nothing old is given.
        yield* chain.write(1, "https://a.example/3")
        yield* TestClock.adjust("121 seconds")
        expect((yield* uriAt(1))[0]).toBe("https://a.example/3")
      }).pipe(withCache({ policy: "stale-while-revalidate", ttl: { AgentAccount: "1 minute" } }))
  )

  it.effect(
    "Given network-first, When the network fails, Then an account within maxStale is given, and no older one",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        yield* chain.write(1, "https://a.example/1")
        yield* uriAt(1)
        yield* chain.write(1, "https://a.example/2")
        expect((yield* uriAt(1))[0]).toBe("https://a.example/2")
        yield* chain.failing(true)
        yield* TestClock.adjust("119 seconds")
        expect((yield* uriAt(1))[0]).toBe("https://a.example/2")
        yield* TestClock.adjust("2 seconds")
        expect(yield* Effect.flip(uriAt(1))).toMatchObject({ _tag: "RpcError" })
        expect((yield* uriAt(1, { stale: "allow" }))[0]).toBe("https://a.example/2")
      }).pipe(withCache({ policy: { AgentAccount: "network-first" }, ttl: { AgentAccount: "1 minute" } }))
  )

  it.effect("Given bypass for one effect, When it reads, Then the network is asked and nothing is kept", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* uriAt(1).pipe(Cache.withOptions({ policy: "bypass" }))
      yield* uriAt(1, { policy: "bypass" })
      expect(yield* chain.reads).toBe(2)
      expect((yield* Effect.flatMap(Cache.Cache, ({ stats }) => stats)).entries).toBe(0)
    }).pipe(withCache())
  )
})

describe("Cache, fences", () => {
  it.effect(
    "Given a read under way, When its account is invalidated, Then the older answer is neither kept nor handed out",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        const ways = [
          (address: Address, slot: bigint) => cache.fence([address], slot),
          (address: Address) => cache.invalidate({ address }),
          () => cache.invalidate("all")
        ]
        for (const [name, invalidate] of ways.entries()) {
          yield* chain.write(name, "https://a.example/1")
          const gate = yield* chain.hold
          const reader = yield* Effect.fork(uriAt(name))
          yield* Effect.yieldNow()
          const slot = yield* chain.write(name, "https://a.example/2")
          yield* invalidate(agentOf(name).address, slot)
          yield* Deferred.succeed(gate, undefined)
          expect((yield* Fiber.join(reader))[0]).toBe("https://a.example/2")
          expect((yield* uriAt(name))[0]).toBe("https://a.example/2")
        }
      }).pipe(withCache())
  )

  it.effect(
    "Given endpoints that lag behind a fence, When read, Then it is waited for, and fails typed after catchUp",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        yield* chain.write(1, "https://a.example/1")
        yield* uriAt(1)
        yield* cache.fence([agentOf(1).address], 2n)
        const reader = yield* Effect.fork(Effect.either(uriAt(1)))
        yield* TestClock.adjust("3 seconds")
        yield* chain.write(1, "https://a.example/2")
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(reader)).toEqual(Either.right(["https://a.example/2", 2n]))
        yield* cache.fence([agentOf(1).address], 9n)
        const late = yield* Effect.fork(Effect.flip(uriAt(1)))
        yield* TestClock.adjust("10 seconds")
        expect(yield* Fiber.join(late)).toMatchObject({ _tag: "RpcError", code: -32016 })
        const hasty = yield* Effect.fork(Effect.flip(uriAt(1).pipe(Deadline.within("500 millis"))))
        yield* TestClock.adjust("500 millis")
        expect(yield* Fiber.join(hasty)).toMatchObject({ _tag: "RpcError" })
        const old = yield* Effect.fork(uriAt(1, { stale: "allow" }))
        yield* TestClock.adjust("10 seconds")
        expect(yield* Fiber.join(old)).toEqual(["https://a.example/2", 2n])
      }).pipe(withCache())
  )

  it.effect("Given a slot that cannot be true, When it is told or answered, Then reads go on and it is not kept", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      const cache = yield* Cache.Cache
      yield* chain.write(1, "https://a.example/1")
      yield* uriAt(1)
      yield* cache.fence([agentOf(1).address], 2n ** 64n - 1n)
      expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
      yield* chain.lie(2n ** 63n)
      yield* cache.invalidate({ address: agentOf(1).address })
      yield* uriAt(1)
      yield* chain.lie(undefined)
      yield* chain.write(1, "https://a.example/2")
      expect(yield* uriAt(1)).toEqual(["https://a.example/2", 2n])
    }).pipe(withCache())
  )

  it.effect(
    "Given a validator that begins anew, When an account of its former chain was changed, Then reads go on within seconds",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        yield* chain.beginAt(1_000_000n)
        yield* chain.write(1, "https://a.example/1")
        yield* chain.write(2, "https://a.example/2")
        yield* Effect.all([uriAt(1), uriAt(2)])
        yield* chain.beginAt(10n)
        yield* cache.invalidate({ address: agentOf(1).address })
        const reader = yield* Effect.fork(uriAt(1))
        yield* TestClock.adjust("8 seconds")
        expect(yield* Fiber.join(reader)).toEqual(["https://a.example/1", 10n])
        // What was read from the former chain has gone, too.
        expect(yield* uriAt(2)).toEqual(["https://a.example/2", 10n])
        expect(yield* uriAt(1)).toEqual(["https://a.example/1", 10n])
      }).pipe(withCache())
  )

  it.effect(
    "Given slots that rise faster than a cluster's, When they are answered, Then they are soon not believed",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        const names = [1, 2, 3, 4, 5]
        for (const name of names) yield* chain.write(name, "https://a.example/1")
        for (const name of names) {
          yield* chain.lie(BigInt(name) * 400n)
          yield* uriAt(name)
        }
        // Of the false slots, the first alone is believed: it is the furthest that a cluster may be ahead
        yield* chain.lie(undefined)
        yield* chain.beginAt(400n)
        for (const name of names) {
          yield* chain.write(name, "https://a.example/2")
          yield* cache.invalidate({ address: agentOf(name).address })
          expect(yield* uriAt(name)).toEqual(["https://a.example/2", 400n + BigInt(name)])
        }
      }).pipe(withCache())
  )

  it.effect("Given minSlot, When the cache holds an older account, Then the network is asked for that slot", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* uriAt(1)
      yield* chain.write(1, "https://a.example/2")
      expect(yield* uriAt(1, { minSlot: 2n })).toEqual(["https://a.example/2", 2n])
    }).pipe(withCache())
  )
})

const corrupt = () => new CacheStore.CacheError({ reason: "Corrupt" })

describe("Cache, two levels", () => {
  it.effect("Given a store, When a second cache reads, Then it asks the store and not the network", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* overStore(uriAt(1))
      expect((yield* overStore(uriAt(1)))[0]).toBe("https://a.example/1")
      expect(yield* chain.reads).toBe(1)
      // A fence that the first raised counts for the second too.
      yield* chain.write(1, "https://a.example/2")
      yield* overStore(Effect.flatMap(Cache.Cache, (cache) => cache.fence([agentOf(1).address], 2n)))
      expect((yield* overStore(uriAt(1)))[0]).toBe("https://a.example/2")
      // After its time to live it is read anew.
      yield* chain.write(1, "https://a.example/3")
      yield* TestClock.adjust("5 minutes")
      expect((yield* overStore(uriAt(1)))[0]).toBe("https://a.example/3")
    }).pipe(Effect.provide(Layer.merge(Chain.chain, CacheStore.layerMemory())))
  )

  for (const target of ["all", { address: agentOf(1).address }] as const) {
    const name = target === "all" ? "everything" : "an account"
    it.effect(`Given a row of an earlier process, When ${name} is invalidated, Then the network is asked`, () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const invalidate = Effect.flatMap(Cache.Cache, (cache) => cache.invalidate(target))
        yield* chain.beginAt(50n)
        yield* chain.write(1, "https://a.example/1")
        yield* overStore(uriAt(1))
        yield* overStore(invalidate)
        yield* TestClock.adjust(1)
        yield* overStore(uriAt(1))
        expect(yield* chain.reads).toBe(2)
        // The row is of the slot up to which the process has seen the chain.
        yield* overStore(Effect.all([uriAt(1), invalidate, uriAt(1)]))
        expect(yield* chain.reads).toBe(3)
      }).pipe(Effect.provide(Layer.merge(Chain.chain, CacheStore.layerMemory())))
    )
  }

  for (const [reading, reads] of [
    ["fails", { get: corrupt }],
    ["fails at once", { get: corrupt, unsafeGet: corrupt }]
  ] as const) {
    it.effect(
      `Given a store that ${reading}, When read and written, Then reads go on without it and it is asked once`,
      () => {
        let asked = 0
        const counted = Object.fromEntries(
          Object.entries(reads).map(([name, read]) => [
            name,
            () => {
              asked++
              return read()
            }
          ])
        )
        const store = CacheStore.layerTest({
          ...counted,
          putMany: () => new CacheStore.CacheError({ reason: "Full" })
        })
        return Effect.gen(function* () {
          const chain = yield* Chain.Chain
          yield* chain.write(1, "https://a.example/1")
          expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
          expect((yield* uriAt(1))[0]).toBe("https://a.example/1")
          yield* chain.write(2, "https://a.example/2")
          expect((yield* uriAt(2))[0]).toBe("https://a.example/2")
          expect(asked).toBe(1)
        }).pipe(Effect.provide(Cache.layer().pipe(Layer.provide(store), Layer.provideMerge(Chain.chain))))
      }
    )
  }
})

describe("Cache, bad input", () => {
  it.effect("Given options out of range, When built or called, Then InvalidInput names the option", () =>
    Effect.gen(function* () {
      expect(yield* refused({ maxBytes: 0 })).toBe("maxBytes")
      expect(yield* refused({ maxEntries: Number.NaN })).toBe("maxEntries")
      expect(yield* refused({ maxEntries: 2 ** 53 })).toBe("maxEntries")
      expect(yield* refused({ ttl: { AgentAccount: -1 } })).toBe("ttl.AgentAccount")
      expect(yield* refused({ negativeTtl: 0 })).toBe("negativeTtl")
      expect(yield* refused({ maxStale: Infinity })).toBe("maxStale")
      expect(yield* refused({ catchUp: Duration.hours(1) })).toBe("catchUp")
      // @ts-expect-error a caller without types
      expect(yield* refused({ policy: "fast" })).toBe("policy")
      // @ts-expect-error a caller without types
      expect(yield* refused({ ttl: { Wallet: 1 } })).toBe("ttl.Wallet")

      const cache = yield* Cache.Cache
      const address = "not an address" as Address
      const fields = yield* Effect.forEach(
        [
          cache.account(AccountType.agent, address),
          cache.fence([address], 1n),
          cache.fence([agentOf(1).address], -1n),
          cache.invalidate({ address }),
          cache.invalidate({ tag: "" }),
          cache.account(AccountType.agent, agentOf(1).address, { minSlot: -1n }),
          cache.namespace("a b", Schema.Number),
          cache.namespace("a", Schema.Number, { ttl: 0 }),
          Effect.flatMap(cache.namespace("a", Schema.Number), (numbers) => numbers.get("")),
          Effect.flatMap(cache.namespace("a", Schema.Number), (numbers) => numbers.get("1:2:3:4:5:6:7:8:9")),
          Effect.flatMap(cache.namespace("a", Schema.BigIntFromSelf), (numbers) => numbers.set("k", 1n))
        ],
        (call) => Effect.map(Effect.flip<unknown, unknown, never>(call), (error) => Object(error).field)
      )
      expect(fields).toEqual([
        "address",
        "addresses[0]",
        "slot",
        "address",
        "tag",
        "minSlot",
        "name",
        "ttl",
        "key",
        "key",
        "value"
      ])
      expect(yield* Effect.flatMap(Chain.Chain, ({ reads }) => reads)).toBe(0)
    }).pipe(withCache())
  )
})
