import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Cache from "../../services/Cache.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import * as Chain from "../support/cachedChain.js"

const { agentOf } = Chain

const uriAt = (name: number, options?: Cache.CallOptions) =>
  Effect.flatMap(Cache.Cache, (cache) => cache.account(AccountType.agent, agentOf(name).address, options)).pipe(
    Effect.map(({ account, slot }) => [account.metadataUri, slot] as const)
  )

const withCache = (options?: Cache.Options) => Effect.provide(Chain.layer(options))

const many = (...names: ReadonlyArray<number>) =>
  Effect.flatMap(Cache.Cache, (cache) =>
    cache.accounts(
      AccountType.agent,
      names.map((name) => agentOf(name).address)
    )
  ).pipe(
    Effect.map((found) =>
      found.map(Either.match({ onLeft: ({ _tag }) => _tag, onRight: ({ account }) => account.metadataUri }))
    )
  )

describe("Cache, many accounts", () => {
  it.live("Given some that are known, When many are read, Then one call asks for the others, in order", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      for (const name of [1, 2, 3]) yield* chain.write(name, `https://a.example/${name}`)
      yield* chain.writeBytes(4, new Uint8Array(40))
      yield* uriAt(2)
      expect(yield* many(3, 1, 2, 3, 4, 5)).toEqual([
        "https://a.example/3",
        "https://a.example/1",
        "https://a.example/2",
        "https://a.example/3",
        "AccountDecodeError",
        "AccountNotFound"
      ])
      expect(yield* chain.reads).toBe(2)
      expect(yield* many(1, 3, 5)).toEqual(["https://a.example/1", "https://a.example/3", "AccountNotFound"])
      expect(yield* chain.reads).toBe(2)
      expect(yield* many()).toEqual([])
    }).pipe(withCache())
  )

  it.live("Given a fence during the call, When it answers with what is older, Then that is asked for again", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      const cache = yield* Cache.Cache
      for (const name of [1, 2]) yield* chain.write(name, "https://a.example/old")
      const gate = yield* chain.hold
      const reading = yield* Effect.fork(many(1, 2))
      yield* Effect.repeat(Effect.sleep(1), { until: () => Effect.map(chain.reads, (reads) => reads === 1) })
      const slot = yield* chain.write(1, "https://a.example/new")
      yield* cache.fence([agentOf(1).address], slot)
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(reading)).toEqual(["https://a.example/new", "https://a.example/old"])
      expect(yield* chain.reads).toBe(2)
    }).pipe(withCache())
  )

  it.live(
    "Given 250 addresses, When read at once with others, Then a call asks for a hundred, and bad input for none",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        yield* chain.write(249, "https://a.example/249")
        const names = Array.from({ length: 250 }, (_, name) => name)
        const [first, second] = yield* Effect.all([many(...names), many(...names)], { concurrency: 2 })
        expect(second).toEqual(first)
        expect(first.at(-1)).toBe("https://a.example/249")
        expect(yield* chain.reads).toBe(3)
        const { address } = agentOf(1)
        const bad = cache.accounts(
          AccountType.agent,
          Array.from({ length: 10_001 }, () => address)
        )
        expect(yield* Effect.flip(bad)).toMatchObject({ _tag: "InvalidInput", field: "addresses" })
        yield* chain.failing(true)
        expect(yield* Effect.flip(many(1000, 1001))).toMatchObject({ _tag: "RpcError" })
        expect((yield* many(249, 1))[0]).toBe("https://a.example/249")
      }).pipe(withCache())
  )

  it.effect(
    "Given an account that was read elsewhere, When it is put, Then it is read from the cache; older ones are not",
    () =>
      Effect.gen(function* () {
        const chain = yield* Chain.Chain
        const cache = yield* Cache.Cache
        const { address, wallet } = agentOf(1)
        const infoAt = (uri: string) => Chain.infoOf(address, Chain.agentBytes(wallet, uri))
        yield* cache.put(AccountType.agent, infoAt("https://a.example/5"), 5n)
        yield* cache.put(AccountType.agent, infoAt("https://a.example/4"), 4n)
        expect(yield* uriAt(1)).toEqual(["https://a.example/5", 5n])
        expect(yield* chain.reads).toBe(0)
        // Another program's account, cut bytes and a slot that cannot be.
        const gone = { ...infoAt(""), owner: wallet }
        yield* cache.put(AccountType.agent, gone, 6n)
        expect(yield* Effect.flip(uriAt(1))).toMatchObject({ _tag: "AccountNotFound" })
        yield* cache.put(AccountType.agent, infoAt("https://a.example/7"), 7n)
        yield* cache.put(AccountType.agent, { ...infoAt(""), data: new Uint8Array(9) }, 6n)
        yield* cache.put(AccountType.agent, infoAt("https://a.example/far"), 2n ** 64n - 1n)
        expect(yield* uriAt(1)).toEqual(["https://a.example/7", 7n])
        const refused = cache.put(AccountType.agent, infoAt(""), -1n)
        expect(yield* Effect.flip(refused)).toMatchObject({ _tag: "InvalidInput", field: "slot" })
      }).pipe(withCache())
  )
})
