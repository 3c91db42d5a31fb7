import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import { Wallet } from "../../services/Wallet.js"
import { STRANGER, transfer } from "../support/transfers.js"

const asFunded = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(TestWallets.funded, (wallet) => Effect.provideService(effect, Wallet, wallet))

/** Fails, instead of waiting for a clock that nobody moves. */
const atOnce = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* Effect.repeatN(
      Effect.zipRight(
        Effect.yieldNow(),
        Effect.promise(() => new Promise(setImmediate))
      ),
      200
    )
    return yield* Effect.flatten(Effect.flatten(Fiber.poll(fiber)))
  })

for (const [name, test] of [
  ["TestClock", it.effect],
  ["the real clock", it.live]
] as const) {
  describe(`Instant mode under ${name}`, () => {
    test("Given a call that is refused, When it is made again and again, Then each time with the same error", () =>
      Effect.gen(function* () {
        const register = (yield* Agent.Agent).register({ metadataUri: "https://example.com/a.json" })
        yield* asFunded(
          Effect.gen(function* () {
            yield* register
            const first = yield* atOnce(Effect.flip(register))
            for (let again = 0; again < 5; again++) {
              const { _tag, message } = yield* atOnce(Effect.flip(register))
              expect({ _tag, message }).toStrictEqual({ _tag: first._tag, message: first.message })
            }
          })
        )
      }).pipe(Effect.provide(Pod.layerTest)))

    test("Given the same message, When it is signed again and again, Then each time without waiting", () =>
      Effect.gen(function* () {
        const { sign, submit } = yield* Transactions.Transactions
        yield* asFunded(
          Effect.gen(function* () {
            const wallet = yield* Wallet
            const instructions = [transfer(wallet.address, STRANGER, 1_000_000n)]
            const signed = yield* Effect.all(Array.from({ length: 4 }, () => atOnce(sign(instructions))))
            expect(new Set(signed.map(({ signature }) => signature)).size).toBe(4)
            for (const each of signed) yield* atOnce(submit(each))
          })
        )
      }).pipe(Effect.provide(Pod.layerTest)))
  })
}

describe("Instant mode", () => {
  it.effect("Given no transaction, When blockhashes are asked for, Then only the first is that of the last block", () =>
    Effect.gen(function* () {
      const { getBlock, getLatestBlockhash, getSlot } = yield* RpcPool
      const slot = yield* getSlot()
      const first = yield* getLatestBlockhash()
      expect(first.slot).toBe(slot)
      const second = yield* getLatestBlockhash()
      expect(second.slot).toBe(slot + 1n)
      expect(second.value.blockhash).not.toBe(first.value.blockhash)
      expect(yield* getBlock(second.slot)).toMatchObject({ value: { transactions: [] } })
      expect(yield* getSlot()).toBe(slot + 1n)
    }).pipe(Effect.provide(Pod.layerTest))
  )
})
