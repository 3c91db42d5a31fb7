import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import { RpcPool } from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Wire from "../../../src/solana/Wire.js"
import * as FakeNode from "../../support/fakeNode.js"
import * as Messages from "../../support/messages.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const SOL = 1_000_000_000n

const clusterOf = (options: EmbeddedCluster.Options) =>
  Effect.provide(
    Transactions.layer().pipe(
      Layer.provideMerge(RpcPoolEmbedded.layer),
      Layer.provideMerge(EmbeddedCluster.layer(options))
    )
  )

const cluster = clusterOf({})

const funded = Effect.fnUntraced(function* (seed: number) {
  const wallet = yield* walletOf(seed)
  const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
  yield* airdrop(wallet.address, 10n * SOL)
  return wallet
})

const sendPacked = (
  wallet: Wallet["Type"],
  items: ReadonlyArray<Transactions.PackedItem>,
  options?: Transactions.PackedOptions
) =>
  Transactions.Transactions.pipe(
    Effect.flatMap((transactions) => transactions.sendPacked(items, options)),
    Effect.provideService(Wallet, wallet)
  )

const signatures = (outcomes: ReadonlyArray<Either.Either<Transactions.Receipt, unknown>>) =>
  outcomes.map((outcome) => (Either.isRight(outcome) ? outcome.right.signature : undefined))

describe("Transactions: packing", () => {
  it.effect("Given 100 messages, When they are sent packed, Then 13 transactions send them all", () =>
    Effect.gen(function* () {
      const wallet = yield* funded(111)
      const { send } = yield* Transactions.Transactions
      yield* Effect.provideService(send([yield* Messages.register(wallet.address)]), Wallet, wallet)
      const items = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) =>
          Effect.map(Messages.message(wallet.address, index), ({ address, instruction }) => ({
            instructions: [instruction],
            creates: address
          }))
      )
      const outcomes = yield* sendPacked(wallet, items)
      expect(outcomes.filter(Either.isRight)).toHaveLength(100)
      expect(new Set(signatures(outcomes)).size).toBe(13)
      // A resend sends nothing and has the same receipts.
      expect(signatures(yield* sendPacked(wallet, items, { resend: true }))).toStrictEqual(signatures(outcomes))
    }).pipe(cluster)
  )

  for (const preflight of [true, false]) {
    it.effect(
      `Given preflight ${preflight}, When two of ten fail, Then they are reported by index and the rest lands`,
      () =>
        Effect.gen(function* () {
          const wallet = yield* funded(preflight ? 112 : 113)
          const items = Array.from({ length: 10 }, (_, index) => ({
            instructions: [
              transfer(wallet.address, STRANGER, BigInt(index + 1)),
              transfer(wallet.address, STRANGER, index === 3 || index === 7 ? 20n * SOL : SOL / 10n)
            ]
          }))
          yield* TestClock.adjust("2 seconds")
          const fiber = yield* Effect.fork(sendPacked(wallet, items, { preflight, timeout: "10 minutes" }))
          // What a preflight refused may be on its way all the same, until it is too old to land.
          yield* TestClock.adjust(preflight ? "5 minutes" : "5 seconds")
          const outcomes = yield* Fiber.join(fiber)
          expect(outcomes.map(Either.isRight)).toStrictEqual(items.map((_, index) => index !== 3 && index !== 7))
          for (const index of [3, 7]) {
            const error = yield* Either.flip(outcomes[index] ?? Either.right(undefined))
            expect(error).toMatchObject({
              _tag: "TransactionError",
              reason: preflight ? "Simulation" : "Rejected",
              programError: { reason: "InsufficientFunds", instructionIndex: 1 }
            })
          }
          const pool = yield* RpcPool
          const { value } = yield* pool.getBalance(STRANGER)
          expect(value).toBe(8n * (SOL / 10n) + 43n)
        }).pipe(clusterOf({ blockMode: "interval" }))
    )
  }

  it.effect(
    "Given an item that fits into no transaction, When it is sent among others, Then only this item is InvalidInput",
    () =>
      Effect.gen(function* () {
        const wallet = yield* funded(114)
        const items = [
          { instructions: [transfer(wallet.address, STRANGER, SOL)] },
          { instructions: [{ programAddress: STRANGER, data: new Uint8Array(1300) }] },
          { instructions: [] },
          { instructions: [transfer(wallet.address, STRANGER, SOL)] }
        ]
        const outcomes = yield* sendPacked(wallet, items, { concurrency: 1 })
        expect(outcomes.map((outcome) => (Either.isLeft(outcome) ? outcome.left._tag : "sent"))).toStrictEqual([
          "sent",
          "InvalidInput",
          "InvalidInput",
          "sent"
        ])
      }).pipe(cluster)
  )

  it.effect("Given a pack that needs too many compute units, When it is sent, Then it is halved until it fits", () => {
    const sizes: Array<number> = []
    const node: FakeNode.FakeNode = FakeNode.make({
      sendTransaction: (wire) =>
        Effect.gen(function* () {
          const { message } = yield* Effect.orDie(Wire.decode(wire))
          sizes.push(message.instructions.length)
          if (message.instructions.length > 2) {
            const data = { err: { InstructionError: [2, "ComputationalBudgetExceeded"] }, logs: [] }
            return yield* new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "", data })
          }
          const signature = FakeNode.signatureOf(wire)
          node.land(signature)
          return signature
        })
    })
    return Effect.gen(function* () {
      const wallet = yield* walletOf(115)
      const items = [1n, 2n, 3n, 4n, 5n].map((amount) => ({
        instructions: [transfer(wallet.address, STRANGER, amount)]
      }))
      const fiber = yield* Effect.fork(sendPacked(wallet, items, { timeout: "10 minutes" }))
      // What the node refused may be on its way all the same, until it is too old to land.
      for (let refusals = 0; refusals < 2; refusals++) {
        yield* TestClock.adjust("1 second")
        node.slot += 200n
        node.blockHeight += 200n
        node.blockhash++
        yield* TestClock.adjust("70 seconds")
      }
      const outcomes = yield* Fiber.join(fiber)
      expect(outcomes.every(Either.isRight)).toBe(true)
      expect(sizes).toStrictEqual([5, 3, 2, 1, 2])
    }).pipe(Effect.provide(Layer.provideMerge(Transactions.layer(), node.layer)))
  })

  it.effect("Given one object as two items, When the second fails, Then the first has its own outcome", () => {
    let alone = 0
    const node: FakeNode.FakeNode = FakeNode.make({
      sendTransaction: (wire) =>
        Effect.gen(function* () {
          const { message } = yield* Effect.orDie(Wire.decode(wire))
          const signature = FakeNode.signatureOf(wire)
          const isFailure = message.instructions.length > 1 || alone++ > 0
          const err = isFailure ? { InstructionError: [0, "ComputationalBudgetExceeded"] } : null
          node.land(signature, "confirmed", err)
          node.blockhash++
          return signature
        })
    })
    return Effect.gen(function* () {
      const wallet = yield* walletOf(117)
      const item = { instructions: [transfer(wallet.address, STRANGER, 1n)] }
      const fiber = yield* Effect.fork(sendPacked(wallet, [item, item]))
      yield* TestClock.adjust("30 seconds")
      const outcomes = yield* Fiber.join(fiber)
      expect(outcomes.map(Either.isRight)).toStrictEqual([true, false])
    }).pipe(Effect.provide(Layer.provideMerge(Transactions.layer(), node.layer)))
  })

  it.effect("Given no items, When they are sent packed, Then there is no outcome and no I/O", () =>
    Effect.gen(function* () {
      expect(yield* sendPacked(yield* walletOf(116), [])).toStrictEqual([])
    }).pipe(Effect.provide(Layer.provideMerge(Transactions.layer(), FakeNode.make().layer)))
  )
})
