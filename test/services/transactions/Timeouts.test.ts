import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../../services/Deadline.js"
import * as Message from "../../../services/Message.js"
import * as PayloadStore from "../../../services/PayloadStore.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as FakeNode from "../../support/fakeNode.js"
import { over } from "../../support/sends.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const send = (amount: bigint, options?: Transactions.SendOptions, signing?: Effect.Effect<never>) =>
  Effect.gen(function* () {
    const { send } = yield* Transactions.Transactions
    const wallet = yield* walletOf(81)
    const signer = signing === undefined ? wallet : { address: wallet.address, sign: () => signing }
    return yield* Effect.provideService(send([transfer(wallet.address, STRANGER, amount)], options), Wallet, signer)
  })

/** It ends at that time, with that failure, and not before. */
const endsAt = <A, E, R>(effect: Effect.Effect<A, E, R>, millis: number) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.flip(effect))
    yield* TestClock.adjust(millis - 1)
    assert.isTrue((yield* Fiber.poll(fiber))._tag === "None", "ended before its deadline")
    yield* TestClock.adjust(1)
    return yield* Fiber.join(fiber)
  })

const timeout = Duration.seconds(2)

describe("the timeout of a send covers all that it does", () => {
  it.effect("Given a node that gives no blockhash, When a send has 2 s, Then it fails after 2 s, not sent", () => {
    const node = FakeNode.make({ getLatestBlockhash: () => Effect.never })
    return Effect.gen(function* () {
      const error = yield* endsAt(send(1n, { timeout }), 2000)
      assert.deepInclude(error, { _tag: "RpcError", reason: "Timeout" })
      assert.include(error.message, "not sent")
      assert.strictEqual(node.sent.length, 0)
    }).pipe(over(node))
  })

  it.effect("Given an endpoint that is paused, When a send has too little time, Then it fails with the reason", () => {
    const limited = new RpcError({ reason: "RateLimited", method: "getLatestBlockhash", detail: "in 60000 ms" })
    const node = FakeNode.make({ getLatestBlockhash: () => Effect.fail(limited) })
    return Effect.gen(function* () {
      assert.strictEqual(yield* Effect.flip(send(1n, { timeout })), limited)
    }).pipe(over(node))
  })

  it.effect("Given a wallet that does not answer, When a send has 2 s, Then it fails after 2 s, not sent", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const error = yield* endsAt(send(1n, { timeout }, Effect.never), 2000)
      assert.deepInclude(error, { _tag: "RpcError", reason: "Timeout" })
      assert.strictEqual(node.sent.length, 0)
    }).pipe(over(node))
  })

  it.effect("Given a wallet that cannot be interrupted, When a send has 2 s, Then the caller is not delayed", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const error = yield* endsAt(send(1n, { timeout }, Effect.uninterruptible(Effect.never)), 2000)
      assert.deepInclude(error, { _tag: "RpcError", reason: "Timeout" })
    }).pipe(over(node))
  })

  it.effect("Given maxInFlight transactions, When another one waits, Then it fails at its own deadline", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      yield* Effect.fork(send(1n))
      yield* Effect.yieldNow()
      const error = yield* endsAt(send(2n, { timeout }), 2000)
      assert.deepInclude(error, { _tag: "RpcError", reason: "Timeout" })
      assert.strictEqual(new Set(node.sent.map(({ wire }) => FakeNode.signatureOf(wire))).size, 1)
      const [first] = node.sent
      if (first !== undefined) node.land(FakeNode.signatureOf(first.wire))
      node.onSend = (signature) => node.land(signature)
      yield* TestClock.adjust("5 seconds")
      // The place of the one that left is free.
      yield* TestClock.adjust("5 seconds")
      const third = yield* Effect.fork(send(3n, { timeout }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(third)
    }).pipe(over(node, { maxInFlight: 1 }))
  })

  it.effect(
    "Given time spent on signing, When the send waits for its outcome, Then only the remaining time is left",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const wallet = yield* walletOf(81)
        const slow = {
          address: wallet.address,
          sign: (messages: ReadonlyArray<Uint8Array>) => Effect.delay(wallet.sign(messages), "1500 millis")
        }
        const { send } = yield* Transactions.Transactions
        const sent = Effect.provideService(send([transfer(wallet.address, STRANGER, 1n)], { timeout }), Wallet, slow)
        const error = yield* endsAt(sent, 2000)
        assert.deepInclude(error, { _tag: "TransactionError", reason: "Unconfirmed" })
        assert.strictEqual(node.sent.length, 1)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a process that was suspended past the deadline, When all had landed, Then one look-up gives the receipts",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fibers = yield* Effect.forEach([1n, 2n, 3n], (amount) =>
          Effect.fork(send(amount, { timeout: "30 seconds" }))
        )
        yield* TestClock.adjust("1 second")
        for (const { wire } of node.sent) node.land(FakeNode.signatureOf(wire))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.joinAll(fibers)).length, 3)
      }).pipe(over(node))
    }
  )

  it.effect("Given a process that was suspended, When nothing had landed, Then one look-up gives the outcomes", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send(1n, { timeout: "30 seconds" })))
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("1 hour")
      assert.deepInclude(yield* Fiber.join(fiber), { _tag: "TransactionError", reason: "Unconfirmed" })
    }).pipe(over(node))
  })

  it.effect(
    "Given an earlier deadline in the context, When a send has more time, Then it ends by that deadline",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const error = yield* endsAt(Deadline.within("1 second")(send(1n, { timeout })), 1000)
        assert.deepInclude(error, { _tag: "TransactionError", reason: "Unconfirmed" })
      }).pipe(over(node))
    }
  )

  it.effect("Given a payload store that does not answer, When a message has 2 s, Then it fails after 2 s", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const wallet = yield* walletOf(81)
      const { send } = yield* Message.Message
      const sent = Effect.provideService(
        send({ recipient: wallet.address, payload: "hi" }, { timeout }),
        Wallet,
        wallet
      )
      assert.deepInclude(yield* endsAt(sent, 2000), { _tag: "RpcError", reason: "Timeout" })
      assert.strictEqual(node.sent.length, 0)
    }).pipe(
      Effect.provide(Layer.provide(Message.layer, PayloadStore.layerTest({ put: () => Effect.never }))),
      over(node)
    )
  })
})
