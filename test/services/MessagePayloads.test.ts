import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Pod from "../../layers/Pod.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import * as Envelope from "../../src/protocol/Envelope.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Addresses from "../../src/solana/Address.js"
import { as, registered } from "../support/agents.js"

const utf8 = new TextEncoder()

const two = Effect.all([registered, registered])

const first = (messages: Message.Service, wallet: Parameters<Message.Service["inbox"]>[0]) =>
  Effect.map(Stream.runCollect(messages.inbox(wallet)), Chunk.unsafeHead)

describe("Message.send with seal", () => {
  it.effect("Given a recipient, when a payload is sealed, then only the recipient's wallet reads it", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const store = yield* PayloadStore.PayloadStore
      const [ada, bo] = yield* two
      const secret = "the quick brown fox".repeat(30)
      yield* messages.send({ recipient: bo.wallet.address, payload: secret, seal: true }).pipe(as(ada.wallet))
      const message = yield* first(messages, bo.wallet.address)
      expect(yield* messages.text(message).pipe(as(bo.wallet))).toBe(secret)
      expect(yield* Effect.flip(messages.text(message))).toMatchObject({ reason: "NoWallet" })
      expect(yield* Effect.flip(messages.text(message).pipe(as(ada.wallet)))).toMatchObject({ reason: "NotRecipient" })
      const { unseal: _, ...signer } = bo.wallet
      expect(yield* Effect.flip(messages.text(message).pipe(as(signer)))).toMatchObject({ reason: "CannotUnseal" })
      const stored = yield* store.get(message.account.payloadHash)
      expect(Buffer.from(stored).includes("quick")).toBe(false)
      expect(Either.getLeft(Envelope.decode(stored))).toMatchObject({ value: { reason: "Version" } })
      expect(yield* messages.payload(message, { raw: true })).toEqual(stored)
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given sealed bytes, when another agent sends them again, then they do not open", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const store = yield* PayloadStore.PayloadStore
      const [ada, bo] = yield* two
      const eve = yield* registered
      const recipient = bo.wallet.address
      yield* messages.send({ recipient, payload: "from ada", seal: true }).pipe(as(ada.wallet))
      const stored = yield* store.get((yield* first(messages, recipient)).account.payloadHash)
      yield* messages.send({ recipient, payload: stored, raw: true }).pipe(as(eve.wallet))
      const again = yield* Effect.map(Stream.runCollect(messages.outbox(eve.wallet.address)), Chunk.unsafeHead)
      expect(yield* Effect.flip(messages.text(again).pipe(as(bo.wallet)))).toMatchObject({ reason: "Rejected" })
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given seal with raw, when sent, then it is InvalidInput and nothing is stored", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const [ada, bo] = yield* two
      const recipient = bo.wallet.address
      const sent = messages.send({ recipient, payload: "x", seal: true, raw: true }).pipe(as(ada.wallet))
      expect(yield* Effect.flip(sent)).toMatchObject({ _tag: "InvalidInput", field: "raw" })
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given a wallet that only signs, when it seals with an id, then CannotDerive, and without it is sent", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const [ada, bo] = yield* two
      const { derive: _, ...signer } = ada.wallet
      const input = { recipient: bo.wallet.address, payload: "x", seal: true }
      expect(yield* Effect.flip(messages.send({ ...input, id: "1" }).pipe(as(signer)))).toMatchObject({
        _tag: "SealedError",
        reason: "CannotDerive"
      })
      yield* messages.send(input).pipe(as(signer))
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given one id, when contents are sealed with it, then each opens and repeats are one message", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const [ada, bo] = yield* two
      const inputs = ["a", "b", "a", "b", "b"].map((payload) => ({
        recipient: bo.wallet.address,
        payload,
        id: "1",
        seal: true
      }))
      const sent = yield* messages.sendAll(inputs).pipe(as(ada.wallet))
      expect(new Set(sent.map((receipt) => Either.getOrThrow(receipt).address)).size).toBe(2)
      const all = yield* Stream.runCollect(messages.inbox(bo.wallet.address, { payloads: true })).pipe(as(bo.wallet))
      const texts = Array.from(all, ({ payload }) => Buffer.from(Either.getOrThrow(payload)).toString())
      expect(texts.toSorted()).toEqual(["a", "b"])
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given many messages, when half are sealed, then the inbox reads all", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const [ada, bo] = yield* two
      const inputs = Array.from({ length: 12 }, (_, index) => ({
        recipient: bo.wallet.address,
        payload: `message ${index}`,
        seal: index % 2 === 0
      }))
      const sent = yield* messages.sendAll(inputs).pipe(as(ada.wallet))
      expect(sent.every(Either.isRight)).toBe(true)
      const all = yield* Stream.runCollect(messages.inbox(bo.wallet.address, { payloads: true })).pipe(as(bo.wallet))
      const texts = Array.from(all, ({ payload }) => Buffer.from(Either.getOrThrow(payload)).toString())
      expect(texts.toSorted()).toEqual(inputs.map(({ payload }) => payload).toSorted())
    }).pipe(Effect.provide(Pod.layerTest))
  )
})

describe("Message.send with seal, given a recipient that nobody has a key for", () => {
  const { Point } = ed25519
  const small = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
  const mixed = Point.fromBytes(ed25519.getPublicKey(new Uint8Array(32).fill(9))).add(small)
  const recipients = {
    "a program's address": Pda.agent(Addresses.SYSTEM_PROGRAM).address,
    "the System program": Addresses.SYSTEM_PROGRAM,
    "a point of order 8": Addresses.fromBytes(small.toBytes()),
    "a key plus such a point": Addresses.fromBytes(mixed.toBytes())
  }
  /** Every operation of these services dies. */
  const Silent = Message.layer.pipe(
    Layer.provide([
      SealingNode.layer,
      PayloadStore.layerTest({}),
      RpcPool.layerTest({}),
      Transactions.layerTest({ timeoutOf: () => Duration.seconds(1) })
    ])
  )

  it.effect.each(Object.entries(recipients))(
    "Given %s, when it is sent, then it is InvalidInput before I/O",
    ([, recipient]) =>
      Effect.gen(function* () {
        const messages = yield* Message.Message
        const wallet = yield* WalletNode.generate
        const sent = messages.send({ recipient, payload: "x", seal: true }).pipe(as(wallet))
        expect(yield* Effect.flip(sent)).toMatchObject({ _tag: "InvalidInput", field: "recipient" })
      }).pipe(Effect.provide(Silent))
  )
})

describe("Message.payload of what is not there", () => {
  it.effect("Given a removed payload, when it is read, then PayloadNotFound says what is known", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const store = yield* PayloadStore.PayloadStore
      const [ada, bo] = yield* two
      const recipient = bo.wallet.address
      const { address, payloadHash } = yield* messages.send({ recipient, payload: "x" }).pipe(as(ada.wallet))
      yield* messages.send({ recipient, payload: "y" }).pipe(as(ada.wallet))
      yield* store.remove(payloadHash)
      const error = yield* Effect.flip(messages.payload(address))
      expect(error).toMatchObject({
        _tag: "PayloadNotFound",
        account: address,
        sender: ada.agent,
        recipient,
        waited: 0
      })
      expect(error.message).toContain(address)
      const all = yield* Stream.runCollect(messages.inbox(recipient, { payloads: true }))
      expect(Array.from(all, ({ payload }) => payload._tag).toSorted()).toEqual(["Left", "Right"])
    }).pipe(Effect.provide(Pod.layerTest))
  )

  it.effect("Given a payload that comes later, when it is waited for, then it is read when it is there", () =>
    Effect.gen(function* () {
      const messages = yield* Message.Message
      const store = yield* PayloadStore.PayloadStore
      const [ada, bo] = yield* two
      const { address, payloadHash } = yield* messages
        .send({ recipient: bo.wallet.address, payload: "late" })
        .pipe(as(ada.wallet))
      const message = yield* messages.get(address)
      const bytes = yield* store.get(payloadHash)
      yield* store.remove(payloadHash)
      const reading = yield* Effect.fork(messages.payload(message, { wait: "1 minute" }))
      yield* TestClock.adjust("20 seconds")
      expect(reading.unsafePoll()).toBeNull()
      yield* store.put(bytes)
      yield* TestClock.adjust("5 seconds")
      expect(reading.unsafePoll()).toEqual(Exit.succeed(utf8.encode("late")))
      yield* store.remove(payloadHash)
      const missing = yield* Effect.fork(Effect.flip(messages.payload(message, { wait: "1 minute" })))
      yield* TestClock.adjust("59 seconds")
      expect(missing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      expect(missing.unsafePoll()).toMatchObject({
        value: { _tag: "PayloadNotFound", account: address, waited: 60_000 }
      })
      expect(yield* Effect.flip(messages.payload(message, { wait: -1 }))).toMatchObject({ field: "wait" })
    }).pipe(Effect.provide(Pod.layerTest))
  )
})
