import { describe, expect, it } from "@effect/vitest"
import type { AccountMeta, Address, Instruction } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import type { PackedItem, PackedOptions } from "../../../services/Transactions.js"
import * as Pack from "../../../services/transactions/compile/Pack.js"
import * as Plan from "../../../services/transactions/compile/UnsignedTransaction.js"
import * as Addresses from "../../../src/solana/Address.js"
import type { Version } from "../../../src/solana/Message.js"
import { assertProperty } from "../../support/runs.js"

const addressOf = (first: number, second: number): Address =>
  Addresses.fromBytes(new Uint8Array(32).fill(first).fill(second, 16))

const wallet = { address: addressOf(1, 1), sign: () => Effect.succeed([]) }

/** Few programs and accounts, so that instructions share them and meet them in other roles. */
const instruction: fc.Arbitrary<Instruction> = fc.record({
  programAddress: fc.nat(2).map((name) => addressOf(2, name)),
  accounts: fc.array(
    fc.record({
      address: fc.nat(20).map((name) => addressOf(3, name)),
      role: fc.constantFrom<AccountMeta["role"]>(0, 1, 2, 3)
    }),
    { maxLength: 6 }
  ),
  data: fc.uint8Array({ maxLength: 300 })
})

const item = fc.record({ instructions: fc.array(instruction, { maxLength: 3 }) })

const options: fc.Arbitrary<PackedOptions> = fc.record({
  version: fc.constantFrom<Version>(0, "legacy"),
  computeUnitLimit: fc.option(fc.constant(200_000), { nil: undefined }),
  durableNonce: fc.option(fc.constant({ account: addressOf(4, 4) }), { nil: undefined })
})

const instructionsOf = (items: ReadonlyArray<PackedItem>) => items.flatMap(({ instructions }) => instructions)

const fits = (items: ReadonlyArray<PackedItem>, options: PackedOptions) =>
  Either.isRight(Plan.make(wallet, instructionsOf(items), options))

describe("Packing", () => {
  it("Given any items, When they are packed, Then none would have fitted into the transaction before", () =>
    assertProperty(
      fc.property(fc.array(item, { maxLength: 12 }), options, (items, options) => {
        const packs = Pack.pack(wallet, items, options)
        expect(packs.flat()).toStrictEqual(items)
        for (const [index, pack] of packs.entries()) {
          expect(pack.length === 1 || fits(pack, options)).toBe(true)
          const next = packs[index + 1]?.[0]
          const mayJoin = next !== undefined && [...pack, next].every(({ instructions }) => instructions.length > 0)
          if (mayJoin && fits(pack, options)) expect(fits([...pack, next], options)).toBe(false)
        }
      })
    ))

  it("Given more instructions than a message may have, When they are packed, Then they are not packed together", () => {
    const small = { programAddress: addressOf(2, 0) }
    const packs = Pack.pack(
      wallet,
      Array.from({ length: 70 }, () => ({ instructions: [small] })),
      {}
    )
    expect(packs.map(({ length }) => length)).toStrictEqual([64, 6])
  })
})
