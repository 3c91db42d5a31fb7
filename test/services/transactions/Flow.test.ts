import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as Metrics from "../../../services/Metrics.js"
import { SubscriptionError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as FakeNode from "../../support/fakeNode.js"
import { over, send, sentSignatures, sign } from "../../support/sends.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const amounts = (count: number) => Array.from({ length: count }, (_, index) => BigInt(index + 1))

const settle = Effect.repeatN(Effect.yieldNow(), 500)

describe("Transactions: watching", () => {
  it.effect("Given 300 signatures in flight, When they are looked up, Then two calls ask for 256 and 44", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.forEach(amounts(300), (amount) => send(amount), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("2 seconds")
      node.statusCalls.length = 0
      yield* TestClock.adjust("400 millis")
      expect(node.statusCalls.map(({ signatures }) => signatures.length)).toStrictEqual([256, 44])
      for (const signature of sentSignatures(node)) node.land(signature)
      yield* TestClock.adjust("400 millis")
      expect(yield* Fiber.join(fiber)).toHaveLength(300)
      expect(node.statusCalls).toHaveLength(4)
    }).pipe(over(node))
  })

  it.effect("Given a cluster that answers at once, When many are sent, Then no time has to pass", () => {
    const node = FakeNode.make()
    node.onSend = node.land
    return Effect.gen(function* () {
      const receipts = yield* Effect.forEach(amounts(100), (amount) => send(amount), { concurrency: 30 })
      expect(new Set(receipts.map(({ signature }) => signature)).size).toBe(100)
    }).pipe(over(node))
  })

  it.effect(
    "Given submissions that end one after another, When all have ended, Then one look-up serves them at once",
    () => {
      const answered = amounts(20).map(() => Effect.runSync(Deferred.make<void>()))
      let next = 0
      const node = FakeNode.make({
        sendTransaction: (wire) =>
          Effect.suspend(() => {
            const signature = FakeNode.signatureOf(wire)
            node.land(signature)
            return Effect.as(Deferred.await(answered[next++] ?? Effect.runSync(Deferred.make<void>())), signature)
          })
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(
          Effect.forEach(amounts(20), (amount) => send(amount), { concurrency: "unbounded" })
        )
        yield* settle
        for (const one of answered) {
          yield* Deferred.succeed(one, undefined)
          yield* Effect.repeatN(Effect.yieldNow(), 5)
        }
        expect(yield* Fiber.join(fiber)).toHaveLength(20)
        expect(node.statusCalls).toHaveLength(1)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a submission that hangs, When the poll interval has passed, Then another signature is looked up",
    () => {
      let calls = 0
      const node = FakeNode.make({
        sendTransaction: (wire) =>
          Effect.suspend(() => {
            const signature = FakeNode.signatureOf(wire)
            node.land(signature)
            return calls++ === 0 ? Effect.never : Effect.as(Effect.yieldNow(), signature)
          })
      })
      return Effect.gen(function* () {
        yield* Effect.fork(send(1n))
        yield* settle
        const other = yield* Effect.fork(send(2n))
        yield* settle
        expect(node.statusCalls).toHaveLength(0)
        yield* TestClock.adjust("400 millis")
        expect(yield* Fiber.join(other)).toMatchObject({ slot: 100n })
      }).pipe(over(node))
    }
  )

  it.effect("Given nothing in flight, When time passes, Then the node is not asked", () => {
    const node = FakeNode.make()
    node.onSend = node.land
    return Effect.gen(function* () {
      yield* send(1n)
      const calls = node.statusCalls.length
      yield* TestClock.adjust("1 hour")
      expect(node.statusCalls).toHaveLength(calls)
    }).pipe(over(node))
  })

  it.effect(
    "Given only old signatures in flight, When time passes, Then look-ups become rarer, until a new send",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        yield* Effect.fork(send(1n))
        yield* TestClock.adjust("30 seconds")
        node.statusCalls.length = 0
        yield* TestClock.adjust("20 seconds")
        expect(node.statusCalls).toHaveLength(10)
        yield* Effect.fork(send(2n))
        yield* settle
        yield* TestClock.adjust("400 millis")
        expect(node.statusCalls.at(-1)?.signatures).toHaveLength(2)
        yield* TestClock.adjust("2 seconds")
        expect(node.statusCalls.length).toBeGreaterThanOrEqual(16)
      }).pipe(over(node))
    }
  )

  it.effect("Given a subscription to signatures, When the node notifies one, Then it is looked up at once", () => {
    const told = Effect.runSync(Deferred.make<void>())
    const node = FakeNode.make({
      signatureSubscribe: () => Stream.fromEffect(Effect.as(Deferred.await(told), { slot: 100n, value: { err: null } }))
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send(1n))
      yield* TestClock.adjust("30 seconds")
      for (const signature of sentSignatures(node)) node.land(signature)
      yield* Deferred.succeed(told, undefined)
      expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
    }).pipe(over(node, { subscribe: true }))
  })

  it.effect("Given subscriptions that fail, When a transaction is sent, Then polling gives the receipt", () => {
    const lost = new SubscriptionError({ reason: "Closed", method: "signatureSubscribe", detail: "lost" })
    const node = FakeNode.make({ signatureSubscribe: () => Stream.fail(lost) })
    node.onSend = node.land
    return Effect.gen(function* () {
      expect(yield* send(1n)).toMatchObject({ slot: 100n })
    }).pipe(over(node, { subscribe: true }))
  })

  it.effect("Given a wait that is interrupted, When time passes, Then its signature is not asked for any more", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const [first, second] = [yield* Effect.fork(send(1n)), yield* Effect.fork(send(2n))]
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      node.statusCalls.length = 0
      yield* TestClock.adjust("1 second")
      const [, secondSignature] = sentSignatures(node)
      expect(
        node.statusCalls.every(({ signatures }) => signatures.length === 1 && signatures[0] === secondSignature)
      ).toBe(true)
      yield* Fiber.interrupt(second)
      node.statusCalls.length = 0
      yield* TestClock.adjust("1 hour")
      expect(node.statusCalls).toHaveLength(0)
      node.onSend = node.land
      expect(yield* send(3n)).toMatchObject({ slot: 100n })
    }).pipe(over(node))
  })

  it.effect("Given a look-up in flight, When the last waiter is interrupted, Then the look-up is interrupted", () => {
    let aborted = 0
    const node = FakeNode.make({
      getSignatureStatuses: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => aborted++))
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send(1n))
      yield* settle
      yield* Fiber.interrupt(fiber)
      expect(aborted).toBe(1)
    }).pipe(over(node))
  })

  it.effect("Given a look-up that hangs, When the deadline comes, Then the caller is answered", () => {
    const node = FakeNode.make({ getSignatureStatuses: () => Effect.never })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send(1n)))
      yield* TestClock.adjust("2 minutes")
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed" })
    }).pipe(over(node))
  })

  it.effect("Given a pool with a defect, When a look-up dies, Then the waiter dies instead of waiting for ever", () => {
    const node = FakeNode.make({ getSignatureStatuses: () => Effect.dieMessage("broken") })
    return Effect.gen(function* () {
      const exit = yield* Effect.exit(send(1n))
      expect(String(exit)).toContain("broken")
    }).pipe(over(node))
  })

  it.effect(
    "Given a pool that closes, When a look-up is interrupted with it, Then the waiter is interrupted too",
    () => {
      const node = FakeNode.make({ getSignatureStatuses: () => Effect.interrupt })
      return Effect.gen(function* () {
        expect(Exit.isInterrupted(yield* Effect.exit(send(1n)))).toBe(true)
      }).pipe(over(node))
    }
  )

  it.effect("Given waiters, When the service's scope closes, Then they are interrupted", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.provide(Transactions.layer(), node.layer), scope)
      const fiber = yield* Effect.fork(Effect.provide(send(1n), context))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
    })
  })

  it.effect("Given a closed service, When a transaction is sent, Then the error says that it was not sent", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.provide(Transactions.layer(), node.layer), scope)
      const transactions = yield* Effect.provide(Transactions.Transactions, context)
      const wallet = yield* walletOf(53)
      const signed = yield* transactions
        .sign([transfer(wallet.address, STRANGER, 1n)])
        .pipe(Effect.provideService(Wallet, wallet))
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(transactions.submit(signed))
      expect(error).toMatchObject({ reason: "Unsent", isRetryable: true, signed })
      expect(error).not.toHaveProperty("mayHaveLanded", true)
      expect(node.sent).toHaveLength(0)
    })
  })

  it.effect("Given a closed service, When a sent transaction is resumed or watched, Then its outcome is open", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const signed = yield* sign
      const closed = yield* Effect.scoped(Layer.build(Layer.provide(Transactions.layer(), node.layer)))
      const { resume, watch } = Context.get(closed, Transactions.Transactions)
      for (const call of [resume(signed), watch(signed)]) {
        const error = yield* Effect.flip(call)
        expect(error).toMatchObject({ reason: "Unconfirmed", isRetryable: false, mayHaveLanded: true, signed })
      }
    }).pipe(over(node))
  })

  it.effect(
    "Given a look-up that delays the close, When a transaction is sent meanwhile, Then it is Unsent at once",
    () =>
      Effect.gen(function* () {
        const answer = yield* Deferred.make<void>()
        const node = FakeNode.make({
          // As a request that cannot be aborted.
          getSignatureStatuses: () => Effect.uninterruptible(Deferred.await(answer)).pipe(Effect.zipRight(Effect.never))
        })
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(Layer.provide(Transactions.layer(), node.layer), scope)
        const { sign, submit } = yield* Effect.provide(Transactions.Transactions, context)
        const wallet = yield* walletOf(54)
        const signedOf = (amount: bigint) =>
          sign([transfer(wallet.address, STRANGER, amount)]).pipe(Effect.provideService(Wallet, wallet))
        const first = yield* signedOf(1n)
        const second = yield* signedOf(2n)
        const waiting = yield* Effect.fork(submit(first))
        yield* settle
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* settle
        expect(yield* Effect.flip(submit(second))).toMatchObject({ reason: "Unsent" })
        yield* Deferred.succeed(answer, undefined)
        yield* Fiber.join(closing)
        expect(Exit.isInterrupted(yield* Fiber.await(waiting))).toBe(true)
        expect(node.sent).toHaveLength(1)
      })
  )

  it.effect(
    "Given two callers that submit the same bytes, When the transaction lands, Then both have the receipt",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const transactions = yield* Transactions.Transactions
        const wallet = yield* walletOf(52)
        const signed = yield* transactions
          .sign([transfer(wallet.address, STRANGER, 1n)])
          .pipe(Effect.provideService(Wallet, wallet))
        const fiber = yield* Effect.fork(Effect.replicateEffect(transactions.submit(signed), 2, { concurrency: 2 }))
        yield* settle
        node.land(signed.signature)
        yield* TestClock.adjust("400 millis")
        const [first, second] = yield* Fiber.join(fiber)
        expect(first).toStrictEqual(second)
      }).pipe(over(node))
    }
  )
})

describe("Transactions: what can be seen", () => {
  it.effect(
    "Given a tracer, When instructions are sent, Then its span and that of its confirmation have the signature and no key",
    () => {
      const node = FakeNode.make()
      node.onSend = node.land
      const spans: Array<Tracer.Span> = []
      const tracer = Effect.map(Effect.tracer, (tracer) =>
        Tracer.make({
          context: tracer.context,
          span: (...args) => {
            const span = tracer.span(...args)
            spans.push(span)
            return span
          }
        })
      )
      return Effect.gen(function* () {
        const { signature } = yield* Effect.withTracer(send(1n), yield* tracer)
        expect(spans.map(({ name }) => name)).toStrictEqual(["Transactions.send", "Transactions.confirm"])
        const attributes = Object.fromEntries(spans[0]?.attributes ?? [])
        expect(attributes).toStrictEqual({ "solana.instructions": 1, "solana.signature": signature })
      }).pipe(over(node))
    }
  )

  it.effect("Given the counter of outcomes, When a transaction is sent, Then its outcome is counted", () => {
    const node = FakeNode.make()
    node.onSend = node.land
    return Effect.gen(function* () {
      const confirmed = Metric.tagged(Metrics.transactions, "outcome", "confirmed")
      const before = yield* Metric.value(confirmed)
      yield* send(1n)
      expect((yield* Metric.value(confirmed)).count).toBeGreaterThan(before.count)
    }).pipe(over(node))
  })
})

describe("Transactions: bounds", () => {
  it.effect(
    "Given two permits, When five transactions are sent, Then two are in flight and the rest follow in order",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fibers = yield* Effect.forEach(amounts(5), (amount) => Effect.zipLeft(Effect.fork(send(amount)), settle))
        expect(node.sent).toHaveLength(2)
        for (let landed = 0; landed < 5; landed++) {
          const signature = sentSignatures(node)[landed]
          if (signature !== undefined) node.land(signature)
          yield* TestClock.adjust("1 second")
          const done = yield* Effect.forEach(fibers, Fiber.poll)
          expect(done.map(Option.isSome)).toStrictEqual(amounts(5).map((amount) => amount <= landed + 1))
        }
      }).pipe(over(node, { maxInFlight: 2 }))
    }
  )
})
