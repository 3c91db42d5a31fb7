import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as RpcPool from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as FakeNode from "../../support/fakeNode.js"
import { over, send } from "../../support/sends.js"

const amounts = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index + 1))

const settle = Effect.repeatN(Effect.yieldNow(), 500)

describe("Transactions: blockhashes", () => {
  it.effect(
    "Given many signers at once, When the cache is cold, Then one fetch serves them for its time to live",
    () => {
      const node = FakeNode.make()
      node.onSend = node.land
      return Effect.gen(function* () {
        yield* Effect.forEach(amounts(20), (amount) => send(amount), { concurrency: "unbounded" })
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(1)
        yield* TestClock.adjust("4 seconds")
        yield* send(21n)
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(1)
        yield* TestClock.adjust("6 seconds")
        yield* send(22n)
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(2)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given an ageing blockhash, When a transaction is signed, Then the next one is fetched without a wait",
    () => {
      let fetches = 0
      const node = FakeNode.make({
        getLatestBlockhash: () =>
          ++fetches > 1
            ? Effect.never
            : Effect.succeed({ slot: 1n, value: { blockhash: FakeNode.blockhashOf(9), lastValidBlockHeight: 200n } })
      })
      node.onSend = node.land
      return Effect.gen(function* () {
        yield* send(1n)
        yield* TestClock.adjust("6 seconds")
        yield* send(2n)
        yield* send(3n)
        expect(fetches).toBe(2)
      }).pipe(over(node))
    }
  )

  it.effect("Given a fetch with several waiters, When the first is interrupted, Then the others get its answer", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<void>()
      const node = FakeNode.make({
        getLatestBlockhash: () =>
          Effect.as(Deferred.await(answer), {
            slot: 1n,
            value: { blockhash: FakeNode.blockhashOf(9), lastValidBlockHeight: 200n }
          })
      })
      node.onSend = node.land
      yield* Effect.gen(function* () {
        const first = yield* Effect.fork(send(1n))
        yield* settle
        const second = yield* Effect.fork(send(2n))
        yield* settle
        yield* Fiber.interrupt(first)
        yield* Deferred.succeed(answer, undefined)
        expect(yield* Fiber.join(second)).toMatchObject({ slot: 100n })
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(1)
      }).pipe(over(node))
    })
  )

  it.effect("Given a fetch that fails, When the next one signs, Then it fetches again", () => {
    const unreachable = new RpcError({ reason: "Transport", method: "getLatestBlockhash", detail: "refused" })
    const node = FakeNode.make({ getLatestBlockhash: () => Effect.fail(unreachable) })
    return Effect.gen(function* () {
      expect(yield* Effect.flip(send(1n))).toMatchObject({ _tag: "RpcError", reason: "Transport" })
      expect(yield* Effect.flip(send(1n))).toMatchObject({ _tag: "RpcError" })
      expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(2)
    }).pipe(over(node))
  })

  it.effect(
    "Given a node that does not find the blockhash, When a transaction is sent, Then its bytes are resent until they land",
    () => {
      let known = false
      const data = { err: "BlockhashNotFound", logs: [] }
      const unknown = new RpcError({
        reason: "Node",
        method: "sendTransaction",
        code: -32002,
        detail: "not found",
        data
      })
      const node = FakeNode.make({
        sendTransaction: (wire) =>
          Effect.suspend(() => {
            const signature = FakeNode.signatureOf(wire)
            if (!known) return Effect.fail(unknown)
            node.land(signature)
            return Effect.succeed(signature)
          })
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send(1n, { retryExpired: 3 }))
        yield* TestClock.adjust("5 seconds")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        ;[known, node.blockhash] = [true, 2]
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(1)
        // The next one does not bear it.
        yield* send(2n)
        expect(yield* RpcPool.calls("getLatestBlockhash")).toBe(2)
      }).pipe(over(node))
    }
  )
})
