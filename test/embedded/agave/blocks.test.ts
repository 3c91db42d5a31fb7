/** What clients ask about blocks and their prices, as Agave 4.2 answers it. */
import { assert, describe, it } from "@effect/vitest"
import { ComputeBudgetProgram, Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import { MAX_U64 } from "../../../src/internal/check.js"
import * as Base64 from "../../../src/solana/Base64.js"
import { addressOf, messageOf, transfer } from "../support.js"
import { call, field, payer, refusalOf, sent, wire } from "./support.js"

const MAX_RANGE = 500_000

describe("blocks", () => {
  it.effect("getBlocks: without an end the range is 500,000 slots; with a longer one -32602", () =>
    Effect.gen(function* () {
      const { advanceSlots } = yield* EmbeddedCluster.EmbeddedCluster
      yield* advanceSlots(MAX_RANGE + 1)
      assert.deepStrictEqual(yield* call("getBlocks", 0), [MAX_RANGE - 1, MAX_RANGE])
      assert.deepStrictEqual(yield* call("getBlocks", 1), [MAX_RANGE - 1, MAX_RANGE, MAX_RANGE + 1])
      assert.deepInclude(yield* refusalOf("getBlocks", 0, MAX_RANGE + 1), {
        code: -32602,
        message: `Slot range too large; max ${MAX_RANGE}`
      })
    }).pipe(Effect.provide(EmbeddedCluster.layer({ maxBlocks: 3, podProgram: false })))
  )

  it.effect("getBlock: an encoding in place of the configuration", () =>
    Effect.gen(function* () {
      yield* payer
      const slot = yield* call("getSlot")
      const block = yield* call("getBlock", slot, "base64")
      assert.strictEqual(field(block, "transactions", 0, "transaction", 1), "base64")
      assert.deepStrictEqual(block, yield* call("getBlock", slot, { encoding: "base64" }))
      assert.strictEqual((yield* refusalOf("getBlock", slot, "base65")).code, -32602)
    }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
  )

  it.effect("getFeeForMessage: the largest u64 for a price beyond it", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const text = yield* wire(
        [key],
        ComputeBudgetProgram.setComputeUnitLimit({ units: 1_400_000 }),
        ComputeBudgetProgram.setComputeUnitPrice({ microLamports: MAX_U64 }),
        transfer(key, key.publicKey, 1n)
      )
      const message = Base64.encode(messageOf(Either.getOrThrow(Base64.decode(text))))
      assert.strictEqual(field(yield* call("getFeeForMessage", message), "value"), MAX_U64)
    }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
  )

  it.effect("getRecentPrioritizationFees: the highest of the block's lowest price and those of the accounts", () =>
    Effect.gen(function* () {
      const { advanceSlots } = yield* EmbeddedCluster.EmbeddedCluster
      const prices = [3, 5, 7]
      const keys = yield* Effect.replicateEffect(payer, prices.length)
      yield* advanceSlots(40)
      const slot = yield* call("getSlot", { commitment: "processed" })
      for (const [index, microLamports] of prices.entries()) {
        const key = keys[index] ?? Keypair.generate()
        yield* sent(
          [key],
          ComputeBudgetProgram.setComputeUnitPrice({ microLamports }),
          transfer(key, key.publicKey, 1n)
        )
      }
      yield* advanceSlots(2)
      const priceOf = (...accounts: ReadonlyArray<Keypair | undefined>) =>
        Effect.map(
          call(
            "getRecentPrioritizationFees",
            accounts.flatMap((key) => (key === undefined ? [] : [addressOf(key)]))
          ),
          (fees) =>
            field(
              [fees].flat().find((fee) => field(fee, "slot") === slot),
              "prioritizationFee"
            )
        )
      assert.strictEqual(yield* priceOf(), 3)
      assert.strictEqual(yield* priceOf(keys[1]), 5)
      assert.strictEqual(yield* priceOf(keys[0], keys[2], keys[1]), 7)
      assert.strictEqual(yield* priceOf(Keypair.generate()), 3)
    }).pipe(Effect.provide(EmbeddedCluster.layer({ blockMode: "interval", podProgram: false })))
  )
})
