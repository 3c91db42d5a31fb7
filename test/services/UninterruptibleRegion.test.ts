/**
 * Fibers of a service have the region of the fiber that starts them. Where this is uninterruptible, such as the acquisition
 * of a resource, the end of the scope must still end them, because it waits for them.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as EmbeddedServer from "../../layers/EmbeddedServer.js"
import * as Pod from "../../layers/Pod.js"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Analytics from "../../services/Analytics.js"
import * as Cache from "../../services/Cache.js"
import * as CacheInvalidator from "../../services/CacheInvalidator.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Discovery from "../../services/Discovery.js"
import * as Follow from "../../services/Follow.js"
import * as FalseSlot from "../../services/internal/falseSlot.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Heartbeat from "../../services/transport/Heartbeat.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import { as } from "../support/agents.js"
import { agentBytes, agentOf, infoOf } from "../support/cachedChain.js"
import { sockets } from "./transport/sockets.js"
import { fake, node, pool } from "./transport/support.js"

/** Whether the effect ends within two seconds. */
const ends = (effect: Effect.Effect<unknown>) =>
  Effect.map(Effect.timeoutOption(Effect.disconnect(effect), "2 seconds"), Option.isSome)

type Below = Cache.Cache | CacheStore.CacheStore | ProtocolEvents.ProtocolEvents | RpcPool.RpcPool | Scope.Scope

const layers: ReadonlyArray<readonly [name: string, make: Effect.Effect<void, unknown, Below>]> = [
  ["CacheInvalidator", Effect.asVoid(CacheInvalidator.make())],
  ["Discovery", Effect.asVoid(Discovery.make())],
  ["Discovery that is saved", Effect.asVoid(Discovery.makePersisted())],
  ["Analytics", Effect.asVoid(Effect.provide(Analytics.make(), Discovery.layer()))]
]

const below = Layer.merge(Cache.layerMemory(), CacheStore.layerMemory()).pipe(
  Layer.provideMerge(ProtocolEvents.layer({ pollInterval: "30 millis" })),
  Layer.provideMerge(Pod.layerTest)
)

const cluster = (options: EmbeddedCluster.Options) => EmbeddedCluster.layer({ podProgram: false, ...options })

/** Layers that run fibers by themselves. Nothing listens on the port. */
const built: ReadonlyArray<readonly [name: string, layer: Layer.Layer<never, unknown>]> = [
  ["EmbeddedCluster", cluster({})],
  ["EmbeddedCluster in interval mode", cluster({ blockMode: "interval" })],
  ["EmbeddedServer", Layer.provide(Layer.scopedDiscard(EmbeddedServer.serve()), cluster({ passingSlots: false }))],
  ["TelemetryOtlp", TelemetryOtlp.layerFetch({ url: "http://127.0.0.1:1", shutdownTimeout: "50 millis" })]
]

describe("an uninterruptible region", () => {
  for (const [name, layer] of built) {
    it.live(`Given the layer of ${name} built in it, When the scope closes, Then its fibers end`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Effect.uninterruptible(Layer.buildWithScope(layer, scope))
        yield* Effect.sleep("100 millis")
        assert.isTrue(yield* ends(Scope.close(scope, Exit.void)))
      })
    )
  }

  it.scopedLive("Given a cluster over a folder made in it, When the scope closes, Then its fibers end", () =>
    Effect.gen(function* () {
      const ledger = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(path.join(tmpdir(), "pod-region-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true }))
      )
      const scope = yield* Scope.make()
      const make = EmbeddedCluster.make({ podProgram: false, passingSlots: false, ledger })
      yield* Effect.uninterruptible(Scope.extend(make, scope))
      yield* Effect.sleep("100 millis")
      assert.isTrue(yield* ends(Scope.close(scope, Exit.void)))
    })
  )

  for (const [name, make] of layers) {
    it.live(`Given ${name} built in it, When the scope closes, Then its fibers end`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Effect.uninterruptible(Scope.extend(make, scope))
        yield* Effect.sleep("100 millis")
        assert.isTrue(yield* ends(Scope.close(scope, Exit.void)))
      }).pipe(Effect.provide(below))
    )
  }

  it.live("Given a follower in it, When its first update was read, Then the Stream ends", () =>
    Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const wallet = yield* TestWallets.funded
      const { address } = yield* agents.register({ metadataUri: "https://a.example/a.json" }).pipe(as(wallet))
      const first = yield* Effect.forkDaemon(Effect.uninterruptible(Stream.runHead(Follow.account(address))))
      assert.isTrue(yield* ends(Fiber.join(first).pipe(Effect.orDie)))
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.live("Given a pool of endpoints built in it, When the scope closes, Then its probes end", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const built = pool([[node("a")], [node("b")]], { genesis: "any", probeInterval: "10 millis" })
      yield* Effect.uninterruptible(Scope.extend(built, scope))
      yield* Effect.sleep("50 millis")
      assert.isTrue(yield* ends(Scope.close(scope, Exit.void)))
    })
  )

  it.live("Given a subscriber in it, When its first notification was read, Then the Stream and its heartbeat end", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { notify, subscribe } = sockets()
      const watched = yield* Scope.extend(Heartbeat.make()(fake({ subscribe })), scope)
      const first = yield* Effect.forkDaemon(
        Effect.uninterruptible(Stream.runHead(watched.subscribe("account", [])).pipe(Effect.orDie))
      )
      yield* Effect.sleep("50 millis")
      yield* notify(1)
      assert.isTrue(yield* ends(Fiber.await(first)))
      assert.deepStrictEqual(yield* Fiber.join(first), Option.some(1))
      assert.isTrue(yield* ends(Scope.close(scope, Exit.void)))
    })
  )

  it.live("Given a read at a slot in it, When it is answered, Then it ends", () =>
    Effect.gen(function* () {
      const options = { current: Effect.succeed(9n), onFalse: () => undefined }
      const read = FalseSlot.readFrom(9n, (slot) => Effect.succeed(slot), options)
      const reader = yield* Effect.forkDaemon(Effect.uninterruptible(read))
      assert.isTrue(yield* ends(Fiber.await(reader)))
      assert.strictEqual(yield* Fiber.join(reader), 9n)
    })
  )

  it.live(
    "Given a read in it that refreshes an account, When the endpoint hangs and the scope closes, Then it ends",
    () => {
      const { address, wallet } = agentOf(1)
      const answer = { slot: 9n, value: Option.some(infoOf(address, agentBytes(wallet, "https://a.example/1"))) }
      let hangs = false
      const stubs = RpcPool.layerTest({
        getSlot: () => Effect.succeed(9n),
        getAccountInfo: () => Effect.suspend(() => (hangs ? Effect.never : Effect.succeed(answer)))
      })
      return Effect.gen(function* () {
        const scope = yield* Scope.make()
        const cache = yield* Scope.extend(Cache.makeMemory({ ttl: { AgentAccount: 1 } }), scope)
        const read = cache.account(AccountType.agent, address, { policy: "stale-while-revalidate" })
        yield* read
        yield* Effect.sleep("10 millis")
        hangs = true
        yield* Effect.uninterruptible(read)
        yield* Effect.sleep("10 millis")
        assert.isTrue(yield* ends(Scope.close(scope, Exit.void)))
      }).pipe(Effect.provide(stubs))
    }
  )
})
