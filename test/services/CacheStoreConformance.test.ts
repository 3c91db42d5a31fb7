import { mkdtempSync, rmSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as CacheStoreSqlite from "../../layers/CacheStoreSqlite.js"
import * as CacheStore from "../../services/CacheStore.js"
import { runs } from "../support/runs.js"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(os.tmpdir(), "pod-cache-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const inFolder = <A, E>(build: (folder: string) => Layer.Layer<A, E>): Layer.Layer<A, E> =>
  Layer.unwrapScoped(Effect.map(temporaryFolder, build))

const stores: ReadonlyArray<readonly [string, Layer.Layer<CacheStore.CacheStore, unknown>]> = [
  ["layerMemory", CacheStore.layerMemory({ maxBytes: 1024 * 1024 })],
  ["layerKeyValueStore in memory", CacheStore.layerKeyValueStore.pipe(Layer.provide(KeyValueStore.layerMemory))],
  [
    "layerKeyValueStore in files",
    inFolder((folder) =>
      CacheStore.layerKeyValueStore.pipe(
        Layer.provide(KeyValueStore.layerFileSystem(folder)),
        Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
      )
    )
  ],
  ["CacheStoreSqlite", inFolder((directory) => CacheStoreSqlite.layer({ directory, maxBytes: 1024 * 1024 }))]
]

const keyOf = (name: number): Uint8Array => {
  const key = new Uint8Array(98).fill(5)
  new DataView(key.buffer).setUint32(60, name)
  return key
}

const rowOf = (slot: bigint, ...value: ReadonlyArray<number>): CacheStore.Row => ({
  slot,
  readAt: 1_700_000_000_123,
  state: "value",
  value: Uint8Array.from(value)
})

const row = FastCheck.record({
  slot: FastCheck.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  readAt: FastCheck.nat(),
  state: FastCheck.constantFrom("value" as const, "absent" as const, "fence" as const),
  value: FastCheck.uint8Array({ maxLength: 600 })
})

const operation = FastCheck.oneof(
  FastCheck.record({ do: FastCheck.constant("get" as const), name: FastCheck.nat(9) }),
  FastCheck.record({ do: FastCheck.constant("remove" as const), name: FastCheck.nat(9) }),
  FastCheck.record({
    do: FastCheck.constant("put" as const),
    rows: FastCheck.array(FastCheck.tuple(FastCheck.nat(9), row), { maxLength: 6 })
  })
)

let space = 1000

for (const [name, store] of stores) {
  layer(store)(name, (it) => {
    it.effect("Given any operations / When they run / Then it holds what a map of rising rows holds", () =>
      Effect.gen(function* () {
        const store = yield* CacheStore.CacheStore
        const sequences = FastCheck.sample(FastCheck.array(operation, { maxLength: 40 }), {
          numRuns: runs(50),
          seed: 7
        })
        for (const sequence of sequences) {
          space += 10
          const model = new Map<number, CacheStore.Row>()
          for (const operation of sequence) {
            if (operation.do === "get") {
              const found = yield* store.get(keyOf(space + operation.name))
              expect(Option.getOrUndefined(found)).toEqual(model.get(operation.name))
              expect(store.unsafeGet?.(keyOf(space + operation.name)) ?? Exit.succeed(found)).toEqual(
                Exit.succeed(found)
              )
            } else if (operation.do === "remove") {
              yield* store.remove(keyOf(space + operation.name))
              model.delete(operation.name)
            } else {
              yield* store.putMany(operation.rows.map(([name, row]) => [keyOf(space + name), row]))
              for (const [name, row] of operation.rows) {
                const known = model.get(name)
                if (known === undefined || row.slot >= known.slot) model.set(name, row)
              }
            }
          }
        }
      })
    )

    it.effect("Given a row / When a lower slot is written / Then it stays; an equal or higher one replaces it", () =>
      Effect.gen(function* () {
        const store = yield* CacheStore.CacheStore
        const get = Effect.map(store.get(keyOf(1)), Option.getOrUndefined)
        yield* store.putMany([[keyOf(1), rowOf(2n ** 63n + 5n, 1)]])
        yield* store.putMany([[keyOf(1), rowOf(2n ** 63n - 1n, 2)]])
        expect((yield* get)?.value).toEqual(Uint8Array.of(1))
        yield* store.putMany([[keyOf(1), rowOf(2n ** 63n + 5n, 3)]])
        expect((yield* get)?.value).toEqual(Uint8Array.of(3))
        yield* store.putMany([[keyOf(1), rowOf(2n ** 64n - 1n, 4)]])
        expect(yield* get).toEqual(rowOf(2n ** 64n - 1n, 4))
      })
    )

    it.effect("Given the caller's array / When it is written again / Then the row is as it was put", () =>
      Effect.gen(function* () {
        const store = yield* CacheStore.CacheStore
        const value = Uint8Array.of(1, 2, 3)
        yield* store.putMany([[keyOf(2), { ...rowOf(1n), value }]])
        value.fill(9)
        expect(Option.getOrUndefined(yield* store.get(keyOf(2)))?.value).toEqual(Uint8Array.of(1, 2, 3))
      })
    )

    it.effect("Given a row / When a later one may be too large for the store / Then the earlier one is gone", () =>
      Effect.gen(function* () {
        const store = yield* CacheStore.CacheStore
        const large = { ...rowOf(9n), value: new Uint8Array(2 * 1024 * 1024) }
        yield* store.putMany([
          [keyOf(4), rowOf(8n, 8)],
          [keyOf(5), rowOf(10n, 10)]
        ])
        yield* store.putMany([
          [keyOf(4), large],
          [keyOf(5), large],
          [keyOf(6), rowOf(1n, 1)]
        ])
        expect(Option.getOrElse(yield* store.get(keyOf(4)), () => large).slot).toBe(9n)
        expect(Option.getOrUndefined(yield* store.get(keyOf(6)))?.slot).toBe(1n)
        // A store in memory needs to look at the slot, too.
        expect(Option.getOrUndefined(yield* store.get(keyOf(5)))?.slot).toBe(10n)
      })
    )

    it.effect("Given no row / When it is read or removed / Then it is None and nothing fails", () =>
      Effect.gen(function* () {
        const store = yield* CacheStore.CacheStore
        expect(yield* store.get(keyOf(3))).toEqual(Option.none())
        yield* store.remove(keyOf(3))
        yield* store.putMany([])
      })
    )
  })
}
