import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { RpcError } from "../../../services/RpcTransport.js"
import * as FakeNode from "../../support/fakeNode.js"
import { over, send } from "../../support/sends.js"

const failure = (fields: Partial<ConstructorParameters<typeof RpcError>[0]>) =>
  new RpcError({ reason: "Transport", method: "sendTransaction", detail: "no reply", ...fields })

const preflightFailure = (err: unknown) =>
  failure({ reason: "Node", code: -32002, detail: "it failed", data: { err, logs: [] } })

/** Fails the first sendings so, then takes them. */
const failingFirst = (...failures: ReadonlyArray<RpcError>) => {
  const waiting = [...failures]
  const node: FakeNode.FakeNode = FakeNode.make({
    sendTransaction: (wire, options) =>
      Effect.suspend(() => {
        const signature = FakeNode.signatureOf(wire)
        node.sent.push({ wire, options })
        const error = waiting.shift()
        if (error !== undefined) return Effect.fail(error)
        node.onSend(signature)
        return Effect.succeed(signature)
      })
  })
  return node
}

/** A node that knows no signature, at the slots that the test says. */
const answering = (slots: { readonly look: () => bigint; readonly epoch: () => readonly [bigint, bigint] }) => {
  const node: FakeNode.FakeNode = FakeNode.make({
    getEpochInfo: () =>
      Effect.sync(() => {
        const [absoluteSlot, blockHeight] = slots.epoch()
        return {
          absoluteSlot,
          blockHeight,
          epoch: 0n,
          slotIndex: absoluteSlot,
          slotsInEpoch: 432_000n,
          transactionCount: Option.none()
        }
      }),
    getSignatureStatuses: (signatures, options) =>
      Effect.sync(() => {
        node.statusCalls.push({ signatures, history: options?.searchTransactionHistory === true })
        return { slot: slots.look(), value: signatures.map(() => Option.none()) }
      })
  })
  return node
}

describe("Transactions: sending again", () => {
  it.effect(
    "Given leaders that drop a transaction, When time passes, Then its bytes are resent every 2 s until they land",
    () => {
      const node = FakeNode.make()
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send(1n))
        yield* TestClock.adjust("7 seconds")
        expect(node.sent).toHaveLength(4)
        expect(new Set(node.sent.map(({ wire }) => wire)).size).toBe(1)
        expect(node.sent.map(({ options }) => options?.skipPreflight)).toStrictEqual([false, true, true, true])
        expect(node.sent.every(({ options }) => options?.maxRetries === 0)).toBe(true)
        node.onSend = node.land
        yield* TestClock.adjust("2 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
        yield* TestClock.adjust("1 minute")
        expect(node.sent).toHaveLength(5)
      }).pipe(over(node))
    }
  )

  it.effect("Given a resend interval, When it is lower or higher, Then the bytes are resent more or less often", () =>
    Effect.forEach(
      [
        ["1 second", 11],
        ["5 seconds", 3]
      ] as const,
      ([rebroadcastInterval, sendings]) => {
        const node = FakeNode.make()
        return Effect.gen(function* () {
          yield* Effect.fork(send(1n))
          yield* TestClock.adjust("11 seconds")
          expect(node.sent.length).toBeGreaterThanOrEqual(sendings - 2)
          expect(node.sent.length).toBeLessThanOrEqual(sendings)
        }).pipe(over(node, { rebroadcastInterval }))
      }
    )
  )

  it.effect(
    "Given a status below the commitment, When time passes, Then the bytes are resent only after a fork dropped them",
    () => {
      const node = FakeNode.make()
      node.onSend = (signature) => node.land(signature, "processed")
      return Effect.gen(function* () {
        yield* Effect.fork(send(1n))
        yield* TestClock.adjust("10 seconds")
        expect(node.sent).toHaveLength(1)
        node.onSend = () => {}
        for (const { wire } of node.sent) node.forget(FakeNode.signatureOf(wire))
        yield* TestClock.adjust("10 seconds")
        expect(node.sent.length).toBeGreaterThan(3)
      }).pipe(over(node))
    }
  )

  it.effect("Given inconclusive failures, When the bytes are resent and land, Then there is a receipt", () =>
    Effect.forEach(
      [
        failure({ reason: "RateLimited", detail: "slow down" }),
        failure({ reason: "HttpStatus", status: 503 }),
        failure({ reason: "Timeout" }),
        failure({ reason: "Decode" }),
        failure({ reason: "Node", code: -32016 }),
        failure({ reason: "Node", code: -32603 })
      ],
      (error) => {
        const node = failingFirst(error, error, error)
        node.onSend = node.land
        return Effect.gen(function* () {
          const fiber = yield* Effect.fork(send(1n))
          yield* TestClock.adjust("10 seconds")
          expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
          expect(node.sent).toHaveLength(4)
        }).pipe(over(node))
      }
    )
  )

  it.effect("Given a rate limit, When the endpoint asks for a pause, Then nothing is sent before its end", () => {
    const node = failingFirst(failure({ reason: "RateLimited", retryAfter: Duration.seconds(9) }))
    node.onSend = node.land
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send(1n))
      yield* TestClock.adjust("8 seconds")
      expect(node.sent).toHaveLength(1)
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
      // It was never simulated, so it is now.
      expect(node.sent[1]?.options?.skipPreflight).toBe(false)
    }).pipe(over(node))
  })

  it.effect(
    "Given a refusal after an attempt that may have arrived, When the transaction lands, Then there is a receipt",
    () =>
      Effect.forEach(
        [
          preflightFailure("AccountInUse"),
          preflightFailure("BlockhashNotFound"),
          failure({ reason: "Node", code: -32003 })
        ],
        (refusal) => {
          const node = failingFirst(failure({ reason: "Timeout" }), refusal)
          return Effect.gen(function* () {
            const fiber = yield* Effect.fork(send(1n))
            yield* TestClock.adjust("3 seconds")
            expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
            for (const { wire } of node.sent) node.land(FakeNode.signatureOf(wire))
            yield* TestClock.adjust("1 second")
            expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
          }).pipe(over(node))
        }
      )
  )

  it.effect("Given attempts that did not arrive, When a refusal follows, Then the refusal is the outcome", () => {
    const node = failingFirst(failure({ reason: "RateLimited" }), preflightFailure("AccountInUse"))
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send(1n)))
      yield* TestClock.adjust("3 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Simulation", err: "AccountInUse" })
    }).pipe(over(node))
  })

  it.effect("Given submissions that hang, When another is due, Then it is sent", () => {
    let calls = 0
    const node: FakeNode.FakeNode = FakeNode.make({
      sendTransaction: (wire) => {
        const signature = FakeNode.signatureOf(wire)
        return ++calls < 3 ? Effect.never : Effect.sync(() => (node.land(signature), signature))
      }
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send(1n))
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ slot: 100n })
    }).pipe(over(node))
  })
})

describe("Transactions: endpoints that lag or lie", () => {
  it.effect(
    "Given a height past the lifetime and an older look-up, When time passes, Then the transaction is not Expired",
    () => {
      let look = 300n
      const node = answering({ look: () => look, epoch: () => [301n, 291n] })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(1n)))
        yield* TestClock.adjust("30 seconds")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        look = 301n
        yield* TestClock.adjust("4 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given an endpoint of another cluster far ahead, When the others look up a transaction, Then it is not Expired",
    () => {
      const node = answering({ look: () => 101n, epoch: () => [1_000_000n, 900_000n] })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(1n)))
        yield* TestClock.adjust("2 minutes")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed" })
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given an endpoint that reported a low height for a far slot, When the true height comes, Then the transaction expires",
    () => {
      let epoch: readonly [bigint, bigint] = [1_000_000n, 5n]
      const node = answering({ look: () => 300n, epoch: () => epoch })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send(1n)))
        yield* TestClock.adjust("10 seconds")
        epoch = [300n, 290n]
        yield* TestClock.adjust("4 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      }).pipe(over(node))
    }
  )
})
