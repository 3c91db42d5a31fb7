import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Pod from "../../layers/Pod.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as Channel from "../../services/Channel.js"
import { PayloadStore, PayloadStoreError } from "../../services/PayloadStore.js"
import { RpcPool } from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as SealedChannel from "../../services/SealedChannel.js"
import { Sealing } from "../../services/Sealing.js"
import type { Service as Wallet } from "../../services/Wallet.js"
import * as SealedBroadcast from "../../src/protocol/SealedBroadcast.js"
import { as, registered } from "../support/agents.js"

const Live = SealedChannel.layer.pipe(Layer.provideMerge(SealingNode.layer), Layer.provideMerge(Pod.layerTest))

/** The program takes one broadcast of an agent in a second. */
const nextSecond = TestClock.adjust("1 second")

/** A channel of its creator and two participants. */
const channelOfThree = Effect.gen(function* () {
  const channels = yield* Channel.Channel
  const [ada, bo, cy] = yield* Effect.all([registered, registered, registered])
  const { address } = yield* channels.create({ name: "secrets" }).pipe(as(ada.wallet))
  for (const { wallet } of [bo, cy]) yield* channels.join(address).pipe(as(wallet))
  return { channels, channel: address, ada: ada.wallet, bo: bo.wallet, cy: cy.wallet }
})

/** What a wallet reads of a channel: texts, and the reasons of what does not open. */
const readBy = (wallet: Wallet, channel: Address) =>
  Effect.gen(function* () {
    const sealed = yield* SealedChannel.SealedChannel
    const all = yield* Stream.runCollect(sealed.messages(channel)).pipe(as(wallet))
    return Array.from(all, ({ content }) =>
      Either.match(content, {
        onLeft: (error) => ("reason" in error ? error.reason : error._tag),
        onRight: (text) => text
      })
    )
  })

describe("SealedChannel", () => {
  it.effect(
    "Given agents that leave and join, when epochs change, then each reads only the epochs of its membership",
    () =>
      Effect.gen(function* () {
        const { ada, bo, channel, channels, cy } = yield* channelOfThree
        const sealed = yield* SealedChannel.SealedChannel
        const rotate = Effect.zipRight(nextSecond, sealed.rotate(channel).pipe(as(ada)))
        const say = (wallet: Wallet, content: string) =>
          Effect.zipRight(nextSecond, sealed.broadcast(channel, { content }).pipe(as(wallet)))

        expect(yield* Effect.flip(say(bo, "too early"))).toMatchObject({ reason: "NoEpoch", isRetryable: true })
        const first = yield* rotate
        expect(first.epoch).toBe(1)
        expect(new Set(first.holders)).toEqual(new Set([ada.address, bo.address, cy.address]))
        expect(yield* rotate).toEqual(first)
        const { address } = yield* say(bo, "one <script>\u0000 onload=eval(")
        yield* say(cy, "two")

        yield* channels.leave(channel).pipe(as(cy))
        expect(yield* Effect.flip(say(ada, "not for cy"))).toMatchObject({ reason: "Outdated", isRetryable: true })
        expect((yield* rotate).epoch).toBe(2)
        yield* say(ada, "three")

        const { wallet: di } = yield* registered
        yield* channels.join(channel).pipe(as(di))
        // Who holds the key is still in the channel, so a broadcast need not wait for the creator.
        yield* say(bo, "four")
        expect((yield* rotate).epoch).toBe(3)
        yield* say(di, "five")
        // Messages of the same second are listed by address: each gets a second of its own.
        yield* nextSecond
        yield* channels.broadcast(channel, { content: "in the open" }).pipe(as(bo), Effect.zipLeft(nextSecond))

        const texts = ["one <script>\u0000 onload=eval(", "two", "three", "four", "five", "in the open"]
        expect(yield* readBy(ada, channel)).toEqual(texts)
        expect(yield* readBy(bo, channel)).toEqual(texts)
        const left = "NotHolder"
        expect(yield* readBy(cy, channel)).toEqual([...texts.slice(0, 2), left, left, left, "in the open"])
        expect(yield* readBy(di, channel)).toEqual([left, left, left, left, "five", "in the open"])

        const onChain = yield* Stream.runCollect(channels.messages(channel))
        expect(JSON.stringify(Chunk.toReadonlyArray(onChain).map(({ account }) => account.content))).not.toMatch(
          /two|three|four|five/
        )
        const message = Chunk.unsafeHead(Chunk.filter(onChain, (message) => message.address === address))
        expect(yield* sealed.open(message).pipe(as(cy))).toBe(texts[0])
        const { unseal: _, ...signer } = di
        yield* sealed.rotate(channel, { force: true }).pipe(as(ada), Effect.zipLeft(nextSecond))
        expect(yield* Effect.flip(say(signer, "x"))).toMatchObject({ _tag: "SealedError", reason: "CannotUnseal" })
      }).pipe(Effect.provide(Live))
  )

  it.effect("Given forged epochs, wraps and copies, when they are read, then none opens and none counts", () =>
    Effect.gen(function* () {
      const { ada, bo, channel, channels, cy } = yield* channelOfThree
      const sealed = yield* SealedChannel.SealedChannel
      const store = yield* PayloadStore
      const sealing = yield* Sealing
      yield* sealed.rotate(channel).pipe(as(ada))
      yield* nextSecond
      expect(yield* Effect.flip(sealed.rotate(channel).pipe(as(cy)))).toMatchObject({ reason: "NotCreator" })

      // cy wraps a key of its own to all, and announces it as epoch 2: at an address that is not the creator's.
      const secret = new Uint8Array(32).fill(7)
      const forged = yield* Effect.forEach([ada, bo, cy], ({ address: participant }) =>
        Effect.map(sealing.seal(participant, new Uint8Array(1), secret), (of) => ({
          ...of,
          participant,
          keyKind: "wallet" as const
        }))
      )
      const hash = yield* store.put(SealedBroadcast.encodePackage({ epoch: 2, wraps: forged }))
      const content = SealedBroadcast.announcement(hash)
      const nonce = SealedBroadcast.announcementNonce(channel, 2)
      yield* channels.broadcast(channel, { content, nonce }).pipe(as(cy))
      yield* nextSecond
      const { address } = yield* sealed.broadcast(channel, { content: "real", id: "1" }).pipe(as(bo))
      expect((yield* sealed.broadcast(channel, { content: "again", id: "1" }).pipe(as(bo))).address).toBe(address)
      yield* nextSecond

      // cy sends what bo sealed once more, and sealed texts that are damaged.
      const [real] = yield* Effect.map(Stream.runCollect(channels.messages(channel)), (all) =>
        Chunk.toReadonlyArray(all).filter((message) => message.address === address)
      )
      const copy = real?.account.content ?? ""
      const flipped = `${copy.slice(0, -2)}${copy.endsWith("AA") ? "BB" : "AA"}`
      const epoch9 = SealedBroadcast.encode({ epoch: 9, sealed: Uint8Array.from({ length: 60 }, (_, at) => at * 7) })
      for (const content of [copy, flipped, epoch9, "PoD2.!!", "PoD2.AAAA", "PoD2kAAAA"]) {
        yield* channels.broadcast(channel, { content }).pipe(as(cy))
        yield* nextSecond
      }
      const read = yield* readBy(ada, channel)
      expect(read[0]).toBe("real")
      expect(read.slice(1)).toEqual([
        "Rejected",
        expect.stringMatching(/Rejected|Malformed/),
        "AccountNotFound",
        "Malformed",
        "Malformed",
        "Malformed"
      ])

      // The creator's own epoch 2, with wraps that were made for another epoch, and a package that is none.
      const announce = (bytes: Uint8Array, epoch: number) =>
        Effect.gen(function* () {
          const content = SealedBroadcast.announcement(yield* store.put(bytes))
          const nonce = SealedBroadcast.announcementNonce(channel, epoch)
          yield* channels.broadcast(channel, { content, nonce }).pipe(as(ada))
          yield* nextSecond
          return yield* Effect.flip(sealed.broadcast(channel, { content: "x" }).pipe(as(bo)))
        })
      expect(yield* announce(SealedBroadcast.encodePackage({ epoch: 2, wraps: forged }), 2)).toMatchObject({
        reason: "Rejected"
      })
      expect(yield* announce(new Uint8Array(8 + 1001 * 113), 3)).toMatchObject({ reason: "Malformed" })
      expect((yield* sealed.rotate(channel).pipe(as(ada))).epoch).toBe(4)
      yield* nextSecond
      yield* sealed.broadcast(channel, { content: "healed" }).pipe(as(bo))
      expect((yield* readBy(cy, channel)).at(-1)).toBe("healed")
    }).pipe(Effect.provide(Live))
  )

  it.effect("Given lengths, when they are broadcast, then the longest fit and a byte more is InvalidInput", () =>
    Effect.gen(function* () {
      const { ada, bo, channel } = yield* channelOfThree
      const sealed = yield* SealedChannel.SealedChannel
      yield* sealed.rotate(channel).pipe(as(ada))
      yield* nextSecond
      const content = "é".repeat(SealedBroadcast.MAX_CONTENT_BYTES / 2)
      const { address } = yield* sealed.broadcast(channel, { content }).pipe(as(bo))
      yield* nextSecond
      const reply = "x".repeat(SealedBroadcast.MAX_REPLY_BYTES)
      yield* sealed.broadcast(channel, { content: reply, replyTo: address }).pipe(as(bo))
      yield* nextSecond
      yield* sealed.broadcast(channel, { content: "" }).pipe(as(bo))
      expect(yield* readBy(ada, channel)).toEqual([content, reply, ""])
      for (const input of [
        { content: `${content}x` },
        { content: `${reply}x`, replyTo: address },
        { content: "\ud800" }
      ]) {
        const error = yield* Effect.flip(sealed.broadcast(channel, input).pipe(as(bo)))
        expect(error).toMatchObject({ _tag: "InvalidInput", field: "content" })
      }
    }).pipe(Effect.provide(Live))
  )

  it.effect("Given an epoch that cannot be read now, when the creator rotates, then it fails and makes no epoch", () =>
    Effect.gen(function* () {
      const { ada, channel } = yield* channelOfThree
      const sealed = yield* SealedChannel.SealedChannel
      const first = yield* sealed.rotate(channel).pipe(as(ada))
      yield* nextSecond
      const [pool, store] = [yield* RpcPool, yield* PayloadStore]
      const announcement = yield* SealedBroadcast.announcementAddress(channel, ada.address, 1)
      let isDown = true
      const late = new RpcError({ reason: "Timeout", method: "getAccountInfo", detail: "no reply" })
      const unavailable = new PayloadStoreError({ reason: "Unavailable", hash: "", detail: "no reply" })
      const getAccountInfo: typeof pool.getAccountInfo = (address, options) =>
        isDown && address === announcement && options === undefined
          ? Effect.fail(late)
          : pool.getAccountInfo(address, options)
      const get: typeof store.get = (hash) => (isDown ? Effect.fail(unavailable) : store.get(hash))
      const built = Layer.build(Layer.fresh(SealedChannel.layer))
      for (const [building, error] of [
        [Effect.provideService(built, RpcPool, { ...pool, getAccountInfo }), late],
        [Effect.provideService(built, PayloadStore, { ...store, get }), unavailable]
      ] as const) {
        const other = Context.get(yield* building, SealedChannel.SealedChannel)
        isDown = true
        expect(yield* Effect.flip(other.rotate(channel).pipe(as(ada)))).toBe(error)
        isDown = false
        expect(yield* other.rotate(channel).pipe(as(ada))).toEqual(first)
      }
    }).pipe(Effect.scoped, Effect.provide(Live))
  )

  it.effect(
    "Given an endpoint that reports an epoch that does not exist, when it is honest again, then the epoch is forgotten",
    () =>
      Effect.gen(function* () {
        const { ada, bo, channel } = yield* channelOfThree
        const sealed = yield* SealedChannel.SealedChannel
        yield* sealed.rotate(channel).pipe(as(ada), Effect.zipLeft(nextSecond))
        const pool = yield* RpcPool
        const [first, second] = yield* Effect.all(
          [1, 2].map((epoch) => SealedBroadcast.announcementAddress(channel, ada.address, epoch))
        )
        let isLying = true
        const getAccountInfo: typeof pool.getAccountInfo = (address, options) =>
          pool.getAccountInfo(
            isLying && address === second && options !== undefined ? (first ?? address) : address,
            options
          )
        const layer = Layer.provide(
          Layer.fresh(SealedChannel.layer),
          Layer.succeed(RpcPool, { ...pool, getAccountInfo })
        )
        const other = Context.get(yield* Layer.build(layer), SealedChannel.SealedChannel)
        const say = other.broadcast(channel, { content: "hello" }).pipe(as(bo))
        expect(yield* Effect.flip(say)).toMatchObject({ _tag: "AccountNotFound", address: second })
        for (const force of [false, true]) {
          const error = yield* Effect.flip(other.rotate(channel, { force }).pipe(as(ada)))
          expect(error).toMatchObject({ _tag: "AccountNotFound", address: second })
        }
        isLying = false
        yield* say
        expect(yield* other.rotate(channel).pipe(as(ada))).toMatchObject({ epoch: 1 })
      }).pipe(Effect.scoped, Effect.provide(Live))
  )

  it.effect("Given a creator in two processes, when both rotate at once, then there is one epoch", () =>
    Effect.gen(function* () {
      const { ada, bo, channel } = yield* channelOfThree
      const other = yield* Layer.build(Layer.fresh(SealedChannel.layer))
      const both = [SealedChannel.SealedChannel, Effect.provide(SealedChannel.SealedChannel, other)]
      const services = yield* Effect.all(both)
      const made = yield* Effect.forEach(services, ({ rotate }) => rotate(channel).pipe(as(ada)), {
        concurrency: "unbounded"
      })
      expect(made.map(({ epoch }) => epoch)).toEqual([1, 1])
      yield* nextSecond
      const [sealed] = services
      yield* sealed?.broadcast(channel, { content: "one key" }).pipe(as(bo)) ?? Effect.die("no service")
      for (const { messages } of services) {
        const all = yield* Stream.runCollect(messages(channel)).pipe(as(ada))
        expect(Array.from(all, ({ content }) => content)).toEqual([Either.right("one key")])
      }
    }).pipe(Effect.scoped, Effect.provide(Live))
  )
})
