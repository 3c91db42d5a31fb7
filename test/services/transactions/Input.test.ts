import { describe, expect, it } from "@effect/vitest"
import type { Address, Instruction } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcPool from "../../../services/RpcPool.js"
import * as Transactions from "../../../services/Transactions.js"
import * as UnsignedTransaction from "../../../services/transactions/compile/UnsignedTransaction.js"
import { Wallet } from "../../../services/Wallet.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as FakeNode from "../../support/fakeNode.js"
import { STRANGER, transfer, walletOf } from "../../support/transfers.js"

/** Every method dies: whatever fails typed here fails before any I/O. */
const noIo = Transactions.layer().pipe(Layer.provide(RpcPool.layerTest({})))

const refusal = (
  make: (wallet: Wallet["Type"]) => {
    readonly instructions: ReadonlyArray<Instruction>
    readonly options?: Transactions.SendOptions
  }
) =>
  Effect.gen(function* () {
    const wallet = yield* walletOf(31)
    const { instructions, options } = make(wallet)
    const { send } = yield* Transactions.Transactions
    return yield* send(instructions, options).pipe(Effect.provideService(Wallet, wallet), Effect.flip)
  }).pipe(Effect.provide(noIo))

/** A text with the brand of an address, as a caller without types passes it. */
const brand = (text: string): Address => text as Address

const instruction = (bytes: number): Instruction => ({ programAddress: STRANGER, data: new Uint8Array(bytes) })

const refused = (options: Transactions.SendOptions, more: ReadonlyArray<Instruction> = []) =>
  refusal(() => ({ instructions: [instruction(1), ...more], options }))

const build = (options: Transactions.Options) =>
  Transactions.Transactions.pipe(
    Effect.provide(Layer.provide(Transactions.layer(options), RpcPool.layerTest({}))),
    Effect.flip
  )

describe("Transactions: bad input", () => {
  it.effect("Given no instructions, When they are sent, Then the send is refused", () =>
    Effect.gen(function* () {
      const error = yield* refusal(() => ({ instructions: [] }))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "instructions", size: 0 })
    })
  )

  it.effect("Given more than 1232 bytes, When they are sent, Then the error has their number", () =>
    Effect.gen(function* () {
      const error = yield* refusal(() => ({ instructions: [instruction(1200)] }))
      expect(error).toMatchObject({ _tag: "InvalidInput" })
      expect(error.message).toContain("1232")
    })
  )

  it.effect("Given the wallet as a program, When the instruction is sent, Then the send is refused", () =>
    Effect.gen(function* () {
      const error = yield* refusal(({ address }) => ({ instructions: [{ programAddress: address }] }))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "feePayer" })
    })
  )

  it.effect("Given a signer that is missing, doubled, not required or the payer again, Then the send is refused", () =>
    Effect.gen(function* () {
      const other = yield* walletOf(32)
      const fromOther = [transfer(other.address, STRANGER, 1n)]
      const errors = [
        yield* refusal(() => ({ instructions: fromOther })),
        yield* refusal(() => ({ instructions: fromOther, options: { signers: [other, other] } })),
        yield* refusal(() => ({ instructions: [instruction(1)], options: { signers: [other] } })),
        yield* refusal((wallet) => ({ instructions: [instruction(1)], options: { feePayer: wallet } }))
      ]
      for (const error of errors) expect(error).toMatchObject({ _tag: "InvalidInput", field: "signers" })
      expect(errors[0]?.message).toContain(other.address)
    })
  )

  it.effect("Given 13 signers, When a transaction needs them, Then the send is refused", () =>
    Effect.gen(function* () {
      const signers = yield* Effect.forEach([...Array(12).keys()], (index) => walletOf(40 + index))
      const instructions = signers.map(({ address }) => transfer(address, STRANGER, 1n))
      const error = yield* refusal(() => ({ instructions, options: { signers } }))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "signers", size: 13 })
    })
  )

  it.effect("Given a text in place of an address, When it is sent, Then the send is refused by the text's path", () =>
    Effect.gen(function* () {
      const nope = brand("nope")
      const memo: Instruction = { programAddress: STRANGER, data: new Uint8Array(4) }
      const paying = (address: Address): Instruction => ({ ...memo, accounts: [{ address, role: 1 }] })
      const rows: ReadonlyArray<readonly [string, Instruction]> = [
        ["instructions[1].programAddress", { programAddress: nope }],
        ["instructions[1].accounts[0].address", paying(nope)],
        [
          "instructions[1].accounts[0].lookupTableAddress",
          {
            ...memo,
            accounts: [{ address: brand(Addresses.SYSTEM_PROGRAM), role: 1, lookupTableAddress: nope, addressIndex: 0 }]
          }
        ]
      ]
      for (const [field, wrong] of rows) {
        for (const computeUnitLimit of [undefined, 5]) {
          const error = yield* refusal(() => ({ instructions: [memo, wrong], options: { computeUnitLimit } }))
          expect(error).toMatchObject({ _tag: "InvalidInput", field, size: 4 })
        }
      }
      // A message of a known shape is filled in instead of compiled.
      const wallet = yield* walletOf(31)
      for (const seed of [32, 33]) {
        const { address } = yield* walletOf(seed)
        yield* UnsignedTransaction.make(wallet, [paying(address)], {})
      }
      const error = yield* refusal(() => ({ instructions: [paying(nope)] }))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "instructions[0].accounts[0].address", size: 4 })
    })
  )

  it.effect("Given compute options out of range, doubled, or a price without limit, Then the send is refused", () =>
    Effect.gen(function* () {
      const setLimit: Instruction = {
        programAddress: Addresses.known("ComputeBudget111111111111111111111111111111"),
        data: Uint8Array.of(2, 1, 0, 0, 0)
      }
      for (const computeUnitLimit of [0, -1, 1.5, 1_400_001, Number.NaN]) {
        expect(yield* refused({ computeUnitLimit })).toMatchObject({ field: "computeUnitLimit" })
      }
      for (const computeUnitPrice of [-1n, 2n ** 64n, 1n]) {
        expect(yield* refused({ computeUnitPrice })).toMatchObject({
          field: "computeUnitPrice",
          size: computeUnitPrice
        })
      }
      expect(yield* refused({ computeUnitLimit: 5 }, [setLimit])).toMatchObject({ field: "computeUnitLimit" })
    })
  )

  it.effect("Given layer options that are not positive, When the layer is built, Then they are refused by name", () =>
    Effect.gen(function* () {
      expect(yield* build({ maxInFlight: 0 })).toMatchObject({ _tag: "InvalidInput", field: "maxInFlight" })
      expect(yield* build({ maxInFlight: Number.NaN })).toMatchObject({ field: "maxInFlight" })
      expect(yield* build({ pollInterval: 0 })).toMatchObject({ field: "pollInterval" })
      for (const blockhashTimeToLive of [0, -1, Number.NaN, Infinity]) {
        expect(yield* build({ blockhashTimeToLive })).toMatchObject({ field: "blockhashTimeToLive" })
      }
    })
  )

  it.effect("Given a wallet that returns no signature, When a transaction is sent, Then no bytes are sent", () =>
    Effect.gen(function* () {
      const { address } = yield* walletOf(34)
      const { sign } = yield* Transactions.Transactions
      const error = yield* sign([instruction(1)]).pipe(
        Effect.provideService(Wallet, { address, sign: () => Effect.succeed([]) }),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "WalletError", reason: "InvalidSignature", address })
    }).pipe(Effect.provide(Transactions.layer().pipe(Layer.provide(FakeNode.make().layer))))
  )

  it.effect("Given a test layer, When a method without a stub is called, Then it dies and names itself", () =>
    Effect.gen(function* () {
      const { send } = yield* Transactions.Transactions
      const wallet = yield* walletOf(33)
      const exit = yield* send([]).pipe(Effect.provideService(Wallet, wallet), Effect.sandbox, Effect.flip)
      expect(String(exit)).toContain("send")
    }).pipe(Effect.provide(Transactions.layerTest({})))
  )
})
