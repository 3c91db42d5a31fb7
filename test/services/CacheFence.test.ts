/**
 * A writer, ten readers, and endpoints that lag, answer out of order and refuse: no reader is given what is older than an
 * invalidation that it could know of when it began, and when all is at rest, the cache equals the chain.
 *
 * CI: 3 seeds of 3,000 reads. With `FUZZ_RUNS` set: 10 seeds of 100,000. The same harness runs Effect's own `Cache`, in which
 * an invalidation loses against a read under way: it must find that.
 */
import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as EffectCache from "effect/Cache"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Cache from "../../services/Cache.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import { agentBytes, agentOf, GENESIS, infoOf } from "../support/cachedChain.js"
import * as VirtualClock from "../support/virtualClock.js"

const isLong = process.env["FUZZ_RUNS"] !== undefined
const SEEDS = isLong ? 10 : 3
const READS = isLong ? 100_000 : 3000

const READERS = 10
const ACCOUNTS = 25
const HISTORY = 8

/** A number from 0 to 1 that follows from the ones before. */
const randomOf = (seed: number) => {
  let state = seed + 1
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** What the cache under test does. */
interface Subject {
  readonly read: (address: Address) => Effect.Effect<bigint, unknown>
  readonly invalidate: (address: Address, slot: bigint) => Effect.Effect<void>
}

/** A chain whose accounts hold the slot at which they were written, and three endpoints at its tail. */
const chainOf = (random: () => number) => {
  let slot = 100n
  const written = new Map<Address, Array<bigint>>()
  /** The state of an account as an endpoint at this slot has it. */
  const at = (address: Address, slot: bigint): bigint | undefined =>
    written.get(address)?.findLast((one) => one <= slot)
  const lags = [0n, 3n, 7n]
  const pool: Partial<RpcPool.Service> = {
    getGenesisHash: Effect.succeed(GENESIS),
    getSlot: () => Effect.sync(() => slot),
    getAccountInfo: (address, options) =>
      Effect.suspend(() => {
        const error = { method: "getAccountInfo", detail: "test" }
        if (random() < 0.05) return new RpcError({ ...error, reason: "RateLimited", status: 429 })
        const lag = lags[Math.floor(random() * lags.length)] ?? 0n
        const seen = slot > lag ? slot - lag : 0n
        // One endpoint in ten forgets what it was asked for.
        if (seen < (options?.minContextSlot ?? 0n) && random() < 0.9) {
          return Effect.delay(new RpcError({ ...error, reason: "Node", code: -32016 }), 1)
        }
        const value = at(address, seen)
        const data = value === undefined ? undefined : agentBytes(walletOf(address), `https://a.example/${value}`)
        const answer = {
          slot: seen,
          value: Option.map(Option.fromNullable(data), (data) => infoOf(address, data))
        }
        // Answers overtake each other.
        return Effect.delay(Effect.succeed(answer), 1 + Math.floor(random() * 12))
      })
  }
  const write = (address: Address): bigint => {
    slot++
    const history = written.get(address) ?? []
    written.set(address, [...history.slice(-HISTORY), slot])
    return slot
  }
  const pass = (): void => {
    slot++
  }
  return { pool, write, pass, newest: (address: Address) => at(address, slot) ?? 0n }
}

const addresses = Array.from({ length: ACCOUNTS }, (_, name) => agentOf(name).address)
const wallets = new Map(Array.from({ length: ACCOUNTS }, (_, name) => [agentOf(name).address, agentOf(name).wallet]))
const walletOf = (address: Address): Address => wallets.get(address) ?? address

const slotOf = (uri: string): bigint => BigInt(uri.slice("https://a.example/".length))

/** Runs the harness. Returns how many reads were older than an invalidation before them, and how many are old at rest. */
const run = <R>(
  seed: number,
  reads: number,
  subject: Effect.Effect<Subject, never, R | RpcPool.RpcPool>,
  layer: Layer.Layer<R, never, RpcPool.RpcPool>
) => {
  const random = randomOf(seed)
  const chain = chainOf(random)
  return Effect.gen(function* () {
    const cache = yield* subject
    const known = new Map<Address, bigint>(addresses.map((address) => [address, 0n]))
    const anyAddress = (): Address => addresses[Math.floor(random() ** 2 * ACCOUNTS)] ?? agentOf(0).address
    for (const address of addresses) {
      const slot = chain.write(address)
      yield* cache.invalidate(address, slot)
      known.set(address, slot)
    }
    let done = 0
    let stale = 0
    let failed = 0
    const reader = Effect.gen(function* () {
      while (done < reads) {
        done++
        const address = anyAddress()
        const least = known.get(address) ?? 0n
        const value = yield* Effect.option(cache.read(address))
        if (Option.isNone(value)) failed++
        else if (value.value < least) stale++
        if (random() < 0.3) yield* Effect.sleep(1)
      }
    })
    const writer = Effect.forever(
      Effect.gen(function* () {
        yield* Effect.sleep(1 + Math.floor(random() * 4))
        const address = anyAddress()
        const slot = chain.write(address)
        // The word of it comes later than the write.
        yield* Effect.sleep(Math.floor(random() * 5))
        yield* cache.invalidate(address, slot)
        known.set(address, slot)
      })
    )
    const fibers = yield* Effect.forEach(Array.from({ length: READERS }), () => Effect.fork(reader))
    const writing = yield* Effect.fork(writer)
    yield* Fiber.joinAll(fibers)
    yield* Fiber.interrupt(writing)
    // Let the laggards catch up.
    for (let slot = 0; slot < 20; slot++) chain.pass()
    let old = 0
    for (const address of addresses) {
      const last = known.get(address) ?? 0n
      let value = Option.none<bigint>()
      for (let attempt = 0; Option.isNone(value) && attempt < 20; attempt++) {
        value = yield* Effect.option(cache.read(address))
      }
      if (Option.isNone(value) || value.value < last) old++
    }
    return { stale, old, answered: done - failed }
  }).pipe(Effect.provide(Layer.provideMerge(layer, RpcPool.layerTest(chain.pool))), VirtualClock.run)
}

const overCache = Effect.map(Cache.Cache, (cache): Subject => ({
  read: (address) =>
    Effect.map(cache.account(AccountType.agent, address), ({ account }) => slotOf(account.metadataUri)),
  invalidate: (address, slot) => Effect.orDie(cache.fence([address], slot))
}))

const overEffect = Effect.map(
  Effect.flatMap(RpcPool.RpcPool, (pool) =>
    EffectCache.make({
      capacity: 1000,
      timeToLive: "1 hour",
      lookup: (address: Address) =>
        Effect.flatMap(pool.getAccountInfo(address), ({ value }) =>
          Effect.map(value, ({ data }) => {
            const decoded = AccountType.agent.decode(data)
            return decoded._tag === "Right" ? slotOf(decoded.right.metadataUri) : 0n
          })
        )
    })
  ),
  (cache): Subject => ({ read: (address) => cache.get(address), invalidate: (address) => cache.invalidate(address) })
)

const levels: ReadonlyArray<readonly [string, Layer.Layer<Cache.Cache, never, RpcPool.RpcPool>]> = [
  ["one level", Layer.orDie(Cache.layerMemory())],
  // So small that most reads come from the second level.
  ["two levels", Layer.orDie(Cache.layer({ maxEntries: 6 }).pipe(Layer.provide(CacheStore.layerMemory())))]
]

describe("The fence model", () => {
  for (const [name, layer] of levels) {
    it.live(`given a cache of ${name}, when ${SEEDS} × ${READS} reads race with a writer, then none is stale`, () =>
      Effect.gen(function* () {
        for (let seed = 0; seed < SEEDS; seed++) {
          const { answered, old, stale } = yield* run(seed, READS, overCache, layer)
          expect({ seed, stale, old }).toEqual({ seed, stale: 0, old: 0 })
          expect(answered).toBeGreaterThan(READS * 0.8)
        }
      })
    )
  }

  it.live("given Effect's own Cache, when the same harness runs it, then it finds stale reads", () =>
    Effect.gen(function* () {
      const { old, stale } = yield* run(0, 3000, overEffect, Layer.empty)
      expect(stale).toBeGreaterThan(0)
      expect(old).toBeGreaterThan(0)
    })
  )
})
