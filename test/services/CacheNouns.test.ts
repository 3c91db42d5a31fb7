import { describe, expect, it, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/TestClock"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Cache from "../../services/Cache.js"
import * as Channel from "../../services/Channel.js"
import * as Metrics from "../../services/Metrics.js"
import * as Transactions from "../../services/Transactions.js"
import { as, METADATA_URI } from "../support/agents.js"
import * as Chain from "../support/cachedChain.js"

const { agentOf } = Chain

const uri = (name: number) =>
  Effect.map(
    Effect.flatMap(Agent.Agent, (agents) => agents.get(agentOf(name).address)),
    ({ account }) => account.metadataUri
  )

const counted = (value: string) => Metric.value(Metric.tagged(Metrics.cacheReadsOf("memory"), "test", value))

const agents = Agent.layer.pipe(Layer.provideMerge(Chain.layer()), Layer.provide(Transactions.layerTest({})))

describe("Cache, hits of one turn", () => {
  it.live("Given hits of one turn, When an account is fenced between them, Then no later one is older", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      const cache = yield* Cache.Cache
      for (let turn = 1; turn < 200; turn++) {
        const slot = yield* chain.write(1, `https://a.example/${turn}`)
        yield* cache.fence([agentOf(1).address], slot)
        for (let times = 0; times < 3; times++) expect(yield* uri(1)).toBe(`https://a.example/${turn}`)
      }
      expect(yield* chain.reads).toBe(199)
    }).pipe(Effect.provide(agents))
  )

  it.live("Given an account that is read late in a turn, When it is read again, Then memory answers", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      for (const name of [1, 2]) yield* chain.write(name, `https://a.example/${name}`)
      yield* uri(1)
      const until = (yield* Clock.currentTimeMillis) + 3
      while ((yield* Clock.currentTimeMillis) < until) yield* uri(1)
      for (let times = 0; times < 3; times++) yield* uri(2)
      expect(yield* chain.reads).toBe(2)
    }).pipe(Effect.provide(agents))
  )

  it.live("Given hits under labels, When their turn is over, Then each is counted once under its own", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* uri(1)
      const { stats } = yield* Cache.Cache
      const before = (yield* stats).memory
      const tag = (times: number, value: string) => Effect.tagMetrics(Effect.repeatN(uri(1), times - 1), "test", value)
      yield* Effect.all([tag(200, "hits a"), tag(3, "hits b"), tag(100, "hits a")])
      yield* Effect.promise(() => Promise.resolve())
      expect((yield* counted("hits a")).count).toBe(300)
      expect((yield* counted("hits b")).count).toBe(3)
      expect((yield* stats).memory - before).toBe(303)
    }).pipe(Effect.provide(agents))
  )

  it.live("Given options of a fiber, When reads of one turn differ in them, Then each has its own", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      yield* uri(1)
      yield* uri(1).pipe(Cache.withOptions({ policy: "bypass" }))
      yield* uri(1)
      yield* uri(1).pipe(Cache.withOptions({ policy: "network-first" }))
      expect(yield* chain.reads).toBe(3)
    }).pipe(Effect.provide(agents))
  )

  it.effect("Given TestClock, When the time to live passes within a turn, Then the network is asked", () =>
    Effect.gen(function* () {
      const chain = yield* Chain.Chain
      yield* chain.write(1, "https://a.example/1")
      for (let times = 0; times < 3; times++) {
        yield* uri(1)
        yield* TestClock.adjust("5 minutes")
      }
      expect(yield* chain.reads).toBe(3)
    }).pipe(Effect.provide(agents))
  )
})

// Fresh, because Pod.layerTest has built the same layers without a cache.
const cached = Layer.fresh(Pod.layerServices()).pipe(
  Layer.provideMerge(Cache.layerMemory()),
  Layer.provideMerge(Pod.layerTest)
)

layer(cached)("Nouns over a cache", (it) => {
  it.effect("Given an agent that was read, When it is updated, Then the next read sees the update", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const wallet = yield* TestWallets.funded
      expect(yield* agents.exists(wallet.address)).toBe(false)
      yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(wallet))
      expect(yield* agents.exists(wallet.address)).toBe(true)
      for (let capabilities = 1n; capabilities < 5n; capabilities++) {
        yield* agents.get(wallet.address)
        yield* agents.update({ capabilities }).pipe(as(wallet))
        expect((yield* agents.get(wallet.address)).account.capabilities).toBe(capabilities)
      }
      expect((yield* Effect.flatMap(Cache.Cache, ({ stats }) => stats)).memory).toBeGreaterThan(0)
    })
  )

  it.effect("Given a channel that was read, When an agent joins, Then its count is seen at once", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const channels = yield* Channel.Channel
      const wallet = yield* TestWallets.funded
      yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(wallet))
      const { address } = yield* channels.create({ name: "cached" }).pipe(as(wallet))
      const other = yield* TestWallets.funded
      yield* agents.register({ metadataUri: METADATA_URI }).pipe(as(other))
      const before = yield* channels.get(address)
      yield* Effect.flip(channels.participant(address, other.address))
      yield* channels.join(address).pipe(as(other))
      expect((yield* channels.get(address)).account.currentParticipants).toBe(before.account.currentParticipants + 1)
      expect((yield* channels.participant(address, other.address)).account.isActive).toBe(true)
    })
  )
})
