import { assert, layer } from "@effect/vitest"
import { Keypair, TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Addresses from "../../../src/solana/Address.js"
import { addressOf, SOL, transfer } from "../support.js"
import { call, field, keyOf, payer, sent, value, wire } from "./support.js"

const TOKEN_2022 = Addresses.known("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")

const u16 = (number: number) => [number & 0xff, (number >> 8) & 0xff]
const u64 = (number: bigint) => Array.from(new Uint8Array(BigUint64Array.of(number).buffer))
const f64 = (number: number) => Array.from(new Uint8Array(Float64Array.of(number).buffer))
const zeros = (length: number) => Array.from({ length }, () => 0)

const interest = (before: number, now: number) => [
  ...zeros(32),
  ...u64(1_700_000_000n),
  ...u16(before),
  ...u64(1_750_000_000n),
  ...u16(now)
]
const scaled = (multiplier: number, at: bigint, next: number) => [
  ...zeros(32),
  ...f64(multiplier),
  ...u64(at),
  ...f64(next)
]

/** A Token-2022 mint with one extension. */
const mintOf = (supply: bigint, decimals: number, type: number, extension: ReadonlyArray<number>) => {
  const base = [...zeros(36), ...u64(supply), decimals, 1, ...zeros(36)]
  return Uint8Array.from([
    ...base,
    ...zeros(165 - base.length),
    1,
    ...u16(type),
    ...u16(extension.length),
    ...extension
  ])
}

/** The amount as the token program itself shows it. */
const shownByProgram = (mint: Keypair, amount: bigint) =>
  Effect.gen(function* () {
    const key = yield* payer
    const instruction = new TransactionInstruction({
      programId: keyOf(TOKEN_2022),
      keys: [{ pubkey: mint.publicKey, isSigner: false, isWritable: false }],
      data: Buffer.from([23, ...u64(amount)])
    })
    const simulated = yield* value("simulateTransaction", yield* wire([key], instruction), { encoding: "base64" })
    assert.isNull(field(simulated, "err"))
    return Buffer.from(String(field(simulated, "returnData", "data", 0)), "base64").toString("utf8")
  })

layer(EmbeddedCluster.layer({ genesisTime: 1_800_000_000n }))("extensions", (it) => {
  it.effect("UI amounts of interest-bearing and scaled mints: as the token program shows them", () =>
    Effect.gen(function* () {
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      for (const [type, extension] of [
        [10, interest(500, 350)],
        [10, interest(-200, 32_767)],
        [25, scaled(1.5, 1_900_000_000n, 3)],
        [25, scaled(1.5, 1_790_000_000n, 1 / 3)],
        [25, scaled(1e30, 1_900_000_000n, 1)],
        [25, scaled(1e-30, 1_900_000_000n, 1)]
      ] as const) {
        for (const [supply, decimals] of [
          [123_456_789n, 6],
          [1n, 0],
          [2n ** 64n - 1n, 9],
          [999_999n, 3]
        ] as const) {
          const mint = Keypair.generate()
          const data = mintOf(supply, decimals, type, extension)
          yield* cluster.setAccount({ address: addressOf(mint), lamports: SOL, owner: TOKEN_2022, data })
          const shown = yield* value("getTokenSupply", addressOf(mint))
          const expected = yield* shownByProgram(mint, supply)
          assert.strictEqual(field(shown, "uiAmountString"), expected)
          assert.strictEqual(field(shown, "uiAmount"), Number(expected))
          assert.deepInclude(shown, { amount: String(supply), decimals })
        }
      }
    })
  )

  it.effect("costUnits: signatures, write locks, data, execution and loaded data", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const signature = yield* sent([key], transfer(key, Keypair.generate().publicKey, SOL))
      const landed = yield* call("getTransaction", signature)
      assert.deepInclude(field(landed, "meta"), {
        computeUnitsConsumed: 150,
        costUnits: 720 + 2 * 300 + 12 / 4 + 150 + 8
      })
      const block = yield* call("getBlock", field(landed, "slot"))
      assert.strictEqual(field(block, "transactions", 0, "meta", "costUnits"), field(landed, "meta", "costUnits"))
    })
  )

  it.effect("confidential transfers: what is plain is parsed, what carries a proof stays accounts and data", () =>
    Effect.gen(function* () {
      const key = yield* payer
      const [account, mint] = [Keypair.generate().publicKey, Keypair.generate().publicKey]
      const instruction = (data: ReadonlyArray<number>) =>
        new TransactionInstruction({
          programId: keyOf(TOKEN_2022),
          keys: [
            { pubkey: account, isSigner: false, isWritable: true },
            { pubkey: mint, isSigner: false, isWritable: false },
            { pubkey: key.publicKey, isSigner: true, isWritable: false }
          ],
          data: Buffer.from([27, ...data])
        })
      const text = yield* wire([key], instruction([5, ...u64(700n), 2]), instruction([7, ...zeros(40)]))
      const signature = yield* call("sendTransaction", text, { encoding: "base64", skipPreflight: true })
      const landed = yield* call("getTransaction", signature, { encoding: "jsonParsed" })
      const [deposit, moved] = [0, 1].map((at) => field(landed, "transaction", "message", "instructions", at))
      assert.deepStrictEqual(field(deposit, "parsed"), {
        type: "depositConfidentialTransfer",
        info: { account: account.toBase58(), mint: mint.toBase58(), amount: 700, decimals: 2, owner: addressOf(key) }
      })
      assert.hasAllKeys(moved, ["programId", "accounts", "data", "stackHeight"])
    })
  )
})
