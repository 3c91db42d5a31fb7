import { describe, expect, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import * as Wallet from "../../services/Wallet.js"
import * as Address from "../../src/solana/Address.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Signature from "../../src/solana/Signature.js"

const SIZE = 200_000

/** Of pages that threads share, as a payload may be. */
const sharedPayload = (): Uint8Array => new Uint8Array(new SharedArrayBuffer(SIZE)).fill(7)

/** Transactions that always succeed. */
const transactions = Transactions.layerTest({
  send: () => Effect.succeed({ signature: Signature.fromBytes(new Uint8Array(Signature.SIZE)), slot: 1n, fee: 5000n })
})

/** A store that says what it was handed. */
const recording = (handed: Array<ReadonlyArray<Uint8Array>>) =>
  PayloadStore.make({
    set: (_, bytes) => Effect.sync(() => void handed.push([bytes.slice()])),
    adopt: (_, parts) => Effect.sync(() => void handed.push(parts)),
    get: () => Effect.succeed(Option.none()),
    has: () => Effect.succeed(false),
    remove: () => Effect.void
  })

const sendTo = (store: PayloadStore.Service, input: Pick<Message.SendInput, "payload" | "raw" | "zeroCopy">) =>
  Effect.gen(function* () {
    const { address: recipient } = yield* Wallet.generate
    const messages = yield* Message.Message
    return yield* messages.send({ recipient, ...input })
  }).pipe(
    Effect.provide(Message.layer),
    Effect.provide(Layer.merge(transactions, RpcPool.layerTest({}))),
    Effect.provideService(PayloadStore.PayloadStore, store),
    Effect.provide(Wallet.layerGenerated)
  )

/** Counts what is copied out of a buffer while an effect runs: where to, and how many bytes. */
const copiesOf = <A, E, R>(buffer: ArrayBufferLike, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const copies: Array<{ readonly into: ArrayBufferLike | undefined; readonly size: number }> = []
      const { set, slice } = Uint8Array.prototype
      const setSpy = vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (
        this: Uint8Array,
        source: ArrayLike<number>,
        offset?: number
      ) {
        if (source instanceof Uint8Array && source.buffer === buffer) {
          copies.push({ into: this.buffer, size: source.length })
        }
        return set.call(this, source, offset)
      })
      const sliceSpy = vi.spyOn(Uint8Array.prototype, "slice").mockImplementation(function (
        this: Uint8Array,
        start?: number,
        end?: number
      ) {
        const copy: Uint8Array<ArrayBuffer> = slice.call(this, start, end)
        if (this.buffer === buffer) copies.push({ into: undefined, size: copy.length })
        return copy
      })
      return { copies, setSpy, sliceSpy }
    }),
    ({ copies }) => Effect.as(effect, copies),
    ({ setSpy, sliceSpy }) =>
      Effect.sync(() => {
        setSpy.mockRestore()
        sliceSpy.mockRestore()
      })
  )

describe.sequential("zero copy", () => {
  it.effect("Given a payload in shared memory, When it is sent with zeroCopy, Then only its hash reads it", () =>
    Effect.gen(function* () {
      // Given
      const payload = sharedPayload()
      const handed: Array<ReadonlyArray<Uint8Array>> = []
      // When
      const copies = yield* copiesOf(payload.buffer, sendTo(recording(handed), { payload, zeroCopy: true }))
      // Then: WebAssembly reads it in pieces into its own page, and the store was given the array itself.
      expect(copies.reduce((sum, { size }) => sum + size, 0)).toBe(SIZE)
      expect(new Set(copies.map(({ into }) => into?.byteLength))).toStrictEqual(new Set([65_536]))
      expect(handed.map((parts) => parts.length)).toStrictEqual([2])
      expect(handed[0]?.[1]).toBe(payload)
    })
  )

  it.effect("Given the same payload, When it is sent without zeroCopy, Then the store makes one more copy", () =>
    Effect.gen(function* () {
      const payload = sharedPayload()
      const handed: Array<ReadonlyArray<Uint8Array>> = []
      const copies = yield* copiesOf(payload.buffer, sendTo(recording(handed), { payload }))
      expect(copies.reduce((sum, { size }) => sum + size, 0)).toBe(2 * SIZE)
      expect(handed[0]?.every(({ buffer }) => buffer !== payload.buffer)).toBe(true)
    })
  )

  it.effect("Given sends with and without zeroCopy, When the same bytes are sent raw, Then the hash is the same", () =>
    Effect.gen(function* () {
      const payload = sharedPayload()
      const store = recording([])
      const handedOver = yield* sendTo(store, { payload, raw: true, zeroCopy: true })
      const copied = yield* sendTo(store, { payload, raw: true })
      expect(handedOver.payloadHash).toStrictEqual(copied.payloadHash)
      expect(handedOver.payloadHash).toStrictEqual(Hash.sha256(payload))
    })
  )

  it.effect("Given the memory store, When it adopts an array, Then get returns the same array", () =>
    Effect.gen(function* () {
      const payload = sharedPayload()
      const store = yield* PayloadStore.PayloadStore
      const hash = yield* store.put(payload, { zeroCopy: true })
      expect(yield* store.get(hash)).toBe(payload)
    }).pipe(Effect.provide(PayloadStore.layerMemory))
  )

  it.effect("Given an adopted array, When its owner writes to it, Then get fails with HashMismatch", () =>
    Effect.gen(function* () {
      const payload = sharedPayload()
      const store = yield* PayloadStore.PayloadStore
      const hash = yield* store.put([Address.toBytes(Address.SYSTEM_PROGRAM), payload], { zeroCopy: true })
      payload[0] = 8
      expect((yield* Effect.flip(store.get(hash))).reason).toBe("HashMismatch")
    }).pipe(Effect.provide(PayloadStore.layerMemory))
  )

  it.effect("Given a store that cannot adopt, When several parts are put, Then it gets one concatenated copy", () =>
    Effect.gen(function* () {
      const given: Array<Uint8Array> = []
      const store = PayloadStore.make({
        set: (_, bytes) => Effect.sync(() => void given.push(bytes)),
        get: () => Effect.succeed(Option.none()),
        has: () => Effect.succeed(false),
        remove: () => Effect.void
      })
      yield* store.put([Uint8Array.of(1), Uint8Array.of(2, 3)], { zeroCopy: true })
      expect(given).toStrictEqual([Uint8Array.of(1, 2, 3)])
    })
  )
})
