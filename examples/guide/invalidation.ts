/**
 * Smart cache invalidation: changes that other processes make on the chain invalidate accounts and tagged values. It
 * needs no time to live and no search. It runs on the embedded cluster.
 *
 *     npx tsx examples/guide/invalidation.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import {
  Agent,
  Cache,
  CacheInvalidator,
  EmbeddedCluster,
  PayloadStore,
  Pod,
  ProtocolEvents,
  RpcPoolEmbedded,
  TestWallets,
  Wallet
} from "@pod-protocol/effect"
import type { Slot } from "@solana/kit"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** The agents as another process uses them, without access to this cache. */
class Elsewhere extends Context.Tag("Elsewhere")<Elsewhere, Agent.Service>() {}

const ElsewhereLive = Layer.effect(Elsewhere, Agent.Agent).pipe(Layer.provide(Layer.fresh(Pod.layerServices())))

/** `Pod.layer({ url, cache: {}, invalidator: {} })` does the same for a real cluster. */
const PodLive = TestWallets.layer.pipe(
  Layer.provideMerge(Pod.layerServices()),
  Layer.provideMerge(CacheInvalidator.layer()),
  Layer.provideMerge(Layer.merge(Cache.layerMemory(), ProtocolEvents.layer())),
  Layer.provideMerge(ElsewhereLive),
  Layer.provideMerge(Layer.merge(RpcPoolEmbedded.layer, PayloadStore.layerMemory)),
  Layer.provideMerge(EmbeddedCluster.layer())
)

/** Waits until all events up to a slot are applied to the cache. */
const applied = (slot: Slot) =>
  Effect.flatMap(CacheInvalidator.CacheInvalidator, ({ applied }) =>
    Stream.runDrain(Stream.takeUntil(applied, (cursor) => cursor.slot >= slot))
  )

const program = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const wallet = yield* TestWallets.funded
  const profiles = yield* Cache.namespace("profiles", Schema.String)
  const { caughtUp, invalidatePattern } = yield* CacheInvalidator.CacheInvalidator

  const elsewhere = yield* Elsewhere
  const asWallet = Effect.provideService(Wallet.Wallet, wallet)

  const { address, slot } = yield* elsewhere
    .register({ capabilities: 1n, metadataUri: "https://example.com/agent.json" })
    .pipe(asWallet)
  yield* caughtUp
  yield* applied(slot)

  let loads = 0
  const load = Effect.sync(() => `profile ${++loads}`)
  const profile = profiles.getOrLoad("mine", load, { tags: [`agent:${address}:profile`] })
  const show = (when: string) =>
    Effect.gen(function* () {
      const { account } = yield* agents.get(wallet.address)
      yield* Console.log(`${when}: capabilities ${account.capabilities}, ${yield* profile}`)
    })
  yield* show("at first")
  yield* show("again")

  const update = yield* elsewhere.update({ capabilities: 3n }).pipe(asWallet)
  yield* applied(update.slot)
  yield* show("after an update by another process")

  yield* invalidatePattern(`agent:${address}*`)
  yield* show("after a pattern")
})

program.pipe(Effect.provide(PodLive), NodeRuntime.runMain)
