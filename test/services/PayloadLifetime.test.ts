import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Message from "../../services/Message.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Transactions from "../../services/Transactions.js"
import * as Wallet from "../../services/Wallet.js"
import * as FakeNode from "../support/fakeNode.js"
import { walletOf } from "../support/transfers.js"

/** A store of which the test sees the keys. */
const storeOf = (kept: Map<string, Uint8Array>, set?: Effect.Effect<void>) =>
  PayloadStore.make({
    set: (key, bytes) =>
      Effect.zipRight(
        set ?? Effect.void,
        Effect.sync(() => void kept.set(key, bytes))
      ),
    get: (key) => Effect.sync(() => Option.fromNullable(kept.get(key))),
    has: (key) => Effect.sync(() => kept.has(key)),
    remove: (key) => Effect.sync(() => void kept.delete(key))
  })

const refuse = () => Effect.fail(new Wallet.WalletError({ reason: "Refused", detail: "no" }))

const refusal = new RpcError({
  reason: "Node",
  method: "sendTransaction",
  code: -32002,
  detail: "simulation failed",
  data: { err: { InstructionError: [0, { Custom: 6010 }] }, logs: [] }
})

/** A node that refuses every transaction, and of which the test decides whether it forwarded it. */
const refusing = () => {
  const wires: Array<Uint8Array> = []
  const node = FakeNode.make({
    sendTransaction: (wire) =>
      Effect.suspend(() => {
        wires.push(wire)
        return Effect.fail(refusal)
      })
  })
  return { node, wires }
}

const using = (node: FakeNode.FakeNode, store: PayloadStore.Service) =>
  Effect.provide(
    Message.layer.pipe(
      Layer.provide(Layer.succeed(PayloadStore.PayloadStore, store)),
      Layer.provide(Layer.provideMerge(Transactions.layer(), node.layer))
    )
  )

type Input = Omit<Message.SendInput, "recipient" | "payload">

const sendBy = (wallet: Wallet.Service, input: Input = {}, options?: Transactions.SendOptions) =>
  Effect.flatMap(Effect.all([Message.Message, walletOf(82)]), ([messages, { address: recipient }]) =>
    messages.send({ recipient, payload: "x", ...input }, options)
  ).pipe(Effect.provideService(Wallet.Wallet, wallet))

const send = (input?: Input, options?: Transactions.SendOptions) =>
  Effect.flatMap(walletOf(81), (wallet) => sendBy(wallet, input, options))

const sendAll = Effect.gen(function* () {
  const messages = yield* Message.Message
  const { address: recipient } = yield* walletOf(82)
  const outcomes = yield* messages.sendAll([{ recipient, payload: "a" }])
  return yield* Option.getOrThrow(Arr.head(outcomes)) satisfies Either.Either<unknown, unknown>
}).pipe(Effect.provideServiceEffect(Wallet.Wallet, walletOf(81)))

/** The blockhash is over, and time has passed for that. */
const expire = (node: FakeNode.FakeNode) =>
  Effect.gen(function* () {
    node.slot += 300n
    node.blockHeight += 300n
    yield* TestClock.adjust("2 minutes")
    yield* TestClock.adjust("2 minutes")
  })

describe("the payload of a send that failed", () => {
  for (const [name, sending] of Object.entries({ send: send(), sendAll })) {
    it.effect(`Given a refusal, When ${name} fails, Then its payload goes when it cannot land any more`, () => {
      const kept = new Map<string, Uint8Array>()
      const { node } = refusing()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(sending))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ mayHaveLanded: true })
        expect(kept.size).toBe(1)
        yield* TestClock.adjust("80 seconds")
        expect(kept.size).toBe(1)
        yield* expire(node)
        expect(kept.size).toBe(0)
      }).pipe(using(node, storeOf(kept)))
    })

    it.effect(`Given a refusal of what was forwarded, When ${name} fails, Then its payload stays`, () => {
      const kept = new Map<string, Uint8Array>()
      const { node, wires } = refusing()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(sending))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        for (const wire of wires) node.land(FakeNode.signatureOf(wire))
        yield* expire(node)
        expect(kept.size).toBe(1)
      }).pipe(using(node, storeOf(kept)))
    })
  }

  it.effect("Given a deadline, When the outcome is not known by then, Then the payload goes when it is Expired", () => {
    const kept = new Map<string, Uint8Array>()
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send({}, { timeout: "2 seconds" })))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed" })
      expect(kept.size).toBe(1)
      const sent = node.sent.length
      yield* expire(node)
      expect(kept.size).toBe(0)
      // It is watched, and not sent again.
      expect(node.sent.length).toBe(sent)
    }).pipe(using(node, storeOf(kept)))
  })

  it.effect("Given ids and bare bytes, When a send fails, Then their payloads stay: another send may need them", () => {
    const kept = new Map<string, Uint8Array>()
    const { node } = refusing()
    return Effect.gen(function* () {
      for (const input of [{ id: "named" }, { raw: true }]) {
        const fiber = yield* Effect.fork(Effect.flip(send(input, { resend: false })))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
      }
      yield* expire(node)
      expect(kept.size).toBe(2)
    }).pipe(using(node, storeOf(kept)))
  })

  it.effect("Given a wallet that refuses, When nothing was signed, Then the payload goes at once", () => {
    const kept = new Map<string, Uint8Array>()
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { address } = yield* walletOf(81)
      yield* Effect.flip(sendBy({ address, sign: refuse }))
      expect(kept.size).toBe(0)
    }).pipe(using(node, storeOf(kept)))
  })
})

describe("the payload of a send that is interrupted", () => {
  it.effect("Given a store that is slow, When the send is interrupted before, Then nothing stays", () => {
    const kept = new Map<string, Uint8Array>()
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const written = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(send())
        yield* TestClock.adjust("1 second")
        yield* Fiber.interruptFork(fiber)
        yield* TestClock.adjust("1 second")
        yield* Deferred.succeed(written, undefined)
        yield* TestClock.adjust("1 second")
        expect(kept.size).toBe(0)
      }).pipe(using(node, storeOf(kept, Effect.uninterruptible(Deferred.await(written)))))
    })
  })

  it.effect("Given a wallet that asks a person, When the send is interrupted meanwhile, Then the payload goes", () => {
    const kept = new Map<string, Uint8Array>()
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { address } = yield* walletOf(81)
      const fiber = yield* Effect.fork(sendBy({ address, sign: () => Effect.never }))
      yield* TestClock.adjust("1 second")
      expect(kept.size).toBe(1)
      yield* Fiber.interrupt(fiber)
      expect(kept.size).toBe(0)
    }).pipe(using(node, storeOf(kept)))
  })

  for (const [name, sending] of Object.entries({ send: send(), sendAll })) {
    it.effect(`Given bytes on their way, When ${name} is interrupted, Then the payload goes if they expire`, () => {
      const kept = new Map<string, Uint8Array>()
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(sending)
        yield* TestClock.adjust("1 second")
        expect(node.sent.length).toBe(1)
        yield* Fiber.interrupt(fiber)
        expect(kept.size).toBe(1)
        yield* expire(node)
        expect(kept.size).toBe(0)
      }).pipe(using(node, storeOf(kept)))
    })

    it.effect(`Given bytes on their way, When ${name} is interrupted and they land, Then the payload stays`, () => {
      const kept = new Map<string, Uint8Array>()
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(sending)
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        for (const { wire } of node.sent) node.land(FakeNode.signatureOf(wire))
        yield* expire(node)
        expect(kept.size).toBe(1)
      }).pipe(using(node, storeOf(kept)))
    })
  }
})
