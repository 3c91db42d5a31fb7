/**
 * A cache with two levels: reads accounts and the application's own values from memory, and never returns a value older
 * than a known change.
 *
 *     npx tsx examples/guide/cache.ts
 */
import { mkdtempSync, rmSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import {
  Agent,
  Cache,
  CacheStoreSqlite,
  EmbeddedCluster,
  PayloadStore,
  Pod,
  RpcPoolEmbedded,
  TestWallets,
  Wallet
} from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** The folder of the second level. It is removed with the scope. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(os.tmpdir(), "pod-cache-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const Store = Layer.unwrapScoped(
  Effect.map(folder, (directory) => CacheStoreSqlite.layer({ directory, maxBytes: 4 * 1024 * 1024 }))
)

/** The services use the cache from their context. `Pod.layer({ url, cache })` does the same for a real cluster. */
const PodLive = TestWallets.layer.pipe(
  Layer.provideMerge(Pod.layerServices()),
  Layer.provideMerge(Cache.layer({ ttl: { AgentAccount: "5 minutes" } })),
  Layer.provide(Store),
  Layer.provideMerge(Layer.merge(RpcPoolEmbedded.layer, PayloadStore.layerMemory)),
  Layer.provideMerge(EmbeddedCluster.layer())
)

const Profile = Schema.Struct({ name: Schema.String })

const program = Effect.gen(function* () {
  const agents = yield* Agent.Agent
  const cache = yield* Cache.Cache
  const wallet = yield* TestWallets.funded

  yield* Effect.gen(function* () {
    yield* agents.register({ capabilities: 1n, metadataUri: "https://example.com/agent.json" })
    for (let read = 0; read < 1000; read++) yield* agents.get(wallet.address)

    // The next read after an own write returns the new account.
    yield* agents.update({ capabilities: 3n })
    const { account } = yield* agents.get(wallet.address)
    yield* Console.log(`capabilities after the update: ${account.capabilities}`)
  }).pipe(Effect.provideService(Wallet.Wallet, wallet))

  // Values of the application are loaded once, and invalidated by tag.
  const profiles = yield* Cache.namespace("profiles", Profile)
  let loads = 0
  const load = Effect.sync(() => ({ name: `profile ${++loads}` }))
  const profile = profiles.getOrLoad(`agent:${wallet.address}`, load, { tags: [`agent:${wallet.address}`] })
  yield* Effect.all([profile, profile, profile], { concurrency: "unbounded" })
  yield* cache.invalidate({ tag: `agent:${wallet.address}` })
  yield* Console.log(`after the invalidation: ${(yield* profile).name}`)

  const { memory, network } = yield* cache.stats
  yield* Console.log(`reads from memory: ${memory}, from the network or a loader: ${network}`)
})

void Effect.runPromise(Effect.provide(program, PodLive))
