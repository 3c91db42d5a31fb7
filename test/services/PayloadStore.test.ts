import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PayloadStoreS3 from "../../layers/PayloadStoreS3.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Hash from "../../src/solana/Hash.js"
import { layerServers } from "../support/payloadServers.js"
import { runs } from "../support/runs.js"
import { bucketAt, KEY } from "../support/s3Server.js"

const utf8 = new TextEncoder()
const hello = utf8.encode("hello")
const helloHash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
const helloKey = `pod/payload/${helloHash}`

const stores = {
  memory: PayloadStore.layerMemory,
  keyValueStore: PayloadStore.layerKeyValueStore.pipe(Layer.provide(KeyValueStore.layerMemory)),
  prefixedKeyValueStore: PayloadStore.layerKeyValueStore.pipe(
    Layer.provide(
      Layer.effect(
        KeyValueStore.KeyValueStore,
        Effect.map(KeyValueStore.KeyValueStore, (store) => KeyValueStore.prefix(store, "mine/"))
      )
    ),
    Layer.provide(KeyValueStore.layerMemory)
  ),
  "a payload server": layerServers(1),
  "a payload server with SQLite": layerServers(1, { storage: "sqlite" }),
  "a bucket": Layer.unwrapScoped(
    // The tests run on the TestClock.
    Effect.map(
      bucketAt(() => 0),
      ({ url }) => Layer.provide(PayloadStoreS3.layer({ ...KEY, url }), FetchHttpClient.layer)
    )
  ).pipe(Layer.orDie),
  "three payload servers": layerServers(3)
}

for (const [name, layer] of Object.entries(stores)) {
  describe(`PayloadStore over ${name}`, () => {
    it.effect("Given bytes, When they are put, Then their SHA-256 returns them", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const hash = yield* store.put(hello)
        expect(Encoding.encodeHex(hash)).toBe(helloHash)
        expect(yield* store.has(hash)).toBe(true)
        expect(yield* store.get(hash)).toEqual(hello)
      }).pipe(Effect.provide(layer))
    )

    it.effect("Given a store that says it is synchronous, When bytes are put, Then it does not wait", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        if (store.synchronous !== true) return
        for (const zeroCopy of [false, true]) {
          expect(Encoding.encodeHex(Effect.runSync(store.put(hello, { zeroCopy })))).toBe(helloHash)
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("Given a Buffer, When its owner writes to it after the put, Then the store has what was put", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const mine = Buffer.from("hello")
        const hash = yield* store.put(mine)
        mine.fill(0)
        expect(Encoding.encodeHex(hash)).toBe(helloHash)
        expect([...(yield* store.get(hash))]).toEqual([...hello])
      }).pipe(Effect.provide(layer))
    )

    it.effect("Given any bytes, also none, When they are put, Then get returns them whole", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const run = yield* Effect.runtime()
        yield* Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(FastCheck.uint8Array({ maxLength: 300 }), async (bytes) => {
              const back = await Effect.runPromise(Effect.provide(Effect.flatMap(store.put(bytes), store.get), run))
              expect(back).toEqual(bytes)
            }),
            { numRuns: runs(50), examples: [[new Uint8Array(0)]] }
          )
        )
      }).pipe(Effect.provide(layer))
    )

    it.effect("Given no entry for a hash, When it is read, Then NotFound names the hash", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const hash = Hash.sha256(hello)
        const error = yield* Effect.flip(store.get(hash))
        expect(error).toMatchObject({ _tag: "PayloadStoreError", reason: "NotFound", hash: helloHash })
        expect(error.isRetryable).toBe(false)
        expect(yield* store.has(hash)).toBe(false)
      }).pipe(Effect.provide(layer))
    )

    it.effect("Given stored bytes, When they are removed twice, Then they are gone and no call fails", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const hash = yield* store.put(hello)
        yield* store.remove(hash)
        yield* store.remove(hash)
        expect(yield* store.has(hash)).toBe(false)
      }).pipe(Effect.provide(layer))
    )

    it.effect(
      "Given a caller that overwrites its array, When the payload is read, Then it has the original bytes",
      () =>
        Effect.gen(function* () {
          const store = yield* PayloadStore.PayloadStore
          const bytes = utf8.encode("hello")
          const hash = yield* store.put(bytes)
          bytes.fill(0)
          expect(yield* store.get(hash)).toEqual(hello)
        }).pipe(Effect.provide(layer))
    )
  })
}

describe("PayloadStore in memory", () => {
  it.effect("Given a full store, When more is put, Then the least recently used payload is evicted first", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      const first = yield* store.put(utf8.encode("aaaa"))
      const second = yield* store.put(utf8.encode("bbbb"))
      yield* store.get(first)
      const third = yield* store.put(utf8.encode("cc"))
      expect(yield* Effect.forEach([first, second, third], store.has)).toEqual([true, false, true])
    }).pipe(Effect.provide(PayloadStore.layerMemoryWith({ maxBytes: 8 })))
  )

  it.effect("Given the same bytes twice, When they are put, Then they count once", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      const first = yield* store.put(utf8.encode("aaaa"))
      const second = yield* store.put(utf8.encode("bbbb"))
      yield* store.put(utf8.encode("bbbb"))
      expect(yield* Effect.forEach([first, second], store.has)).toEqual([true, true])
    }).pipe(Effect.provide(PayloadStore.layerMemoryWith({ maxBytes: 8 })))
  )

  it.effect("Given a payload above maxBytes, When it is put, Then it fails with TooLarge and nothing is evicted", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      const kept = yield* store.put(utf8.encode("aaaa"))
      const error = yield* Effect.flip(store.put(utf8.encode("123456789")))
      expect(error).toMatchObject({ reason: "TooLarge", size: 9 })
      expect(yield* store.has(kept)).toBe(true)
    }).pipe(Effect.provide(PayloadStore.layerMemoryWith({ maxBytes: 8 })))
  )
})

describe("PayloadStore in memory: bounds that are no whole number", () => {
  it.effect.each([Number.NaN, -1, 1.5, Infinity])(
    "Given a maxBytes of %d, When the layer is built, Then it fails with InvalidInput",
    (maxBytes) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(PayloadStore.layerMemoryWith({ maxBytes }))))
        expect(error).toMatchObject({ _tag: "InvalidInput", field: "maxBytes" })
      })
  )
})

describe("PayloadStore over a KeyValueStore", () => {
  const shared = PayloadStore.layerKeyValueStore.pipe(Layer.provideMerge(KeyValueStore.layerMemory))

  it.effect.each(["SGVsbG8=", "not base64 !", ""])(
    "Given %j under the key of other bytes, When it is read, Then it fails with HashMismatch",
    (tampered) =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const beneath = yield* KeyValueStore.KeyValueStore
        const hash = yield* store.put(hello)
        yield* beneath.set(helloKey, tampered)
        expect(yield* Effect.flip(store.get(hash))).toMatchObject({ reason: "HashMismatch", hash: helloHash })
      }).pipe(Effect.provide(shared))
  )

  it.effect(
    "Given other entries in the key-value store, When payloads are put and removed, Then these entries stay",
    () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const beneath = yield* KeyValueStore.KeyValueStore
        yield* beneath.set("theirs", "1")
        const hash = yield* store.put(hello)
        expect(yield* beneath.has(helloKey)).toBe(true)
        yield* store.remove(hash)
        expect(yield* beneath.get("theirs")).toEqual(Option.some("1"))
        expect(yield* beneath.size).toBe(1)
      }).pipe(Effect.provide(shared))
  )
})

describe("PayloadStore over a backend that fails", () => {
  it.effect(
    "Given a backend that fails, When the store is used, Then the error is Unavailable, retryable and keeps the cause",
    () =>
      Effect.gen(function* () {
        const broken = Effect.fail("disk on fire")
        const store = PayloadStore.make({
          set: () => broken,
          get: () => broken,
          has: () => broken,
          remove: () => broken
        })
        for (const call of [store.put(hello), store.get(hello), store.has(hello), store.remove(hello)]) {
          const error = yield* Effect.flip(call)
          expect(error).toMatchObject({ reason: "Unavailable", cause: "disk on fire" })
          expect(error.isRetryable).toBe(true)
        }
      })
  )
})

describe("PayloadStore.layerTest", () => {
  it.effect("Given a method without a stub, When it is called, Then it dies and names itself", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      expect(yield* store.has(hello)).toBe(true)
      const cause = yield* Effect.sandbox(store.get(hello)).pipe(Effect.flip)
      expect(String(cause)).toContain("get")
    }).pipe(Effect.provide(PayloadStore.layerTest({ has: () => Effect.succeed(true) })))
  )
})
