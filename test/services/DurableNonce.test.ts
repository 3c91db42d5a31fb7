import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as DurableNonce from "../../services/DurableNonce.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Wallets from "../../services/Wallet.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Hash from "../../src/solana/Hash.js"
import * as NonceAccount from "../../src/solana/NonceAccount.js"
import { as } from "../support/agents.js"
import { STRANGER } from "../support/transfers.js"

const cluster = Effect.provide(Pod.layerTest)

const get = (account: Parameters<DurableNonce.Service["get"]>[0]) =>
  Effect.flatMap(DurableNonce.DurableNonce, (nonces) => nonces.get(account))

const nonceOf = (account: Parameters<DurableNonce.Service["get"]>[0]) =>
  Effect.map(get(account), (found) => {
    const stored = Option.getOrThrow(found)
    return stored._tag === "Initialized" ? stored.nonce : expect.fail()
  })

describe("DurableNonce", () => {
  it.effect("Given a wallet, When it creates a nonce account, Then the account has its own nonce and the rent", () =>
    Effect.gen(function* () {
      const wallet = yield* TestWallets.funded
      const nonces = yield* DurableNonce.DurableNonce
      const pool = yield* RpcPool
      const { address, fee } = yield* nonces.create().pipe(as(wallet))
      expect(fee).toBe(10_000n)
      expect(yield* get(address)).toMatchObject(
        Option.some({ _tag: "Initialized", version: "current", authority: wallet.address })
      )
      expect((yield* pool.getBalance(address)).value).toBe(
        yield* pool.getMinimumBalanceForRentExemption(NonceAccount.SIZE)
      )
    }).pipe(cluster)
  )

  it.effect(
    "Given an endpoint that reports too high a rent, When an account is created, Then nothing is paid unless lamports are given",
    () =>
      Effect.gen(function* () {
        const wallet = yield* TestWallets.funded
        const pool = yield* RpcPool
        const { value: before } = yield* pool.getBalance(wallet.address)
        const asking = (lamports_: bigint) =>
          Effect.provide(
            Layer.fresh(DurableNonce.layer).pipe(
              Layer.provide(
                Layer.succeed(RpcPool, {
                  ...pool,
                  getMinimumBalanceForRentExemption: () => Effect.succeed(lamports(lamports_))
                })
              )
            )
          )
        const create = (options?: DurableNonce.CreateOptions) =>
          Effect.flatMap(DurableNonce.DurableNonce, (nonces) => nonces.create(options)).pipe(as(wallet))
        expect(yield* create().pipe(asking(5_000_000_000n), Effect.flip)).toMatchObject({
          _tag: "RpcError",
          reason: "Decode"
        })
        expect(yield* create().pipe(asking(2_895_361n), Effect.flip)).toMatchObject({ reason: "Decode" })
        expect((yield* pool.getBalance(wallet.address)).value).toBe(before)
        const cheap = yield* create().pipe(asking(2_895_360n))
        expect((yield* pool.getBalance(cheap.address)).value).toBe(2_895_360n)
        const { address } = yield* create({ lamports: 3_000_000n }).pipe(asking(5_000_000_000n))
        expect((yield* pool.getBalance(address)).value).toBe(3_000_000n)
      }).pipe(cluster)
  )

  it.effect("Given a key, an authority and lamports, When an account is created with them, Then it has them", () =>
    Effect.gen(function* () {
      const [wallet, authority, account] = yield* Effect.all([
        TestWallets.funded,
        TestWallets.funded,
        Effect.orDie(Wallets.generate)
      ])
      const nonces = yield* DurableNonce.DurableNonce
      const options = { account, authority: authority.address, lamports: 5_000_000n }
      expect(yield* nonces.create(options).pipe(as(wallet))).toMatchObject({ address: account.address })
      expect(Option.getOrThrow(yield* get(account.address))).toMatchObject({ authority: authority.address })
      // The wallet is not the authority.
      expect(yield* Effect.flip(nonces.advance(account.address).pipe(as(wallet)))).toMatchObject({
        reason: "Simulation"
      })
      const first = yield* nonceOf(account.address)
      yield* nonces.advance(account.address, { authority }).pipe(as(wallet))
      expect(yield* nonceOf(account.address)).not.toBe(first)
      // What is created is recognised.
      expect(yield* nonces.create({ ...options, resend: true }).pipe(as(wallet))).toMatchObject({
        address: account.address
      })
    }).pipe(cluster)
  )

  it.effect("Given a nonce account, When it is handed over, emptied and closed, Then the new authority decides", () =>
    Effect.gen(function* () {
      const [first, second] = yield* Effect.all([TestWallets.funded, TestWallets.funded])
      const nonces = yield* DurableNonce.DurableNonce
      const pool = yield* RpcPool
      const { address: account } = yield* nonces.create({ lamports: 10_000_000n }).pipe(as(first))
      const before = yield* nonceOf(account)
      yield* nonces.authorize(account, second.address).pipe(as(first))
      expect(yield* nonceOf(account)).toBe(before)
      expect(yield* Effect.flip(nonces.withdraw(account, 1n).pipe(as(first)))).toMatchObject({ reason: "Simulation" })
      yield* nonces.withdraw(account, 1_000_000n, { to: STRANGER }).pipe(as(second))
      expect((yield* pool.getBalance(STRANGER)).value).toBe(1_000_000n)
      // What is left would be too little to stay.
      expect(yield* Effect.flip(nonces.withdraw(account, 8_999_999n).pipe(as(second)))).toMatchObject({
        reason: "Simulation"
      })
      yield* nonces.close(account, { to: STRANGER }).pipe(as(second))
      expect((yield* pool.getBalance(STRANGER)).value).toBe(10_000_000n)
      expect(yield* get(account)).toStrictEqual(Option.none())
      // A transaction that takes nothing would succeed, and close nothing.
      expect(yield* Effect.flip(nonces.close(account).pipe(as(second)))).toMatchObject({
        _tag: "InvalidInput",
        field: "account"
      })
    }).pipe(cluster)
  )

  it.effect(
    "Given one blockhash for several advances, When each lands, Then the nonce follows from the previous block",
    () =>
      Effect.gen(function* () {
        const wallet = yield* TestWallets.funded
        const nonces = yield* DurableNonce.DurableNonce
        const pool = yield* RpcPool
        const { address: account } = yield* nonces.create().pipe(as(wallet))
        const seen = new Set([yield* nonceOf(account)])
        for (let turns = 0; turns < 3; turns++) {
          const { slot } = yield* nonces.advance(account).pipe(as(wallet))
          const { previousBlockhash } = yield* Effect.flatten(pool.getBlock(slot))
          const prefix = new TextEncoder().encode("DURABLE_NONCE")
          const expected = Hash.sha256(Uint8Array.of(...prefix, ...Blockhash.toBytes(previousBlockhash)))
          expect(yield* nonceOf(account)).toBe(Blockhash.fromBytes(expected))
          seen.add(yield* nonceOf(account))
        }
        expect(seen.size).toBe(4)
      }).pipe(cluster)
  )

  it.effect(
    "Given accounts that are no nonce accounts, When they are read, Then each fails with the reason of its kind",
    () =>
      Effect.gen(function* () {
        const wallet = yield* TestWallets.funded
        expect(yield* get(STRANGER)).toStrictEqual(Option.none())
        expect(yield* Effect.flip(get(wallet.address))).toMatchObject({ _tag: "NonceAccountError", reason: "Size" })
        expect(yield* Effect.flip(get(PROGRAM_ID))).toMatchObject({ _tag: "NonceAccountError", reason: "Owner" })
      }).pipe(cluster)
  )

  it.effect("Given lamports out of range, When they are deposited or withdrawn, Then it fails with InvalidInput", () =>
    Effect.gen(function* () {
      const wallet = yield* TestWallets.funded
      const nonces = yield* DurableNonce.DurableNonce
      for (const write of [nonces.create({ lamports: -1n }), nonces.withdraw(STRANGER, 2n ** 64n)]) {
        expect(yield* Effect.flip(write.pipe(as(wallet)))).toMatchObject({ _tag: "InvalidInput", field: "lamports" })
      }
    }).pipe(cluster)
  )
})
