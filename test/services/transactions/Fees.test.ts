import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import * as RpcPool from "../../../services/RpcPool.js"
import { RpcError } from "../../../services/RpcTransport.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Wire from "../../../src/solana/Wire.js"
import * as FakeNode from "../../support/fakeNode.js"
import * as Messages from "../../support/messages.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const send = (amount: bigint, options?: Transactions.SendOptions) =>
  Effect.gen(function* () {
    const transactions = yield* Transactions.Transactions
    const wallet = yield* walletOf(121)
    const instructions = [transfer(wallet.address, STRANGER, amount)]
    return yield* transactions.send(instructions, options).pipe(Effect.provideService(Wallet, wallet))
  })

const over = (node: FakeNode.FakeNode, fees?: Transactions.FeeOptions) =>
  Effect.provide(Layer.provideMerge(Transactions.layer({ fees }), node.layer))

const unreachable = new RpcError({ reason: "Transport", method: "simulateTransaction", detail: "refused" })

/** A node where a simulation takes 10,000 units and recent blocks asked for these prices. */
const asking = (prices: ReadonlyArray<bigint>, overrides: Parameters<typeof FakeNode.make>[0] = {}) =>
  FakeNode.make({
    simulateTransaction: () =>
      Effect.succeed({
        slot: 100n,
        value: {
          err: null,
          logs: [],
          unitsConsumed: Option.some(10_000n),
          accounts: [],
          returnData: Option.none(),
          replacementBlockhash: Option.none()
        }
      }),
    getRecentPrioritizationFees: () =>
      Effect.succeed(prices.map((prioritizationFee, index) => ({ slot: BigInt(index), prioritizationFee }))),
    ...overrides
  })

/** The compute limit and price that the transactions set, in the order in which they were first sent. */
const computeOf = (node: FakeNode.FakeNode) =>
  Effect.forEach([...new Set(node.sent.map(({ wire }) => wire))], (wire) =>
    Effect.map(Wire.decode(wire), ({ message }) => {
      const [limit, price] = message.instructions.slice(1).map(({ data }) => Buffer.from(data))
      return [limit?.readUInt32LE(1), price?.readBigUInt64LE(1)]
    })
  )

/** Makes blocks until nothing that was signed before can land any more. */
const age = (node: FakeNode.FakeNode) =>
  Effect.gen(function* () {
    node.slot += 200n
    node.blockHeight += 200n
    node.blockhash++
    yield* TestClock.adjust("70 seconds")
  })

/** 10,000 units, a tenth more, and eight bumps. */
const LIMIT = 23_000

describe("Transactions: compute limits and prices", () => {
  it.effect(
    "Given estimated fees, When one kind of transaction is sent often, Then it is simulated once and priced every 10 s",
    () => {
      const node = asking([5n, 100n, 1n, 7n, 30n])
      node.onSend = node.land
      return Effect.gen(function* () {
        for (const amount of [1n, 2n, 3n]) yield* send(amount)
        expect(yield* computeOf(node)).toStrictEqual([1, 2, 3].map(() => [LIMIT, 30n]))
        yield* TestClock.adjust("11 seconds")
        yield* send(4n)
        expect(yield* RpcPool.calls("simulateTransaction")).toBe(1)
        expect(yield* RpcPool.calls("getRecentPrioritizationFees")).toBe(2)
      }).pipe(over(node, {}))
    }
  )

  it.effect("Given a percentile, a floor and a cap, When a price is estimated, Then all three hold", () =>
    Effect.forEach(
      [
        [{ percentile: 0 }, 1n],
        [{ percentile: 100 }, 100n],
        [{ percentile: 50 }, 7n],
        [{ percentile: 0, minPrice: 3n }, 3n],
        [{ percentile: 100, maxPrice: 50n }, 50n]
      ] as const,
      ([fees, price]) => {
        const node = asking([5n, 100n, 1n, 7n, 30n])
        node.onSend = node.land
        return Effect.gen(function* () {
          yield* send(1n)
          expect(yield* computeOf(node)).toStrictEqual([[LIMIT, price]])
        }).pipe(over(node, fees))
      }
    )
  )

  it.effect(
    "Given a node that reports too high a price, When a price is estimated, Then no transaction pays more than the cap",
    () =>
      Effect.forEach(
        [
          [{}, 100_000n],
          [{ maxFee: 7n }, 7n],
          [{ maxFee: 0n }, 0n],
          [{ maxFee: 7n, minPrice: 900_000n }, 7n],
          [{ minPrice: 500_000n }, 700_000n],
          [{ maxPrice: 300_000n }, 420_000n],
          [{ maxPrice: 300_000n, maxFee: 5000n }, 5000n]
        ] as const,
        ([fees, most]) => {
          const units = { unitsConsumed: Option.some(2n ** 64n - 1n) }
          const node = asking([2n ** 64n - 1n], {
            simulateTransaction: () =>
              Effect.succeed({
                slot: 100n,
                value: {
                  err: null,
                  logs: [],
                  accounts: [],
                  returnData: Option.none(),
                  replacementBlockhash: Option.none(),
                  ...units
                }
              })
          })
          node.onSend = node.land
          return Effect.gen(function* () {
            const { fee } = yield* send(1n)
            expect(fee - 5000n).toBe(most)
          }).pipe(over(node, fees))
        }
      )
  )

  it.effect("Given transactions that expire, When they are signed again, Then they pay more, up to the cap", () => {
    const node = asking([100n])
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.flip(send(1n, { retryExpired: 3 })))
      for (let expiries = 0; expiries < 4; expiries++) {
        yield* TestClock.adjust("1 second")
        node.slot += 200n
        node.blockHeight += 200n
        node.blockhash += 1
        yield* TestClock.adjust("15 seconds")
      }
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      expect((yield* computeOf(node)).map(([, price]) => price)).toStrictEqual([100n, 200n, 300n, 300n])
    }).pipe(over(node, { bump: 2, maxPrice: 300n }))
  })

  it.effect(
    "Given a limit or price of the caller, When a transaction is sent, Then the node is not asked for it",
    () => {
      const node = asking([9n])
      node.onSend = node.land
      return Effect.gen(function* () {
        yield* send(1n, { computeUnitLimit: 777, computeUnitPrice: 5n })
        yield* send(2n, { computeUnitPrice: 6n })
        yield* send(3n, { computeUnitLimit: 778 })
        expect(yield* computeOf(node)).toStrictEqual([
          [777, 5n],
          [LIMIT, 6n],
          [778, 9n]
        ])
      }).pipe(over(node, {}))
    }
  )

  it.effect(
    "Given a node without estimates, When a transaction is sent, Then the cluster's default limit and no price apply",
    () => {
      const node = asking([], { simulateTransaction: () => Effect.fail(unreachable) })
      node.onSend = node.land
      return Effect.gen(function* () {
        yield* send(1n)
        expect(yield* computeOf(node)).toStrictEqual([[undefined, undefined]])
      }).pipe(over(node, {}))
    }
  )

  it.effect(
    "Given a limit that became too low, When units run out, Then the transaction is simulated again, once",
    () => {
      const data = { err: { InstructionError: [0, "ComputationalBudgetExceeded"] }, logs: [] }
      const exceeded = new RpcError({ reason: "Node", method: "sendTransaction", code: -32002, detail: "", data })
      let failures = 1
      const node: FakeNode.FakeNode = asking([], {
        sendTransaction: (wire) =>
          Effect.suspend(() => {
            if (failures-- > 0) return Effect.fail(exceeded)
            const signature = FakeNode.signatureOf(wire)
            node.land(signature)
            return Effect.succeed(signature)
          })
      })
      return Effect.gen(function* () {
        const fiber = yield* Effect.fork(send(1n))
        yield* TestClock.adjust("1 second")
        // What the node refused may be on its way all the same, until it is too old to land.
        yield* age(node)
        yield* Fiber.join(fiber)
        expect(yield* RpcPool.calls("simulateTransaction")).toBe(2)
        failures = 9
        const again = yield* Effect.fork(Effect.flip(send(2n)))
        yield* TestClock.adjust("1 second")
        yield* age(node)
        expect(yield* Fiber.join(again)).toMatchObject({ reason: "Simulation" })
        expect(yield* RpcPool.calls("simulateTransaction")).toBe(3)
      }).pipe(over(node, {}))
    }
  )

  it.effect("Given options out of range, When the layer is built, Then they are refused by name", () =>
    Effect.forEach(
      [
        [{ margin: -1 }, "margin"],
        [{ percentile: 101 }, "percentile"],
        [{ bump: 0.5 }, "bump"],
        [{ minPrice: 5n, maxPrice: 4n }, "minPrice"],
        [{ maxFee: -1n }, "maxFee"],
        [{ maxFee: 2n ** 64n }, "maxFee"]
      ] as const,
      ([fees, field]) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Effect.scoped(Transactions.make({ fees })))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: `fees.${field}` })
        }).pipe(Effect.provide(RpcPool.layerTest({})))
    )
  )

  it.effect(
    "Given the program, When 40 messages are packed with estimated fees, Then all land within their limits",
    () =>
      Effect.gen(function* () {
        const wallet = yield* walletOf(122)
        const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
        yield* airdrop(wallet.address, 10_000_000_000n)
        const { send, sendPacked } = yield* Transactions.Transactions
        yield* Effect.provideService(send([yield* Messages.register(wallet.address)]), Wallet, wallet)
        const items = yield* Effect.forEach(
          Array.from({ length: 40 }, (_, index) => index),
          (index) =>
            Effect.map(Messages.message(wallet.address, index), ({ instruction }) => ({ instructions: [instruction] }))
        )
        const outcomes = yield* Effect.provideService(sendPacked(items, { preflight: false }), Wallet, wallet)
        expect(outcomes.map(({ _tag }) => _tag)).toStrictEqual(items.map(() => "Right"))
      }).pipe(
        Effect.provide(
          Transactions.layer({ fees: { minPrice: 1000n } }).pipe(
            Layer.provideMerge(RpcPoolEmbedded.layer),
            Layer.provideMerge(EmbeddedCluster.layer({}))
          )
        )
      )
  )
})
