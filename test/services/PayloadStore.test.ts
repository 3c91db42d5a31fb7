import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Hash from "../../src/solana/Hash.js"
import { layerServers } from "../support/payloadServers.js"
import { runs } from "../support/runs.js"

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
  "three payload servers": layerServers(3)
}

for (const [name, layer] of Object.entries(stores)) {
  describe(`PayloadStore over ${name}`, () => {
    it.effect("given bytes, when put, then their SHA-256 gives them back", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const hash = yield* store.put(hello)
        expect(Encoding.encodeHex(hash)).toBe(helloHash)
        expect(yield* store.has(hash)).toBe(true)
        expect(yield* store.get(hash)).toEqual(hello)
      }).pipe(Effect.provide(layer))
    )

    it.effect("given any bytes, when put, then they come back whole, the empty ones too", () =>
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

    it.effect("given nothing under a hash, when read, then it is NotFound and names the hash", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const hash = Hash.sha256(hello)
        const error = yield* Effect.flip(store.get(hash))
        expect(error).toMatchObject({ _tag: "PayloadStoreError", reason: "NotFound", hash: helloHash })
        expect(error.isRetryable).toBe(false)
        expect(yield* store.has(hash)).toBe(false)
      }).pipe(Effect.provide(layer))
    )

    it.effect("given kept bytes, when removed twice, then they are gone and nothing fails", () =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const hash = yield* store.put(hello)
        yield* store.remove(hash)
        yield* store.remove(hash)
        expect(yield* store.has(hash)).toBe(false)
      }).pipe(Effect.provide(layer))
    )

    it.effect("given a caller who writes his array again, when read, then it is what was put", () =>
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
  it.effect("given a full store, when more is put, then what was used longest ago goes first", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      const first = yield* store.put(utf8.encode("aaaa"))
      const second = yield* store.put(utf8.encode("bbbb"))
      yield* store.get(first)
      const third = yield* store.put(utf8.encode("cc"))
      expect(yield* Effect.forEach([first, second, third], store.has)).toEqual([true, false, true])
    }).pipe(Effect.provide(PayloadStore.layerMemoryWith({ maxBytes: 8 })))
  )

  it.effect("given the same bytes twice, when put, then they count once", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      const first = yield* store.put(utf8.encode("aaaa"))
      const second = yield* store.put(utf8.encode("bbbb"))
      yield* store.put(utf8.encode("bbbb"))
      expect(yield* Effect.forEach([first, second], store.has)).toEqual([true, true])
    }).pipe(Effect.provide(PayloadStore.layerMemoryWith({ maxBytes: 8 })))
  )

  it.effect("given a payload above the bound, when put, then it is TooLarge and nothing is evicted", () =>
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
    "Given a maxBytes of %d, When the layer is built, Then it is InvalidInput",
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
    "given %j under the key of other bytes, when read, then it is HashMismatch and no data",
    (tampered) =>
      Effect.gen(function* () {
        const store = yield* PayloadStore.PayloadStore
        const beneath = yield* KeyValueStore.KeyValueStore
        const hash = yield* store.put(hello)
        yield* beneath.set(helloKey, tampered)
        expect(yield* Effect.flip(store.get(hash))).toMatchObject({ reason: "HashMismatch", hash: helloHash })
      }).pipe(Effect.provide(shared))
  )

  it.effect("given other things in the store, when payloads come and go, then they stay", () =>
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
  it.effect("given a failure beneath, when called, then it is Unavailable, retryable, and keeps the cause", () =>
    Effect.gen(function* () {
      const broken = Effect.fail("disk on fire")
      const store = PayloadStore.make({ set: () => broken, get: () => broken, has: () => broken, remove: () => broken })
      for (const call of [store.put(hello), store.get(hello), store.has(hello), store.remove(hello)]) {
        const error = yield* Effect.flip(call)
        expect(error).toMatchObject({ reason: "Unavailable", cause: "disk on fire" })
        expect(error.isRetryable).toBe(true)
      }
    })
  )
})

describe("PayloadStore.layerTest", () => {
  it.effect("given a method without a stub, when called, then it dies with its name", () =>
    Effect.gen(function* () {
      const store = yield* PayloadStore.PayloadStore
      expect(yield* store.has(hello)).toBe(true)
      const cause = yield* Effect.sandbox(store.get(hello)).pipe(Effect.flip)
      expect(String(cause)).toContain("get")
    }).pipe(Effect.provide(PayloadStore.layerTest({ has: () => Effect.succeed(true) })))
  )
})
