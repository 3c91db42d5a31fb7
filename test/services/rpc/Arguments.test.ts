import { describe, expect, it } from "@effect/vitest"
import type { Address, Blockhash, Lamports, Signature, Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import * as Follow from "../../../services/Follow.js"
import * as RpcPool from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Signatures from "../../../src/solana/Signature.js"
import * as Offline from "../../support/offline.js"
import { transfer, STRANGER } from "../../support/transfers.js"

/** What a caller without types may pass. */
const address = (value: unknown): Address => value as Address
const signature = (value: unknown): Signature => value as Signature
const blockhash = (value: unknown): Blockhash => value as Blockhash
const slot = (value: unknown): Slot => value as Slot
const amount = (value: unknown): Lamports => value as Lamports
const number = (value: unknown): number => value as number
const bytes = (value: unknown): Uint8Array => value as Uint8Array

const A = Addresses.fromBytes(new Uint8Array(32).fill(1))
const SIGNATURE = Signatures.fromBytes(new Uint8Array(64).fill(4))

/** Texts of the wrong length or alphabet, and values that are no text. */
const NO_KEY = ["nope", "", "0".repeat(44), `${A} `, 5, null, {}, true, undefined]
const NO_SIGNATURE = [A, "", "0".repeat(88), 5, null, {}, undefined]
const NO_SLOT = [5, -1n, 2n ** 64n, "7", null, Number.NaN, undefined]
const NO_COUNT = [-1, 1.5, Number.NaN, Infinity, "3", null, {}, 2n]
const NO_BYTES = ["AQID", null, [1, 2], { length: 2 }, undefined]

let calls = 0
const touched = Effect.sync(() => calls++).pipe(Effect.zipRight(Effect.dieMessage("it was sent")))
const nowhere = {
  host: "nowhere",
  request: () => touched,
  batch: () => touched,
  subscribe: () => Stream.fromEffect(touched)
}
const pool = RpcPool.make(nowhere)

type Call = Effect.Effect<unknown, unknown>
const run = <A, E>(stream: Stream.Stream<A, E>): Call => Stream.runDrain(stream)

/** The calls with a wrong argument, by the path of the argument. */
const unknown = (value: unknown): never => value as never

const cases: ReadonlyArray<readonly [path: string, wrong: ReadonlyArray<unknown>, call: (value: unknown) => Call]> = [
  ["slot", NO_SLOT, (value) => pool.getBlock(slot(value))],
  ["start", NO_SLOT, (value) => pool.getBlocks(slot(value))],
  [
    "end",
    NO_SLOT.filter((value) => value !== undefined && value !== null),
    (value) => pool.getBlocks(slot(1n), slot(value))
  ],
  ["slot", NO_SLOT, (value) => pool.getBlockTime(slot(value))],
  ["blockhash", NO_KEY, (value) => pool.isBlockhashValid(blockhash(value))],
  ["messageBytes", NO_BYTES, (value) => pool.getFeeForMessage(bytes(value))],
  ["accounts[1]", NO_KEY, (value) => pool.getRecentPrioritizationFees([A, address(value)])],
  ["accounts", [129], (value) => pool.getRecentPrioritizationFees(Array.from({ length: number(value) }, () => A))],
  ["limit", [...NO_COUNT, 0, 721], (value) => pool.getRecentPerformanceSamples(number(value))],
  ["space", [-1, 1.5, -1n, 2n ** 64n, "8", null], (value) => pool.getMinimumBalanceForRentExemption(number(value))],
  ["address", NO_KEY, (value) => pool.getBalance(address(value))],
  ["address", NO_KEY, (value) => pool.getAccountInfo(address(value))],
  [
    "dataSlice.offset",
    NO_COUNT,
    (value) => pool.getAccountInfo(A, { dataSlice: { offset: number(value), length: 1 } })
  ],
  [
    "dataSlice.length",
    NO_COUNT,
    (value) => pool.getMultipleAccounts([A], { dataSlice: { offset: 0, length: number(value) } })
  ],
  ["addresses[2]", NO_KEY, (value) => pool.getMultipleAccounts([A, A, address(value)])],
  ["addresses", [101], (value) => pool.getMultipleAccounts(Array.from({ length: number(value) }, () => A))],
  ["program", NO_KEY, (value) => pool.getProgramAccounts(address(value))],
  [
    "filters",
    [5],
    (value) => pool.getProgramAccounts(A, { filters: Array.from({ length: number(value) }, () => ({ dataSize: 1 })) })
  ],
  ["filters[0].dataSize", NO_COUNT, (value) => pool.getProgramAccounts(A, { filters: [{ dataSize: number(value) }] })],
  [
    "filters[1].memcmp.offset",
    NO_COUNT,
    (value) =>
      pool.getProgramAccounts(A, {
        filters: [{ dataSize: 1 }, { memcmp: { offset: number(value), bytes: new Uint8Array(1) } }]
      })
  ],
  [
    "filters[0].memcmp.bytes",
    [...NO_BYTES, new Uint8Array(129)],
    (value) => run(pool.programSubscribe(A, { filters: [{ memcmp: { offset: 0, bytes: bytes(value) } }] }))
  ],
  ["signatures[1]", NO_SIGNATURE, (value) => pool.getSignatureStatuses([SIGNATURE, signature(value)])],
  ["signatures[0]", NO_SIGNATURE, (value) => pool.getLedgerStatuses([signature(value)])],
  ["signatures", [257], (value) => pool.getLedgerStatuses(Array.from({ length: number(value) }, () => SIGNATURE))],
  ["address", NO_KEY, (value) => pool.getSignaturesForAddress(address(value))],
  ["limit", [...NO_COUNT, 0, 1001], (value) => pool.getSignaturesForAddress(A, { limit: number(value) })],
  ["before", NO_SIGNATURE.slice(0, -1), (value) => pool.getSignaturesForAddress(A, { before: signature(value) })],
  ["until", NO_SIGNATURE.slice(0, -1), (value) => pool.getSignaturesForAddress(A, { until: signature(value) })],
  ["signature", NO_SIGNATURE, (value) => pool.getTransaction(signature(value))],
  ["address", NO_KEY, (value) => pool.requestAirdrop(address(value), amount(1n))],
  ["lamports", [5, -1n, 2n ** 64n, null, "1"], (value) => pool.requestAirdrop(A, amount(value))],
  ["wire", NO_BYTES, (value) => pool.sendTransaction(bytes(value))],
  ["maxRetries", NO_COUNT, (value) => pool.sendTransaction(new Uint8Array(1), { maxRetries: number(value) })],
  ["wire", NO_BYTES, (value) => pool.simulateTransaction(bytes(value))],
  ["accounts[0]", NO_KEY, (value) => pool.simulateTransaction(new Uint8Array(1), { accounts: [address(value)] })],
  ["address", NO_KEY, (value) => run(pool.accountSubscribe(address(value)))],
  ["program", NO_KEY, (value) => run(pool.programSubscribe(address(value)))],
  ["mentions", NO_KEY, (value) => run(pool.logsSubscribe({ mentions: address(value) }))],
  ["filter", ["some", 5, null, undefined], (value) => run(pool.logsSubscribe(unknown(value)))],
  ["addresses", ["AB", null, 5, undefined, {}], (value) => pool.getMultipleAccounts(unknown(value))],
  ["signatures", ["AB", null, 5, undefined, {}], (value) => pool.getSignatureStatuses(unknown(value))],
  ["filters", ["AB", null, 5, {}], (value) => pool.getProgramAccounts(A, { filters: unknown(value) })],
  [
    "filters[0].memcmp.offset",
    [5, "a", null, undefined],
    (value) => pool.getProgramAccounts(A, { filters: [{ memcmp: unknown(value) }] })
  ],
  ["dataSlice.offset", [5, "a", null], (value) => pool.getAccountInfo(A, { dataSlice: unknown(value) })],
  ["filters[0]", [5, "a", null, undefined], (value) => pool.getProgramAccounts(A, { filters: [unknown(value)] })],
  ["signature", NO_SIGNATURE, (value) => run(pool.signatureSubscribe(signature(value)))]
]

const followed = <A, E>(stream: Stream.Stream<A, E, RpcPool.RpcPool>): Call =>
  run(Stream.provideService(stream, RpcPool.RpcPool, pool))

const followers: typeof cases = [
  ["address", NO_KEY, (value) => followed(Follow.account(address(value)))],
  ["address", NO_KEY, (value) => followed(Follow.program(address(value)))],
  ["filters[0].dataSize", NO_COUNT, (value) => followed(Follow.program(A, { filters: [{ dataSize: number(value) }] }))],
  ["mentions", NO_KEY, (value) => followed(Follow.logs(address(value)))],
  ["signature", NO_SIGNATURE, (value) => followed(Follow.signature(signature(value)))]
]

describe("what a caller passes to a pool", () => {
  it.effect(
    "Given a wrong argument, When a method is called, Then InvalidInput has its whole path and nothing is sent",
    () =>
      Effect.gen(function* () {
        for (const [field, wrong, call] of [...cases, ...followers]) {
          for (const value of wrong) {
            const outcome = yield* Effect.either(Effect.suspend(() => call(value)))
            expect(Either.flip(outcome), `${field} = ${String(value)}`).toMatchObject({
              right: { _tag: "InvalidInput", field }
            })
          }
        }
        expect(calls).toBe(0)
      })
  )

  it.effect("Given null in the place of options, When a method is called, Then it has its defaults", () =>
    Effect.gen(function* () {
      const none = unknown(null)
      const wire = new Uint8Array(1)
      const pool = RpcPool.make({ ...nowhere, request: () => Effect.succeed(null) })
      for (const call of [
        () => pool.getBalance(A, none),
        () => pool.getAccountInfo(A, none),
        () => pool.getMultipleAccounts([A], none),
        () => pool.getProgramAccounts(A, none),
        () => pool.getSignaturesForAddress(A, none),
        () => pool.sendTransaction(wire, none),
        () => pool.simulateTransaction(wire, none)
      ]) {
        expect(yield* Effect.flip(Effect.suspend<unknown, unknown, never>(call))).toMatchObject({ reason: "Decode" })
      }
    })
  )

  it.effect("Given an account to create that is no address, When it is sent, Then InvalidInput names it", () =>
    Effect.gen(function* () {
      const transactions = yield* Transactions.Transactions
      const instructions = [transfer(STRANGER, STRANGER, 1n)]
      for (const none of ["nope", 5, null]) {
        const creates = address(none)
        expect(yield* Effect.flip(transactions.send(instructions, { creates }))).toMatchObject({ field: "creates" })
        expect(
          yield* Effect.flip(transactions.sendPacked([{ instructions }, { instructions, creates }]))
        ).toMatchObject({ _tag: "InvalidInput", field: "items[1].creates" })
      }
      expect(yield* Offline.rpcCalls).toBe(0)
    }).pipe(Effect.provide(Offline.layer))
  )
})
