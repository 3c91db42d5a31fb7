import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Pod from "../../layers/Pod.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as SealingWeb from "../../layers/SealingWeb.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as Message from "../../services/Message.js"
import * as PublishedKeys from "../../services/PublishedKeys.js"
import * as SealedChannel from "../../services/SealedChannel.js"
import type { Service as Wallet } from "../../services/Wallet.js"
import * as SealingKey from "../../src/protocol/SealingKey.js"
import { as, METADATA_URI, registered } from "../support/agents.js"

/** Documents by their URI; any other fails. */
const documents = new Map<string, unknown>()

const Live = Layer.mergeAll(
  SealedChannel.layer.pipe(Layer.provide(SealingNode.layer)),
  PublishedKeys.layer((uri) =>
    documents.has(uri) ? Effect.succeed(documents.get(uri)) : Effect.fail(`HTTP 503 from ${uri}`)
  )
).pipe(Layer.provideMerge(Pod.layerTest))

/** An agent whose wallet only signs. */
const signer = Effect.map(registered, ({ wallet: { address, sign } }): Wallet => ({ address, sign }))

const publish = (wallet: Wallet, metadataUri: string) =>
  Effect.flatMap(Agent.Agent, ({ update }) => update({ metadataUri })).pipe(as(wallet))

/** A new key: its secret, and the URI that pins it. */
const pinned = Effect.gen(function* () {
  const secret = yield* SealingNode.generateKey
  return { secret, uri: yield* SealingKey.toUri(METADATA_URI, yield* SealingNode.publicKey(secret)) }
})

const lastTo = (wallet: Address) =>
  Effect.flatMap(Message.Message, (messages) => Effect.map(Stream.runCollect(messages.inbox(wallet)), Chunk.unsafeLast))

describe("published keys", () => {
  it.effect(
    "Given a wallet that only signs, when it publishes keys, then it reads what is sealed, also to the old",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const { wallet: ada } = yield* registered
        const bo = yield* signer
        const send = (payload: string, sealTo?: "wallet" | "published") =>
          messages
            .send({ recipient: bo.address, payload, seal: true, sealTo, id: payload })
            .pipe(as(ada), Effect.zipLeft(TestClock.adjust("1 second")), Effect.zipRight(lastTo(bo.address)))
        const old = yield* pinned
        yield* publish(bo, old.uri)
        const first = yield* send("one")
        expect(yield* Effect.flip(messages.text(first).pipe(as(bo)))).toMatchObject({ reason: "NoSealingKey" })
        expect(yield* Effect.flip(messages.text(first))).toMatchObject({ reason: "NoWallet" })
        expect(yield* messages.text(first).pipe(as(yield* SealingNode.withKeys(bo, [old.secret])))).toBe("one")

        const young = yield* pinned
        yield* publish(bo, young.uri)
        const second = yield* send("two")
        for (const { withKeys } of [SealingNode, SealingWeb]) {
          const both = yield* withKeys(bo, [young.secret, old.secret])
          expect(yield* messages.text(first).pipe(as(both))).toBe("one")
          expect(yield* messages.text(second).pipe(as(both))).toBe("two")
          const outdated = yield* withKeys(bo, [old.secret])
          expect(yield* Effect.flip(messages.text(second).pipe(as(outdated)))).toMatchObject({ reason: "Rejected" })
        }
        const third = yield* send("three", "wallet")
        const keyed = yield* SealingNode.withKeys(bo, [young.secret])
        expect(yield* Effect.flip(messages.text(third).pipe(as(keyed)))).toMatchObject({ reason: "CannotUnseal" })
        // One id, content and key make one message.
        yield* send("two")
        expect(yield* Stream.runCount(messages.inbox(bo.address))).toBe(3)
      }).pipe(Effect.provide(Live))
  )

  it.effect(
    "Given documents, when a key is looked up, then a bad one and a silent host are typed and nothing is sent",
    () =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const keys = yield* PublishedKeys.PublishedKeys
        const { wallet: ada } = yield* registered
        const { wallet: bo } = yield* registered
        const secret = yield* SealingNode.generateKey
        const key = yield* SealingNode.publicKey(secret)
        const uri = "https://bo.example/agent.json"
        const x25519 = yield* SealingKey.format(key)
        yield* publish(bo, uri)
        const sealed = (sealTo?: "wallet" | "published") =>
          messages.send({ recipient: bo.address, payload: "x", seal: true, sealTo }).pipe(as(ada))

        documents.set(uri, { name: "Bo", sealing: { x25519 } })
        expect(yield* keys.find(bo.address)).toEqual(Option.some(key))
        yield* sealed("published")
        const message = yield* lastTo(bo.address)
        expect(yield* messages.text(message).pipe(as(yield* SealingNode.withKeys(bo, [secret])))).toBe("x")

        const none = [{}, { sealing: {} }, { sealing: null }, null, "text", 7, [{ sealing: { x25519 } }]]
        for (const document of none) {
          documents.set(uri, document)
          expect(yield* keys.find(bo.address)).toEqual(Option.none())
          expect(yield* Effect.flip(sealed("published"))).toMatchObject({
            reason: "NoPublishedKey",
            isRetryable: false
          })
        }
        const bad = [7, null, "", "0", x25519.slice(4), `${x25519}111`, "1".repeat(32), ada.address.slice(0, 20), {}]
        for (const x25519 of bad) {
          documents.set(uri, { sealing: { x25519 } })
          expect([x25519, yield* Effect.flip(sealed())]).toMatchObject([x25519, { reason: "BadPublishedKey" }])
        }
        documents.delete(uri)
        const before = yield* Stream.runCount(messages.inbox(bo.address))
        const error = yield* Effect.flip(sealed())
        expect(error).toMatchObject({ _tag: "SealedError", reason: "KeyUnavailable", isRetryable: true })
        expect(yield* Stream.runCount(messages.inbox(bo.address))).toBe(before)
        const { address } = yield* sealed("wallet")
        expect(yield* messages.text(address).pipe(as(bo))).toBe("x")
        expect(yield* keys.find((yield* TestWallets.funded).address)).toEqual(Option.none())
      }).pipe(Effect.provide(Live))
  )

  it.effect("Given a channel, when a participant only signs, then its published key opens the key of the epoch", () =>
    Effect.gen(function* () {
      const channels = yield* Channel.Channel
      const sealed = yield* SealedChannel.SealedChannel
      const { wallet: ada } = yield* registered
      const [bo, cy] = [yield* signer, yield* signer]
      const { secret, uri } = yield* pinned
      yield* publish(bo, uri)
      // Its document cannot be read, which holds nobody up.
      yield* publish(cy, "https://silent.example/agent.json")
      const { address } = yield* channels.create({ name: "devices" }).pipe(as(ada))
      for (const wallet of [bo, cy]) yield* channels.join(address).pipe(as(wallet))
      expect((yield* sealed.rotate(address).pipe(as(ada))).holders).toHaveLength(3)
      yield* TestClock.adjust("1 second")
      const keyed = yield* SealingNode.withKeys(bo, [secret])
      yield* sealed.broadcast(address, { content: "from a device" }).pipe(as(keyed))
      const [read] = yield* Stream.runCollect(sealed.messages(address)).pipe(as(ada))
      expect(read).toMatchObject({ isSealed: true, content: { right: "from a device" } })
      const [refused] = yield* Stream.runCollect(sealed.messages(address)).pipe(as(cy))
      expect(refused).toMatchObject({ content: { left: { reason: "CannotUnseal" } } })
    }).pipe(Effect.provide(Live))
  )
})

describe("SealingKey", () => {
  it.effect("Given keys of small order and numbers above the prime, when checked, then each is InvalidInput", () =>
    Effect.gen(function* () {
      const bad = [
        "00".repeat(32),
        `01${"00".repeat(31)}`,
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        `ec${"ff".repeat(30)}7f`,
        `ed${"ff".repeat(30)}7f`,
        "ff".repeat(32),
        "09",
        "09".repeat(33)
      ]
      for (const hex of bad) {
        const key = Uint8Array.from(Buffer.from(hex, "hex"))
        expect(yield* Effect.flip(SealingKey.check(key))).toMatchObject({ _tag: "InvalidInput", field: "key" })
        const sealing = SealingNode.make.seal(key, new Uint8Array(1), new Uint8Array(1))
        expect(yield* Effect.flip(sealing)).toMatchObject({ field: "recipient" })
      }
    })
  )

  it.effect("Given URIs, when they pin a key, then it is found, and their own fragment gives way", () =>
    Effect.gen(function* () {
      const key = yield* Effect.flatMap(SealingNode.generateKey, SealingNode.publicKey)
      for (const uri of ["https://a.example/x", "https://a.example/x#y", "https://a.example/?q=1#a&x25519=zz"]) {
        const made = yield* SealingKey.toUri(uri, key)
        expect(made.startsWith(uri.split("#")[0] ?? "")).toBe(true)
        expect(yield* SealingKey.fromUri(made)).toEqual(Option.some(key))
        expect(yield* SealingKey.fromUri(`${made}&v=2`)).toEqual(Option.some(key))
      }
      for (const uri of ["https://a.example/", "https://a.example/?x25519=zz", "https://a.example/#x25519", ""]) {
        expect(yield* SealingKey.fromUri(uri)).toEqual(Option.none())
      }
      expect(yield* Effect.flip(SealingKey.fromUri("https://a.example/#x25519=zz"))).toMatchObject({
        field: "metadataUri.fragment.x25519"
      })
    })
  )

  it.effect("Given bad secrets, when a wallet takes them, then each is named and none is shown", () =>
    Effect.gen(function* () {
      const wallet = yield* Effect.provide(signer, Live)
      const good = yield* SealingNode.generateKey
      const short = Redacted.make(new Uint8Array(31).fill(9))
      for (const { publicKey, withKeys } of [SealingNode, SealingWeb]) {
        expect(yield* Effect.flip(withKeys(wallet, []))).toMatchObject({ field: "secrets" })
        expect(
          yield* Effect.flip(
            withKeys(
              wallet,
              Array.from({ length: 17 }, () => good)
            )
          )
        ).toMatchObject({
          field: "secrets"
        })
        expect(yield* Effect.flip(withKeys(wallet, [good, short]))).toMatchObject({ field: "secrets[1]" })
        expect(yield* Effect.flip(publicKey(short))).toMatchObject({ field: "secret" })
      }
    })
  )
})
