/**
 * Hits in memory: `Agent.get` through the cache against lru-cache and Effect's own `Cache`, and the hit ratio when
 * listings come between the reads.
 *
 * Each case reads the same 1,000 addresses, Zipf-distributed over 2,000 agents, in one Effect.
 */
import type { Address } from "@solana/kit"
import * as EffectCache from "effect/Cache"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import * as Agent from "../../services/Agent.js"
import * as Cache from "../../services/Cache.js"
import type { ProgramAccount } from "../../services/ProgramAccount.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import { Sieve } from "../../src/internal/Sieve.js"
import type { AgentAccount } from "../../src/protocol/Account.js"
import { agentBytes, agentOf, infoOf } from "../../test/support/cachedChain.js"
import { measure, type Report } from "../harness.js"

const AGENTS = 2000
const READS = 1000
const MAX_BYTES = 64 * 1024 * 1024

/** Numbers below `count`: the probability of n is proportional to 1 / (n + 1)^skew. The same in each run. */
const zipf = (count: number, skew: number): (() => number) => {
  const sums: Array<number> = []
  let sum = 0
  for (let n = 0; n < count; n++) {
    sum += 1 / (n + 1) ** skew
    sums.push(sum)
  }
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const at = (state / 2 ** 32) * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

const agents = Array.from({ length: AGENTS }, (_, name) => agentOf(name))
const walletOf = new Map(agents.map(({ address, wallet }) => [address, wallet]))

const pool = RpcPool.layerTest({
  getAccountInfo: (address) =>
    Effect.sync(() => {
      const data = agentBytes(walletOf.get(address) ?? address, "https://example.com/agent.json")
      return { slot: 7n, value: Option.some(infoOf(address, data)) }
    })
})

const services = Agent.layer.pipe(
  Layer.provideMerge(Cache.layerMemory()),
  Layer.provideMerge(Layer.merge(pool, Transactions.layerTest({})))
)

/** The hits. */
export const hits = async (scope: Scope.Scope): Promise<Report> => {
  const context = await Effect.runPromise(Layer.buildWithScope(services, scope))
  const agent = Context.get(context, Agent.Agent)
  const next = zipf(AGENTS, 0.9)
  const addresses = Array.from({ length: READS }, () => agents[next()]?.address).filter((one) => one !== undefined)

  const lru = new LRUCache<Address, ProgramAccount<AgentAccount>>({
    max: 100_000,
    maxSize: MAX_BYTES,
    ttl: 300_000,
    sizeCalculation: () => 1000
  })
  const effects = await Effect.runPromise(
    EffectCache.make({ capacity: 100_000, timeToLive: "5 minutes", lookup: (address: Address) => agent.get(address) })
  )
  for (const address of addresses) {
    lru.set(address, await Effect.runPromise(agent.get(address)))
    await Effect.runPromise(effects.get(address))
  }

  const all = (read: (address: Address) => Effect.Effect<unknown, unknown>) => {
    const program = Effect.gen(function* () {
      for (const address of addresses) yield* read(address)
    })
    return { operations: addresses.length, run: () => Effect.runSync(program) }
  }
  const fromLru = (address: Address) => Effect.sync(() => lru.get(address))
  return measure("A hit in memory", [
    { name: "lru-cache 11.5.3 in Effect.sync", ...all(fromLru) },
    { name: "lru-cache again", ...all(fromLru) },
    { name: "Agent.get through Cache", ...all((address) => agent.get(address)) },
    { name: "Effect's Cache", ...all((address) => effects.get(address)) }
  ])
}

interface Store {
  readonly get: (key: string) => unknown
  readonly set: (key: string, value: boolean, size: number) => unknown
}

/**
 * The hit ratio of 400,000 reads over 100,000 names, with a capacity of 10,000, where 5,000 others are listed after
 * each 20,000 reads.
 */
const hitRatio = (store: Store, scans: boolean): number => {
  const next = zipf(100_000, 0.9)
  let hits = 0
  let counted = 0
  let scanned = 0
  const read = (key: string): boolean => {
    if (store.get(key) !== undefined) return true
    store.set(key, true, 1)
    return false
  }
  for (let at = 0; at < 400_000; at++) {
    const isHit = read(`agent ${next()}`)
    // The first half fills the cache.
    if (at >= 200_000) {
      counted++
      if (isHit) hits++
    }
    if (scans && at % 20_000 === 19_999) for (let n = 0; n < 5000; n++) read(`listed ${scanned++}`)
  }
  return hits / counted
}

const lruStore = (): Store => {
  const lru = new LRUCache<string, boolean>({ max: 10_000 })
  return { get: (key) => lru.get(key), set: (key, value) => lru.set(key, value) }
}

const sieveStore = (): Store => new Sieve<boolean>({ maxEntries: 10_000, maxBytes: Number.MAX_SAFE_INTEGER })

/** Shares of hits. */
export const ratios = () => ({
  lru: { alone: hitRatio(lruStore(), false), scans: hitRatio(lruStore(), true) },
  sieve: { alone: hitRatio(sieveStore(), false), scans: hitRatio(sieveStore(), true) }
})
