import { describe, expect, it } from "@effect/vitest"
import type { Instruction } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Options } from "../../../layers/embedded/Options.js"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import { RpcPool } from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const SOL = 1_000_000_000n

const cluster = (options: Options = {}) =>
  Effect.provide(
    Transactions.layer().pipe(
      Layer.provideMerge(RpcPoolEmbedded.layer),
      Layer.provideMerge(EmbeddedCluster.layer({ podProgram: false, ...options }))
    )
  )

const funded = (seed: number) =>
  Effect.gen(function* () {
    const wallet = yield* walletOf(seed)
    const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
    yield* airdrop(wallet.address, 10n * SOL)
    return wallet
  })

const send = (wallet: Wallet["Type"], instructions: ReadonlyArray<Instruction>, options?: Transactions.SendOptions) =>
  Transactions.Transactions.pipe(
    Effect.flatMap(({ send }) => send(instructions, options)),
    Effect.provideService(Wallet, wallet)
  )

const balanceOf = (address: Wallet["Type"]["address"]) =>
  Effect.flatMap(RpcPool, (pool) => Effect.map(pool.getBalance(address), ({ value }) => value))

describe("Transactions on the embedded cluster", () => {
  for (const version of ["legacy", 0] as const) {
    it.effect(`Given version ${version}, When a transfer is sent, Then it lands and costs what the receipt says`, () =>
      Effect.gen(function* () {
        const wallet = yield* funded(61)
        const receipt = yield* send(wallet, [transfer(wallet.address, STRANGER, SOL)], {
          version,
          computeUnitLimit: 10_000,
          computeUnitPrice: 1_234_567n
        })
        expect(receipt.fee).toBe(5000n + 12_346n)
        expect(yield* balanceOf(wallet.address)).toBe(9n * SOL - receipt.fee)
        expect(yield* balanceOf(STRANGER)).toBe(SOL)
        const { details } = yield* Transactions.Transactions
        const found = yield* Effect.flatten(details(receipt.signature))
        expect(found).toMatchObject({ slot: receipt.slot, fee: receipt.fee, error: Option.none() })
        expect(found.logs).toContain("Program 11111111111111111111111111111111 success")
      }).pipe(cluster())
    )
  }

  it.effect("Given two signers, When both pay in one transaction, Then it lands with two signatures' fee", () =>
    Effect.gen(function* () {
      const [alice, bob] = [yield* funded(62), yield* funded(63)]
      const instructions = [transfer(alice.address, STRANGER, SOL), transfer(bob.address, STRANGER, SOL)]
      const receipt = yield* send(alice, instructions, { signers: [bob] })
      expect(receipt.fee).toBe(10_000n)
      expect(yield* balanceOf(bob.address)).toBe(9n * SOL)
      expect(yield* balanceOf(STRANGER)).toBe(2n * SOL)
    }).pipe(cluster())
  )

  it.effect("Given the same transfer three times at once, When all are sent, Then three transfers land", () =>
    Effect.gen(function* () {
      const wallet = yield* funded(64)
      const instructions = [transfer(wallet.address, STRANGER, SOL)]
      const fiber = yield* Effect.fork(Effect.replicateEffect(send(wallet, instructions), 3, { concurrency: 3 }))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect(yield* balanceOf(STRANGER)).toBe(3n * SOL)
    }).pipe(cluster())
  )

  it.effect("Given too few lamports, When a transfer is sent, Then the preflight refuses it and no fee is paid", () =>
    Effect.gen(function* () {
      const wallet = yield* funded(65)
      const error = yield* Effect.flip(send(wallet, [transfer(wallet.address, STRANGER, 11n * SOL)]))
      expect(error).toMatchObject({
        reason: "Simulation",
        err: { InstructionError: [0, { Custom: 1 }] },
        programError: { reason: "InsufficientFunds", instructionIndex: 0 }
      })
      expect(yield* balanceOf(wallet.address)).toBe(10n * SOL)
    }).pipe(cluster())
  )

  it.effect(
    "Given no preflight, When the second instruction fails, Then the send is Rejected with logs and the fee is paid",
    () =>
      Effect.gen(function* () {
        const wallet = yield* funded(66)
        const instructions = [transfer(wallet.address, STRANGER, SOL), transfer(wallet.address, STRANGER, 11n * SOL)]
        const error = yield* Effect.flip(send(wallet, instructions, { preflight: false, computeUnitLimit: 5000 }))
        expect(error).toMatchObject({
          reason: "Rejected",
          err: { InstructionError: [1, { Custom: 1 }] },
          programError: { reason: "InsufficientFunds", instructionIndex: 1 }
        })
        const { logs, signature } =
          error instanceof Transactions.TransactionError ? error : { logs: [], signature: undefined }
        expect(logs.join()).toContain("insufficient lamports")
        expect(yield* balanceOf(wallet.address)).toBe(10n * SOL - 5000n)
        const { details } = yield* Transactions.Transactions
        const found = yield* Effect.flatten(details(yield* Option.fromNullable(signature)))
        expect(yield* found.error).toMatchObject({ reason: "Rejected", signature, logs })
      }).pipe(cluster())
  )

  it.effect(
    "Given a simulation, When it succeeds or fails, Then its logs and units come back and nothing is paid",
    () =>
      Effect.gen(function* () {
        const wallet = yield* funded(67)
        const { simulate } = yield* Transactions.Transactions
        const asWallet = Effect.provideService(Wallet, wallet)
        const simulation = yield* asWallet(simulate([transfer(wallet.address, STRANGER, SOL)]))
        expect(yield* simulation.units).toBe(150n)
        expect(simulation.logs).toHaveLength(2)
        const error = yield* Effect.flip(asWallet(simulate([transfer(wallet.address, STRANGER, 11n * SOL)])))
        expect(error).toMatchObject({ reason: "Simulation", programError: { reason: "InsufficientFunds" } })
        expect(yield* balanceOf(wallet.address)).toBe(10n * SOL)
      }).pipe(cluster())
  )

  it.effect("Given signed bytes, When they are submitted again after they landed, Then the receipt is the same", () =>
    Effect.gen(function* () {
      const wallet = yield* funded(68)
      const { sign, submit } = yield* Transactions.Transactions
      const signed = yield* Effect.provideService(sign([transfer(wallet.address, STRANGER, SOL)]), Wallet, wallet)
      const first = yield* submit(signed)
      expect(yield* submit(signed)).toStrictEqual(first)
      expect(yield* submit(signed, { preflight: false })).toStrictEqual(first)
      expect(yield* balanceOf(STRANGER)).toBe(SOL)
    }).pipe(cluster())
  )

  it.effect(
    "Given a blockhash that the cluster has dropped, When a transaction is sent, Then the second attempt has a new one",
    () =>
      Effect.gen(function* () {
        const wallet = yield* funded(69)
        yield* send(wallet, [transfer(wallet.address, STRANGER, SOL)])
        const { expireBlockhashes } = yield* EmbeddedCluster.EmbeddedCluster
        yield* expireBlockhashes
        const fiber = yield* Effect.fork(
          send(wallet, [transfer(wallet.address, STRANGER, 2n * SOL)], { retryExpired: 1 })
        )
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(fiber)
        expect(yield* balanceOf(STRANGER)).toBe(3n * SOL)
      }).pipe(cluster())
  )

  it.effect("Given blocks of 400 ms, When a send waits for finalized, Then the receipt comes 32 slots later", () =>
    Effect.gen(function* () {
      const wallet = yield* funded(70)
      yield* TestClock.adjust("20 seconds")
      const fiber = yield* Effect.fork(
        send(wallet, [transfer(wallet.address, STRANGER, SOL)], { commitment: "finalized" })
      )
      yield* TestClock.adjust("10 seconds")
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ fee: 5000n })
    }).pipe(cluster({ blockMode: "interval" }))
  )

  it.effect(
    "Given bytes that never arrive, When their blockhash has expired on the cluster, Then they are Expired",
    () =>
      Effect.gen(function* () {
        const wallet = yield* walletOf(71)
        const { sign, submit } = yield* Transactions.Transactions
        yield* TestClock.adjust("2 seconds")
        const signed = yield* Effect.provideService(sign([transfer(wallet.address, STRANGER, SOL)]), Wallet, wallet)
        yield* TestClock.adjust("2 minutes")
        const fiber = yield* Effect.fork(Effect.flip(submit(signed)))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired", isRetryable: true })
      }).pipe(cluster({ blockMode: "interval" }))
  )
})
