import { describe, expect, it } from "@effect/vitest"
import type { Address, Instruction } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Options } from "../../../layers/embedded/Options.js"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import * as DurableNonce from "../../../services/DurableNonce.js"
import { RpcPool } from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import type { Wallet } from "../../../services/Wallet.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import * as Wire from "../../../src/solana/Wire.js"
import { as } from "../../support/agents.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

const SOL = 1_000_000_000n

const at = (index: number) => Addresses.fromBytes(new Uint8Array(32).fill(index))

const cluster = (options: Options = {}, transactions?: Transactions.Options) =>
  Effect.provide(
    DurableNonce.layer.pipe(
      Layer.provideMerge(Transactions.layer(transactions)),
      Layer.provideMerge(RpcPoolEmbedded.layer),
      Layer.provideMerge(EmbeddedCluster.layer({ podProgram: false, ...options }))
    )
  )

/** Blocks of 400 ms, of which the 33rd newest is finalized. */
const interval = cluster({ blockMode: "interval" })

/** Lets Effects that wait for blocks come to their end. */
const within = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("5 seconds")
    return yield* Fiber.join(fiber)
  })

/** A wallet that can pay, and a nonce account of its own. */
const setup = (seed: number) =>
  Effect.gen(function* () {
    const wallet = yield* walletOf(seed)
    const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
    yield* TestClock.adjust("2 seconds")
    yield* airdrop(wallet.address, 10n * SOL)
    yield* TestClock.adjust("2 seconds")
    const nonces = yield* DurableNonce.DurableNonce
    const { address: account } = yield* within(nonces.create()).pipe(as(wallet))
    return { wallet, account, durableNonce: { account } }
  })

const pay = (wallet: Wallet["Type"], amount: bigint, to = STRANGER) => transfer(wallet.address, to, amount)

const sign = (wallet: Wallet["Type"], instructions: ReadonlyArray<Instruction>, options?: Transactions.SignOptions) =>
  Effect.flatMap(Transactions.Transactions, (transactions) => transactions.sign(instructions, options)).pipe(as(wallet))

const send = (wallet: Wallet["Type"], instructions: ReadonlyArray<Instruction>, options?: Transactions.SendOptions) =>
  Effect.flatMap(Transactions.Transactions, (transactions) => transactions.send(instructions, options)).pipe(as(wallet))

const submit = (...args: Parameters<Transactions.Service["submit"]>) =>
  Effect.flatMap(Transactions.Transactions, (transactions) => transactions.submit(...args))

const resume = (...args: Parameters<Transactions.Service["resume"]>) =>
  Effect.flatMap(Transactions.Transactions, (transactions) => transactions.resume(...args))

const advance = (wallet: Wallet["Type"], account: Address) =>
  Effect.flatMap(DurableNonce.DurableNonce, (nonces) => nonces.advance(account)).pipe(as(wallet))

const nonceOf = (account: Address) =>
  Effect.map(
    Effect.flatMap(DurableNonce.DurableNonce, ({ get }) => get(account)),
    (found) =>
      Option.match(found, {
        onNone: () => undefined,
        onSome: (stored) => (stored._tag === "Initialized" ? stored.nonce : undefined)
      })
  )

const balanceOf = (address: Address) =>
  Effect.flatMap(RpcPool, (pool) => Effect.map(pool.getBalance(address), ({ value }) => value))

describe("Transactions with a durable nonce", () => {
  it.effect(
    "Given a transaction that is held for 300 blocks, When it is submitted, Then it lands and costs the same",
    () =>
      Effect.gen(function* () {
        const { account, durableNonce, wallet } = yield* setup(141)
        const signed = yield* sign(wallet, [pay(wallet, SOL)], { durableNonce, version: "legacy" })
        const usual = yield* sign(wallet, [pay(wallet, SOL)])
        const nonce = yield* nonceOf(account)
        expect(signed).toMatchObject({ fee: 5000n, lifetime: { nonce, account } })
        yield* TestClock.adjust("2 minutes")
        const late = yield* Effect.fork(Effect.flip(submit(usual)))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(late)).toMatchObject({ reason: "Expired" })
        expect(yield* within(submit(signed))).toMatchObject({ signature: signed.signature, fee: 5000n })
        expect(yield* balanceOf(STRANGER)).toBe(SOL)
        expect(yield* nonceOf(account)).not.toBe(nonce)
        const { message } = yield* Wire.decode(signed.wire)
        expect(NonceAccount.advancedBy(message)).toBe(account)
      }).pipe(interval)
  )

  it.effect("Given many senders with one nonce at once, When they send, Then they take turns and all land", () =>
    Effect.gen(function* () {
      const { durableNonce, wallet } = yield* setup(142)
      const order: Array<number> = []
      const receipts = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => index),
        (index) =>
          // The same instructions, which a new nonce makes another transaction.
          send(wallet, [pay(wallet, SOL / 10n)], { durableNonce }).pipe(
            Effect.tap(() => Effect.sync(() => order.push(index)))
          ),
        { concurrency: "unbounded" }
      )
      expect(new Set(receipts.map(({ signature }) => signature)).size).toBe(8)
      expect(order).toStrictEqual([0, 1, 2, 3, 4, 5, 6, 7])
      expect(yield* balanceOf(STRANGER)).toBe(8n * (SOL / 10n))
    }).pipe(cluster())
  )

  it.effect(
    "Given two nonces and one permit for all, When a send waits for one nonce, Then a send with the other does not",
    () =>
      Effect.gen(function* () {
        const { durableNonce, wallet } = yield* setup(143)
        const nonces = yield* DurableNonce.DurableNonce
        const { address: other } = yield* within(nonces.create()).pipe(as(wallet))
        const waiting = yield* Effect.fork(
          Effect.forEach([1n, 2n, 3n], (amount) => send(wallet, [pay(wallet, amount * SOL)], { durableNonce }), {
            concurrency: "unbounded"
          })
        )
        const fiber = yield* Effect.fork(send(wallet, [pay(wallet, SOL / 2n)], { durableNonce: { account: other } }))
        yield* TestClock.adjust("1500 millis")
        expect(yield* Fiber.join(fiber)).toMatchObject({ fee: 5000n })
        expect(Option.isNone(yield* Fiber.poll(waiting))).toBe(true)
        yield* TestClock.adjust("10 seconds")
        expect(yield* Fiber.join(waiting)).toHaveLength(3)
      }).pipe(cluster({ blockMode: "interval" }, { maxInFlight: 2 }))
  )

  for (const theft of ["advanced", "used by another transaction", "closed"] as const) {
    it.effect(
      `Given a nonce that is ${theft}, When that is finalized, Then the transaction is Expired, and not earlier`,
      () =>
        Effect.gen(function* () {
          const { account, durableNonce, wallet } = yield* setup(144)
          const nonces = yield* DurableNonce.DurableNonce
          const signed = yield* sign(wallet, [pay(wallet, SOL)], { durableNonce })
          yield* TestClock.adjust("20 seconds")
          switch (theft) {
            case "advanced":
              yield* within(advance(wallet, account))
              break
            case "used by another transaction":
              yield* within(send(wallet, [pay(wallet, SOL / 2n)], { durableNonce }))
              break
            case "closed":
              yield* within(nonces.close(account)).pipe(as(wallet))
          }
          const fiber = yield* Effect.fork(Effect.flip(submit(signed)))
          yield* TestClock.adjust("5 seconds")
          expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
          yield* TestClock.adjust("10 seconds")
          expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired", isRetryable: true })
          expect((yield* balanceOf(STRANGER)) < SOL).toBe(true)
        }).pipe(interval)
    )
  }

  it.effect(
    "Given another authority, When time passes, Then the transaction is Unconfirmed: it can still land if the authority returns",
    () =>
      Effect.gen(function* () {
        const { account, durableNonce, wallet } = yield* setup(145)
        const other = yield* walletOf(146)
        const nonces = yield* DurableNonce.DurableNonce
        const signed = yield* sign(wallet, [pay(wallet, SOL)], { durableNonce })
        yield* within(nonces.authorize(account, other.address)).pipe(as(wallet))
        const fiber = yield* Effect.fork(Effect.flip(submit(signed, { timeout: "1 minute" })))
        yield* TestClock.adjust("1 minute")
        expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Unconfirmed" })
        yield* within(nonces.authorize(account, wallet.address, { authority: other })).pipe(as(wallet))
        expect(yield* within(resume(signed))).toMatchObject({ signature: signed.signature })
      }).pipe(interval)
  )

  it.effect(
    "Given a transaction that lands and fails, When it is reported, Then it is Rejected and the nonce is used",
    () =>
      Effect.gen(function* () {
        const { account, durableNonce, wallet } = yield* setup(147)
        const nonce = yield* nonceOf(account)
        const instructions = [pay(wallet, 1n), pay(wallet, 20n * SOL)]
        const error = yield* Effect.flip(send(wallet, instructions, { durableNonce, preflight: false }))
        expect(error).toMatchObject({
          reason: "Rejected",
          // That of the transaction, which begins with the advance, and that of the caller.
          err: { InstructionError: [2, { Custom: 1 }] },
          programError: { reason: "InsufficientFunds", instructionIndex: 1 }
        })
        expect(yield* nonceOf(account)).not.toBe(nonce)
        const { details } = yield* Transactions.Transactions
        if (!(error instanceof Transactions.TransactionError) || error.signature === undefined) return expect.fail()
        const found = yield* Effect.flatten(details(error.signature))
        expect(Option.getOrThrow(found.error)).toMatchObject({ programError: { instructionIndex: 1 } })
        yield* send(wallet, [pay(wallet, SOL)], { durableNonce })
        expect(yield* balanceOf(STRANGER)).toBe(SOL)
      }).pipe(cluster())
  )

  it.effect(
    "Given a refusal of the preflight, When it is reported, Then no fee is paid and the nonce is still valid",
    () =>
      Effect.gen(function* () {
        const { account, durableNonce, wallet } = yield* setup(148)
        const nonce = yield* nonceOf(account)
        const refused = send(wallet, [pay(wallet, 1n), pay(wallet, 20n * SOL)], { durableNonce })
        for (let turns = 0; turns < 2; turns++) {
          expect(yield* Effect.flip(refused)).toMatchObject({
            reason: "Simulation",
            programError: { instructionIndex: 1 }
          })
        }
        expect(yield* nonceOf(account)).toBe(nonce)
        const { simulate } = yield* Transactions.Transactions
        const simulated = Effect.flip(simulate([pay(wallet, 20n * SOL)], { durableNonce })).pipe(as(wallet))
        expect(yield* simulated).toMatchObject({ programError: { instructionIndex: 0 } })
        // An advance of the caller's own counts.
        const own = NonceAccount.advance({ account, authority: wallet.address })
        expect(yield* Effect.flip(simulate([own, pay(wallet, 20n * SOL)]).pipe(as(wallet)))).toMatchObject({
          programError: { instructionIndex: 1 }
        })
        expect(yield* Effect.flip(send(wallet, [own, pay(wallet, 20n * SOL)]))).toMatchObject({
          programError: { instructionIndex: 1 }
        })
      }).pipe(cluster())
  )

  for (const preflight of [true, false]) {
    it.effect(
      `Given preflight ${preflight}, When a middle item of a pack fails, Then it is reported and the rest lands`,
      () =>
        Effect.gen(function* () {
          const { durableNonce, wallet } = yield* setup(149)
          const items = Array.from({ length: 40 }, (_, index) => ({
            instructions: [pay(wallet, BigInt(index + 1)), pay(wallet, index === 5 ? 20n * SOL : SOL / 100n)]
          }))
          const { sendPacked } = yield* Transactions.Transactions
          const outcomes = yield* sendPacked(items, { durableNonce, preflight }).pipe(as(wallet))
          expect(outcomes.map(Either.isRight)).toStrictEqual(items.map((_, index) => index !== 5))
          expect(Either.flip(outcomes[5] ?? Either.right(undefined))).toMatchObject(
            Either.right({
              reason: preflight ? "Simulation" : "Rejected",
              programError: { reason: "InsufficientFunds", instructionIndex: 1 }
            })
          )
          // Full ones: the bytes of the advance are counted.
          const pool = yield* RpcPool
          for (const outcome of outcomes.filter(Either.isRight)) {
            const { wire } = yield* Effect.flatten(pool.getTransaction(outcome.right.signature))
            expect(wire.length).toBeLessThanOrEqual(Wire.MAX_TRANSACTION_BYTES)
          }
          expect(yield* balanceOf(STRANGER)).toBe(39n * (SOL / 100n) + 820n - 6n)
        }).pipe(cluster())
    )
  }

  it.effect(
    "Given an authority that is not the wallet, When a transaction is sent, Then both sign, and others are refused",
    () =>
      Effect.gen(function* () {
        const { account, wallet } = yield* setup(151)
        const authority = yield* walletOf(152)
        const nonces = yield* DurableNonce.DurableNonce
        yield* nonces.authorize(account, authority.address).pipe(as(wallet))
        const durableNonce = { account, authority }
        expect(yield* send(wallet, [pay(wallet, SOL)], { durableNonce })).toMatchObject({ fee: 10_000n })
        const both = { durableNonce, signers: [authority] }
        expect(yield* send(wallet, [pay(wallet, SOL)], both)).toMatchObject({ fee: 10_000n })
        const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
        yield* airdrop(authority.address, SOL)
        const payer = { durableNonce, feePayer: authority }
        expect(yield* send(wallet, [pay(authority, SOL / 10n)], payer)).toMatchObject({ fee: 5000n })
        const refused = send(wallet, [pay(wallet, SOL)], { durableNonce: { account } })
        expect(yield* Effect.flip(refused)).toMatchObject({ _tag: "InvalidInput", field: "durableNonce" })
      }).pipe(cluster())
  )

  it.effect("Given accounts without a nonce, When they are used, Then the send fails with InvalidInput", () =>
    Effect.gen(function* () {
      const { wallet } = yield* setup(153)
      const { setAccount } = yield* EmbeddedCluster.EmbeddedCluster
      const legacy = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, ...Addresses.toBytes(wallet.address), ...new Uint8Array(40))
      const images = [new Uint8Array(80), legacy, new Uint8Array(79)]
      for (const [index, data] of images.entries()) {
        yield* setAccount({ address: at(100 + index), lamports: SOL, owner: Addresses.SYSTEM_PROGRAM, data })
      }
      for (const account of [STRANGER, wallet.address, ...images.map((_, index) => at(100 + index))]) {
        const refused = send(wallet, [pay(wallet, SOL)], { durableNonce: { account } })
        expect(yield* Effect.flip(refused)).toMatchObject({ _tag: "InvalidInput", field: "durableNonce" })
      }
    }).pipe(cluster())
  )

  it.effect("Given estimated limits, When a transaction is sent, Then the advance is simulated with the rest", () =>
    Effect.gen(function* () {
      const { durableNonce, wallet } = yield* setup(154)
      const { signature } = yield* send(wallet, [pay(wallet, SOL)], { durableNonce })
      const pool = yield* RpcPool
      const { wire } = yield* Effect.flatten(pool.getTransaction(signature))
      const { message } = yield* Wire.decode(wire)
      expect(message.instructions).toHaveLength(4)
      expect(NonceAccount.advancedBy(message)).toBe(durableNonce.account)
    }).pipe(cluster({}, { fees: {} }))
  )

  it.effect("Given only bytes, When they are resumed, Then they land, or expire when neither lifetime is left", () =>
    Effect.gen(function* () {
      const { account, durableNonce, wallet } = yield* setup(155)
      const first = yield* sign(wallet, [pay(wallet, SOL)], { durableNonce })
      yield* TestClock.adjust("2 minutes")
      expect(yield* within(resume(first.wire))).toMatchObject({ signature: first.signature, fee: 5000n })
      const second = yield* sign(wallet, [pay(wallet, SOL)], { durableNonce })
      yield* within(advance(wallet, account))
      const fiber = yield* Effect.fork(Effect.flip(resume(second.wire)))
      yield* TestClock.adjust("50 seconds")
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      yield* TestClock.adjust("40 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ reason: "Expired" })
      // An advance that lives by a blockhash looks the same.
      const third = yield* sign(wallet, [
        NonceAccount.advance({ account, authority: wallet.address }),
        pay(wallet, SOL)
      ])
      expect("nonce" in third.lifetime).toBe(false)
      expect(yield* within(resume(third.wire))).toMatchObject({ signature: third.signature })
    }).pipe(interval)
  )

  it.effect(
    "Given a retry, When the nonce was used meanwhile, Then the transaction is signed again with the new nonce",
    () =>
      Effect.gen(function* () {
        const { account, durableNonce, wallet } = yield* setup(156)
        const stolen = yield* Effect.once(within(advance(wallet, account)))
        const context = yield* Effect.context<DurableNonce.DurableNonce>()
        const slow: Wallet["Type"] = {
          ...wallet,
          // Between the reading of the nonce and the sending.
          sign: (messages) => Effect.zipRight(Effect.orDie(Effect.provide(stolen, context)), wallet.sign(messages))
        }
        const options = { durableNonce, retryExpired: 1, preflight: false }
        const fiber = yield* Effect.fork(send(slow, [pay(wallet, SOL)], options))
        yield* TestClock.adjust("40 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ fee: 5000n })
        expect(yield* balanceOf(STRANGER)).toBe(SOL)
      }).pipe(interval)
  )
})
