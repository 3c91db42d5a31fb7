import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Pod from "../../../layers/Pod.js"
import * as TestWallets from "../../../layers/TestWallets.js"
import * as Agent from "../../../services/Agent.js"
import * as CacheStore from "../../../services/CacheStore.js"
import * as Discovery from "../../../services/Discovery.js"
import * as Metrics from "../../../services/Metrics.js"
import * as ProtocolEvents from "../../../services/ProtocolEvents.js"
import * as RpcPool from "../../../services/RpcPool.js"
import { as } from "../../support/agents.js"
import { eventually } from "../../support/eventually.js"

/** What is found out is logged. */
const silent = Logger.withMinimumLogLevel(LogLevel.None)

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString("latin1")

/** The rows of a store, which a test can damage, and which a killed process does not change any more. */
class Disk {
  rows = new Map<string, { readonly slot: bigint; frame: Uint8Array }>()
  writes = 0
  /** Writes until the process is killed. */
  left = Infinity
  /** The next write does not end by itself. */
  hangs = false

  get store(): CacheStore.Service {
    return CacheStore.make({
      get: (key) => Effect.sync(() => Option.fromNullable(this.rows.get(nameOf(key))?.frame)),
      putMany: (rows) =>
        Effect.suspend(() => {
          if (this.hangs) {
            this.hangs = false
            return Effect.never
          }
          if (this.left-- <= 0) return Effect.void
          for (const { frame, key, slot } of rows) {
            this.writes++
            if (slot >= (this.rows.get(nameOf(key))?.slot ?? 0n)) {
              this.rows.set(nameOf(key), { slot, frame: Uint8Array.from(frame) })
            }
          }
          return Effect.void
        }),
      remove: (key) =>
        Effect.sync(() => {
          if (this.left > 0) this.rows.delete(nameOf(key))
        })
    })
  }

  copy(): Disk {
    const disk = new Disk()
    for (const [key, { frame, slot }] of this.rows) disk.rows.set(key, { slot, frame: Uint8Array.from(frame) })
    return disk
  }
}

/** Counts the listings of the program. */
const counting = (pool: RpcPool.Service, calls: { listings: number }): RpcPool.Service => ({
  ...pool,
  getProgramAccounts: (...args) => {
    calls.listings++
    return pool.getProgramAccounts(...args)
  }
})

/** Runs a process with an index on the disk, from its start to its end. */
const life = <A, E, R>(
  disk: Disk,
  body: (discovery: Discovery.Service, calls: { readonly listings: number }) => Effect.Effect<A, E, R>,
  options: Discovery.PersistedOptions = { kinds: ["agents"] },
  of: (pool: RpcPool.Service) => RpcPool.Service = (pool) => pool
) =>
  Effect.gen(function* () {
    const calls = { listings: 0 }
    const pool = counting(of(yield* RpcPool.RpcPool), calls)
    const live = Discovery.layerPersisted(options).pipe(
      Layer.provide(ProtocolEvents.layer({ pollInterval: "30 millis" })),
      Layer.provide(Layer.succeed(RpcPool.RpcPool, pool)),
      Layer.provide(Layer.succeed(CacheStore.CacheStore, disk.store))
    )
    const context = yield* Layer.build(live)
    return yield* body(Context.get(context, Discovery.Discovery), calls)
  }).pipe(Effect.scoped)

const register = (path: string) =>
  Effect.gen(function* () {
    const agents = yield* Agent.Agent
    const wallet = yield* TestWallets.funded
    yield* agents.register({ metadataUri: `https://agents.example/${path}` }).pipe(as(wallet))
    return wallet
  })

const uris = ({ agents }: Discovery.Service) =>
  Effect.map(agents({ limit: 1000 }), ({ items }) =>
    items.map(({ account }) => account.metadataUri.replace("https://agents.example/", "")).toSorted()
  )

describe("Discovery that is saved", () => {
  it.live(
    "Given a process that ended, When another starts, Then it loads the index without a listing, and learns what happened since",
    () =>
      Effect.gen(function* () {
        const disk = new Disk()
        const agents = yield* Agent.Agent
        const ada = yield* register("ada")
        yield* register("bo")
        yield* life(disk, (discovery, { listings }) =>
          Effect.gen(function* () {
            assert.strictEqual(listings, 1)
            assert.deepStrictEqual(yield* uris(discovery), ["ada", "bo"])
            yield* register("cy")
            yield* eventually(discovery.counts, ({ agents }) => agents === 3)
          })
        )
        // While no process runs
        yield* agents.update({ metadataUri: "https://agents.example/ada-2" }).pipe(as(ada))
        yield* register("di")
        for (let restart = 0; restart < 2; restart++) {
          yield* life(disk, (discovery, calls) =>
            Effect.gen(function* () {
              const now = yield* eventually(uris(discovery), (uris) => uris.length === 4 && uris.includes("ada-2"))
              assert.deepStrictEqual(now, ["ada-2", "bo", "cy", "di"])
              assert.deepStrictEqual((yield* discovery.agents({ text: "ada" })).items.length, 1)
              assert.strictEqual(calls.listings, 0)
            })
          )
        }
      }).pipe(Effect.provide(Pod.layerTest))
  )

  it.live(
    "Given a process that is killed at any write of a save, When another starts, Then it has the older state or the newer one, whole",
    () =>
      Effect.gen(function* () {
        const agents = yield* Agent.Agent
        const wallets = yield* Effect.forEach(["a", "b", "c"], register)
        const disk = new Disk()
        yield* life(disk, () => Effect.void)
        const older = disk.writes
        assert.isAbove(older, 1)
        for (const wallet of wallets) yield* agents.update({ metadataUri: "https://agents.example/x" }).pipe(as(wallet))

        /** Ends after the changes are known, and is killed after this many writes. */
        const killed = (after: number) =>
          Effect.gen(function* () {
            const copy = disk.copy()
            copy.left = after
            yield* life(copy, (discovery) =>
              eventually(discovery.agents({ text: "x" }), ({ items }) => items.length === wallets.length)
            )
            const { left, writes } = copy
            copy.left = Infinity
            const restarted = yield* life(copy, (discovery, { listings }) =>
              Effect.map(Effect.all([uris(discovery), discovery.asOf]), ([uris, asOf]) => ({ uris, asOf, listings }))
            )
            return { ...restarted, isWhole: left >= 0, writes }
          })
        const last = yield* killed(Infinity)
        assert.deepStrictEqual(last.uris, ["x", "x", "x"])
        for (let after = 0; after <= last.writes; after++) {
          const { isWhole, listings, uris } = yield* killed(after)
          assert.strictEqual(listings, 0)
          // What has changed since the older state comes by the events, perhaps by now.
          assert.isTrue(uris.every((uri) => uri === "x" || (!isWhole && ["a", "b", "c"].includes(uri))))
          assert.lengthOf(uris, 3)
        }
      }).pipe(Effect.provide(Pod.layerTest))
  )

  it.live("Given a save that hangs, When the process ends, Then its last save has what the other one took", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(["a", "b"], register)
      const disk = new Disk()
      disk.hangs = true
      yield* life(disk, () => Effect.repeat(Effect.sleep("5 millis"), { until: () => !disk.hangs }))
      const restarted = yield* life(disk, (discovery, { listings }) =>
        Effect.map(uris(discovery), (uris) => ({ uris, listings }))
      )
      assert.deepStrictEqual(restarted, { uris: ["a", "b"], listings: 0 })
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.live("Given a saved index that is damaged in any way, When a process starts, Then it lists the program", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(["a", "b"], register)
      const disk = new Disk()
      yield* life(disk, () => Effect.void)
      const keys = [...disk.rows.keys()]
      const damages: ReadonlyArray<(disk: Disk, key: string) => void> = [
        (disk, key) => disk.rows.delete(key),
        // A bit of the frame: the store's own checksum finds it.
        ({ rows }, key) => {
          const frame = rows.get(key)?.frame
          if (frame !== undefined) frame[20] = (frame[20] ?? 0) ^ 1
        },
        // A row that is sound, with another value.
        (disk, key) =>
          Effect.runSync(
            disk.store.putMany([
              [
                Uint8Array.from(Buffer.from(key, "latin1")),
                { slot: 2n ** 63n, readAt: 0, state: "value", value: new Uint8Array(50) }
              ]
            ])
          )
      ]
      let starts = 0
      for (const damage of damages) {
        for (const key of keys) {
          const copy = disk.copy()
          damage(copy, key)
          const { found, listings } = yield* life(copy, (discovery, { listings }) =>
            Effect.map(uris(discovery), (found) => ({ found, listings }))
          )
          assert.deepStrictEqual(found, ["a", "b"])
          assert.isAbove(listings, 0)
          // What it saves replaces the damage. A row of a slot above all others stays, and is found out each time.
          if (damage !== damages[2]) {
            assert.strictEqual(yield* life(copy, (_, { listings }) => Effect.succeed(listings)), 0)
          }
          starts++
        }
      }
      const damaged = yield* Metric.value(Metric.tagged(Metrics.cacheRowsDamaged, "test", "persisted"))
      // A manifest that is not there is no damage.
      assert.isAtLeast(damaged.count, starts - 1)
    }).pipe(Effect.tagMetrics("test", "persisted"), Effect.provide(Pod.layerTest), silent)
  )

  it.live("Given other kinds, names or clusters, When a process starts, Then it does not use the index", () =>
    Effect.gen(function* () {
      yield* register("a")
      const disk = new Disk()
      yield* life(disk, () => Effect.void)
      const listings = (options: Discovery.PersistedOptions) =>
        life(disk.copy(), (_, { listings }) => Effect.succeed(listings), options)
      assert.strictEqual(yield* listings({ kinds: ["agents"] }), 0)
      assert.isAbove(yield* listings({ kinds: ["agents", "channels"] }), 0)
      assert.strictEqual(yield* listings({ kinds: ["agents"], name: "other" }), 1)

      // Another cluster, and one that says it is the same and has gone back
      const genesis = yield* Effect.flatMap(RpcPool.RpcPool, ({ getGenesisHash }) => getGenesisHash)
      const onOther = (of?: (pool: RpcPool.Service) => RpcPool.Service) =>
        Effect.gen(function* () {
          const copy = disk.copy()
          const fresh = yield* life(
            copy,
            (discovery, { listings }) => Effect.map(uris(discovery), (uris) => ({ uris, listings })),
            undefined,
            of
          )
          const again = yield* life(
            copy,
            (discovery, { listings }) => Effect.map(uris(discovery), (uris) => ({ uris, listings })),
            undefined,
            of
          )
          return { fresh, again }
        }).pipe(Effect.provide(Layer.fresh(Pod.layerTest)))
      const expected = { fresh: { uris: [], listings: 1 }, again: { uris: [], listings: 0 } }
      assert.deepStrictEqual(yield* onOther(), expected)
      assert.deepStrictEqual(yield* onOther((pool) => ({ ...pool, getGenesisHash: Effect.succeed(genesis) })), expected)
    }).pipe(Effect.provide(Pod.layerTest), silent)
  )

  it.live(
    "Given a cluster that is replaced by another one while a process runs, When time passes, Then the index is of the other one",
    () =>
      Effect.gen(function* () {
        const [first, second] = yield* Effect.all([
          Layer.build(Layer.fresh(Pod.layerTest)),
          Layer.build(Layer.fresh(Pod.layerTest))
        ])
        yield* Effect.provide(Effect.forEach(["a", "b", "c"], register), first)
        let current = Context.get(first, RpcPool.RpcPool)
        const switched = new Proxy(current, { get: (_, member): unknown => Reflect.get(current, member) })
        const live = Discovery.layer().pipe(
          Layer.provide(ProtocolEvents.layer({ pollInterval: "30 millis" })),
          Layer.provide(Layer.succeed(RpcPool.RpcPool, switched))
        )
        const discovery = Context.get(yield* Layer.build(live), Discovery.Discovery)
        assert.deepStrictEqual(yield* uris(discovery), ["a", "b", "c"])
        current = Context.get(second, RpcPool.RpcPool)
        yield* eventually(uris(discovery), (uris) => uris.length === 0)
        // And what happens there is found.
        yield* Effect.provide(register("z"), second)
        assert.deepStrictEqual(yield* eventually(uris(discovery), (uris) => uris.length > 0), ["z"])
      }).pipe(Effect.scoped, silent)
  )

  it.effect("Given options out of their range, When the layer is built, Then the error names the field", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.forEach(
        [{ name: "" }, { name: "x".repeat(65) }, { saveInterval: 0 }, { saveInterval: "2 hours" as const }],
        (options) => Effect.flip(Effect.scoped(Discovery.makePersisted(options)))
      )
      assert.deepStrictEqual(
        refused.map((error) => error._tag === "InvalidInput" && error.field),
        ["name", "name", "saveInterval", "saveInterval"]
      )
    }).pipe(Effect.provide([CacheStore.layerTest({}), RpcPool.layerTest({}), ProtocolEvents.layerTest([])]))
  )
})
