import { describe, expect, it } from "@effect/vitest"
import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as FakeNode from "../../support/fakeNode.js"
import * as Sends from "../../support/sends.js"
import { over, sentSignatures, sign } from "../../support/sends.js"
import { STRANGER } from "../../support/transfers.js"

const send = (options?: Transactions.SendOptions) => Sends.send(1n, options)

const settle = Effect.repeatN(Effect.yieldNow(), 300)

/** Lets what is in flight expire, and gives the next one a new blockhash. */
const expire = (node: FakeNode.FakeNode) =>
  Effect.suspend(() => {
    node.slot += 200n
    node.blockHeight += 200n
    node.blockhash += 1
    return TestClock.adjust("15 seconds")
  })

/** A node with an account of the program, which appears when the test says so. */
const withAccount = (
  account: { maker: Signature | undefined; history: ReadonlyArray<Signature> },
  overrides: Parameters<typeof FakeNode.make>[0] = {}
) =>
  FakeNode.make({
    getAccountInfo: (address) =>
      Effect.sync(() => ({
        slot: 100n,
        value: Option.map(Option.fromNullable(account.maker), () => FakeNode.accountOf(address, PROGRAM_ID, 10n))
      })),
    getSignaturesForAddress: () => Effect.sync(() => account.history.map((signature) => FakeNode.historyOf(signature))),
    getTransaction: (signature) =>
      Effect.sync(() =>
        signature === account.maker ? Option.some(FakeNode.confirmedOf(new Uint8Array(), null, [])) : Option.none()
      ),
    ...overrides
  })

describe("Transactions: resuming", () => {
  it.effect("Given an Unconfirmed error, its transaction or its bytes, When resumed, Then the same bytes land", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { resume } = yield* Transactions.Transactions
      const fiber = yield* Effect.fork(Effect.flip(send({ timeout: "3 seconds" })))
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(fiber)
      if (!(error instanceof Transactions.TransactionError) || error.signed === undefined) return expect.fail()
      node.onSend = node.land
      const { signature, wire } = error.signed
      for (const from of [error, error.signed, wire]) {
        expect(yield* resume(from)).toStrictEqual({ signature, slot: 100n, fee: 5000n })
      }
      expect(sentSignatures(node)).toStrictEqual([signature])
    }).pipe(over(node))
  })

  it.effect("Given only bytes, When they cannot land any more, Then they are Expired", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { wire } = yield* sign
      const { resume } = yield* Transactions.Transactions
      const fiber = yield* Effect.fork(Effect.flip(resume(wire)))
      yield* settle
      yield* expire(node)
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
    }).pipe(over(node))
  })

  it.effect("Given bytes that are no transaction, When they are resumed, Then the call is refused", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const { resume } = yield* Transactions.Transactions
      const empty = new Transactions.TransactionError({ reason: "Simulation", detail: "no", logs: [] })
      expect(yield* Effect.flip(resume(empty))).toMatchObject({ _tag: "InvalidInput", field: "from" })
      expect(yield* Effect.flip(resume(new Uint8Array(7)))).toMatchObject({ _tag: "InvalidInput", field: "wire" })
    }).pipe(over(node))
  })
})

describe("Transactions: signing anew", () => {
  it.effect("Given two retries, When each expires, Then three were signed and the last is Expired", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send({ retryExpired: 2 })))
      for (const signed of [1, 2, 3]) {
        yield* settle
        expect(sentSignatures(node)).toHaveLength(signed)
        yield* expire(node)
      }
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      expect(sentSignatures(node)).toHaveLength(3)
    }).pipe(over(node))
  })

  it.effect(
    "Given statuses that contradict the ledger, When the transaction expires, Then nothing is signed again",
    () => {
      const node = FakeNode.make({
        getTransaction: () =>
          Effect.succeed(
            Option.some({
              slot: 100n,
              blockTime: Option.none(),
              meta: Option.none(),
              wire: new Uint8Array(),
              version: "legacy"
            })
          )
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.flip(send({ retryExpired: 2 })))
        yield* settle
        yield* expire(node)
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed", mayHaveLanded: true })
        expect(sentSignatures(node)).toHaveLength(1)
      }).pipe(over(node))
    }
  )

  it.effect("Given a retry, When the second transaction lands, Then there is a receipt", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send({ retryExpired: 1 }))
      yield* settle
      node.onSend = node.land
      node.slot += 200n
      node.blockHeight += 200n
      node.blockhash += 1
      // The bytes of the first may still go out, and be refused for their age.
      node.onSend = (signature) => (signature === sentSignatures(node)[0] ? undefined : node.land(signature))
      yield* TestClock.adjust("15 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ signature: sentSignatures(node)[1], slot: 300n })
    }).pipe(over(node))
  })

  it.effect("Given no retries or an invalid number, When a transaction is sent, Then nothing is signed again", () => {
    const node = FakeNode.make()
    return Effect.gen(function* () {
      for (const retryExpired of [-1, 0.5, Number.NaN]) {
        expect(yield* Effect.flip(send({ retryExpired }))).toMatchObject({ field: "retryExpired" })
      }
      const fiber = yield* Effect.fork(Effect.flip(send()))
      yield* settle
      yield* expire(node)
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      expect(sentSignatures(node)).toHaveLength(1)
    }).pipe(over(node))
  })
})

describe("Transactions: recognising one's own write", () => {
  it.effect("Given an account that exists, When the first transaction expired, Then nothing is signed again", () => {
    const account: Parameters<typeof withAccount>[0] = { maker: undefined, history: [] }
    const node = withAccount(account)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(send({ retryExpired: 3, creates: STRANGER }))
      yield* settle
      const other = FakeNode.signatureOf(new Uint8Array(65).fill(3))
      account.maker = other
      account.history = [FakeNode.signatureOf(new Uint8Array(65).fill(4)), other]
      yield* expire(node)
      expect(yield* Fiber.join(fiber)).toStrictEqual({ signature: other, slot: 100n, fee: 5000n })
      expect(sentSignatures(node)).toHaveLength(1)
    }).pipe(over(node))
  })

  it.effect("Given a write that is done, When it is sent again, Then its receipt comes and no bytes are sent", () => {
    const maker = FakeNode.signatureOf(new Uint8Array(65).fill(5))
    const node = withAccount({ maker, history: [maker] })
    return Effect.gen(function* () {
      expect(yield* send({ resend: true, creates: STRANGER })).toMatchObject({ signature: maker })
      expect(node.sent).toHaveLength(0)
    }).pipe(over(node))
  })

  it.effect(
    "Given a node that has the account but not its transaction yet, When the write is sent again, Then the node is asked again",
    () => {
      const maker = FakeNode.signatureOf(new Uint8Array(65).fill(7))
      const account: Parameters<typeof withAccount>[0] = { maker, history: [] }
      const node = withAccount(account)
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send({ resend: true, creates: STRANGER }))
        yield* settle
        account.history = [maker]
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ signature: maker })
        expect(node.sent).toHaveLength(0)
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a node that lags behind a refusal, When the write is sent again, Then this node is not asked for the account",
    () => {
      const maker = FakeNode.signatureOf(new Uint8Array(65).fill(8))
      const since: Array<unknown> = []
      const node = withAccount(
        { maker, history: [maker] },
        {
          getAccountInfo: (address, options) =>
            Effect.sync(() => {
              since.push(options?.minContextSlot)
              const isThere = (options?.minContextSlot ?? 0n) >= 100n
              const account = Option.some(FakeNode.accountOf(address, PROGRAM_ID, 10n))
              return { slot: 100n, value: Option.filter(account, () => isThere) }
            })
        }
      )
      node.onSend = (signature) => node.land(signature, "confirmed", { InstructionError: [0, { Custom: 0 }] })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send({ resend: true, creates: STRANGER, preflight: false }))
        yield* settle
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ signature: maker })
        expect(since).toEqual([undefined, 100n])
      }).pipe(over(node))
    }
  )

  it.effect(
    "Given a refused first send, When the account belongs to another writer, Then the outcome is the refusal",
    () => {
      const maker = FakeNode.signatureOf(new Uint8Array(65).fill(6))
      const data = { err: { InstructionError: [0, { Custom: 0 }] }, logs: [] }
      const inUse = new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "in use", data })
      const node = withAccount({ maker, history: [maker] }, { sendTransaction: () => Effect.fail(inUse) })
      return Effect.gen(function* () {
        expect(yield* Effect.flip(send({ creates: STRANGER }))).toMatchObject({ reason: "Simulation" })
        // But a resend may be refused for its own work.
        expect(yield* send({ creates: STRANGER, resend: true })).toMatchObject({ signature: maker })
      }).pipe(over(node))
    }
  )
})
