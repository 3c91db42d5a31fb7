import { describe, expect, it } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../../layers/RpcPoolEmbedded.js"
import { RpcPool } from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Wire from "../../../src/solana/Wire.js"
import * as LookupTables from "../../support/lookupTables.js"
import { transfer, walletOf } from "../../support/transfers.js"

const SOL = 1_000_000_000n

const RECIPIENTS: ReadonlyArray<Address> = Array.from({ length: 48 }, (_, n) =>
  Addresses.fromBytes(new Uint8Array(32).fill(n + 1))
)

/** A transaction holds 20 transfers without a table. */
const MANY = RECIPIENTS.slice(0, 40)

const cluster = (options?: Transactions.Options) =>
  Effect.provide(
    Transactions.layer(options).pipe(
      Layer.provideMerge(RpcPoolEmbedded.layer),
      Layer.provideMerge(EmbeddedCluster.layer({ podProgram: false }))
    )
  )

/** Somebody with lamports, and what it can do. */
const somebody = Effect.gen(function* () {
  const wallet = yield* walletOf(131)
  const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
  yield* airdrop(wallet.address, 100n * SOL)
  const { send, sendPacked, sign, simulate } = yield* Transactions.Transactions
  const own = Effect.provideService(Wallet, wallet)
  return {
    wallet,
    pay: (recipients: ReadonlyArray<Address>, amount = SOL) =>
      recipients.map((to) => transfer(wallet.address, to, amount)),
    send: (...args: Parameters<typeof send>) => own(send(...args)),
    sendPacked: (...args: Parameters<typeof sendPacked>) => own(sendPacked(...args)),
    sign: (...args: Parameters<typeof sign>) => own(sign(...args)),
    simulate: (...args: Parameters<typeof simulate>) => own(simulate(...args))
  }
})

/** Makes a table of the recipients through the program. */
const madeBy = ({ send, wallet: { address } }: Effect.Effect.Success<typeof somebody>) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool
    const slot = yield* pool.getSlot({ commitment: "processed" })
    const { instruction, table } = LookupTables.create(address, slot)
    yield* send([instruction, LookupTables.extend(address, table, RECIPIENTS.slice(0, 24))])
    yield* send([LookupTables.extend(address, table, RECIPIENTS.slice(24))])
    return { address: table, addresses: RECIPIENTS }
  })

const balances = (addresses: ReadonlyArray<Address>) =>
  Effect.flatMap(RpcPool, (pool) =>
    Effect.map(pool.getMultipleAccounts(addresses), ({ value }) =>
      value.map(Option.match({ onNone: () => 0n, onSome: ({ lamports }) => lamports }))
    )
  )

/** How many transactions sent them. */
const transactions = (outcomes: ReadonlyArray<Either.Either<Transactions.Receipt, unknown>>) =>
  new Set(outcomes.map((outcome) => Either.getOrThrow(outcome).signature)).size

const tableOf = (n: number) => Addresses.fromBytes(new Uint8Array(32).fill(200 + n))

describe("Transactions: lookup tables", () => {
  it.effect("Given more accounts than fit, When a table holds them, Then they are sent, and refused without it", () =>
    Effect.gen(function* () {
      const self = yield* somebody
      const table = yield* madeBy(self)
      const without = yield* Effect.flip(self.send(self.pay(MANY)))
      expect(without).toMatchObject({ _tag: "InvalidInput" })
      expect(without.message).toContain("1232")
      const { signature } = yield* self.send(self.pay(MANY), { lookupTables: [table] })
      expect(new Set(yield* balances(MANY))).toEqual(new Set([SOL]))
      const pool = yield* RpcPool
      const landed = yield* Effect.flatten(pool.getTransaction(signature))
      expect(Option.getOrThrow(landed.meta).loadedAddresses.writable.toSorted()).toEqual(MANY.toSorted())
    }).pipe(cluster())
  )

  it.effect("Given a table, When its message is signed, simulated and submitted, Then it names the table", () =>
    Effect.gen(function* () {
      const self = yield* somebody
      const table = yield* madeBy(self)
      const { units } = yield* self.simulate(self.pay(MANY), { lookupTables: [table] })
      expect(Option.getOrThrow(units)).toBe(150n * BigInt(MANY.length))
      const signed = yield* self.sign(self.pay(MANY), { lookupTables: [table] })
      const { message } = Either.getOrThrow(Wire.decode(signed.wire))
      expect(message.lookups.map((lookup) => lookup.table)).toEqual([table.address])
      expect(message.staticAccounts).toEqual([self.wallet.address, Addresses.SYSTEM_PROGRAM])
      const { submit } = yield* Transactions.Transactions
      expect((yield* submit(signed)).signature).toBe(signed.signature)
      expect(new Set(yield* balances(MANY))).toEqual(new Set([SOL]))
    }).pipe(cluster())
  )

  it.effect("Given estimated fees, When a table is used, Then the limit is that of its simulation", () =>
    Effect.gen(function* () {
      const self = yield* somebody
      const table = yield* madeBy(self)
      const { fee } = yield* self.send(self.pay(MANY), { lookupTables: [table] })
      expect(fee).toBeGreaterThan(5000n)
      expect(new Set(yield* balances(MANY))).toEqual(new Set([SOL]))
    }).pipe(cluster({ fees: { minPrice: 1_000_000n } }))
  )

  it.effect("Given 48 payments, When they are packed with a table, Then one transaction holds what took three", () =>
    Effect.gen(function* () {
      const self = yield* somebody
      const table = yield* madeBy(self)
      const items = self.pay(RECIPIENTS).map((instruction) => ({ instructions: [instruction] }))
      expect(transactions(yield* self.sendPacked(items))).toBe(3)
      expect(transactions(yield* self.sendPacked(items, { lookupTables: [table] }))).toBe(1)
      expect(new Set(yield* balances(RECIPIENTS))).toEqual(new Set([2n * SOL]))
    }).pipe(cluster())
  )

  it.effect(
    "Given tables that differ from the chain, When they are used, Then each fails with a typed error and no fee is paid",
    () =>
      Effect.gen(function* () {
        const self = yield* somebody
        const { setAccount } = yield* EmbeddedCluster.EmbeddedCluster
        const pool = yield* RpcPool
        const slot = yield* pool.getSlot({ commitment: "processed" })
        yield* setAccount(LookupTables.image(tableOf(1), RECIPIENTS.slice(0, 3), 0n))
        yield* setAccount(LookupTables.image(tableOf(2), RECIPIENTS, slot + 1000n))
        yield* setAccount({ ...LookupTables.image(tableOf(3), RECIPIENTS, 0n), owner: Addresses.SYSTEM_PROGRAM })
        yield* setAccount({ ...LookupTables.image(tableOf(4), RECIPIENTS, 0n), data: Uint8Array.of(1, 0, 0, 0, 1) })
        const before = yield* balances([self.wallet.address])
        for (const [table, detail] of [
          [tableOf(0), "account that doesn't exist"],
          [tableOf(1), "uses an invalid index"],
          [tableOf(2), "uses an invalid index"],
          [tableOf(3), "with an invalid owner"],
          [tableOf(4), "with invalid data"]
        ] as const) {
          const options = { lookupTables: [{ address: table, addresses: RECIPIENTS }] }
          const one = yield* Effect.flip(self.send(self.pay(MANY), options))
          const refused = { reason: "Unconfirmed", mayHaveLanded: true, isRetryable: false, cause: { code: -32602 } }
          expect(one).toMatchObject(refused)
          expect(one.message).toContain(detail)
          // Without the node's preflight it is not forwarded either.
          const blind = yield* Effect.flip(self.send(self.pay(MANY, 2n), { ...options, preflight: false }))
          expect(blind).toMatchObject(refused)
          const simulated = yield* Effect.flip(self.simulate(self.pay(MANY), options))
          expect(simulated.message).toContain(detail)
          const items = self.pay(MANY, 3n).map((instruction) => ({ instructions: [instruction] }))
          for (const outcome of yield* self.sendPacked(items, options)) {
            expect(Either.getOrThrow(Either.flip(outcome))).toMatchObject(refused)
          }
        }
        expect(yield* balances([self.wallet.address])).toEqual(before)
      }).pipe(cluster())
  )

  it.effect(
    "Given a legacy message or too long a table, When it is used, Then InvalidInput comes before any call",
    () =>
      Effect.gen(function* () {
        const self = yield* somebody
        const table = { address: RECIPIENTS[0] ?? Addresses.SYSTEM_PROGRAM, addresses: RECIPIENTS }
        for (const options of [
          { version: "legacy" as const, lookupTables: [table] },
          { lookupTables: [{ ...table, addresses: Array.from({ length: 257 }, () => self.wallet.address) }] }
        ]) {
          const error = yield* Effect.flip(self.sign(self.pay(MANY), options))
          expect(error).toMatchObject({ _tag: "InvalidInput", field: "lookupTables" })
        }
      }).pipe(cluster())
  )
})
