/** Whatever is sent, the program answers with success or with an error that has a name. */
import { describe, expect, it } from "@effect/vitest"
import type { AccountMeta } from "@solana/kit"
import * as FastCheck from "effect/FastCheck"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { runs } from "../support/runs.js"
import { call, tags } from "./calls.js"
import { type Outcome, start } from "./harness.js"

/**
 * What the program says itself, what the runtime says of accounts passed without the right to write them, and what the
 * System program says of a payer that carries data (signatures are not verified here, so that even such a one can pay),
 * and that nobody may be left with less than the rent.
 */
const NAMED =
  /Custom\(\d+\)|PrivilegeEscalation|ReadonlyLamportChange|ReadonlyDataModified|InsufficientFundsForRent|InvalidArgument/

const expectNamed = (outcome: Outcome): void => {
  if (outcome.succeeded) return
  const transcript = `${outcome.failure}\n${outcome.logs.join("\n")}`
  expect(transcript).toMatch(NAMED)
  expect(transcript).not.toMatch(/ProgramFailedToComplete|panicked|exceeded CUs/)
}

const role = FastCheck.constantFrom(0 as const, 1 as const, 2 as const, 3 as const)

describe("the program", () => {
  it("Given any bytes, When they are sent as an instruction, Then the answer has a name", () => {
    const chain = start()
    const wallet = chain.wallet(1)
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 300 }), (data) => {
        expectNamed(chain.send(wallet, { programAddress: PROGRAM_ID, accounts: [{ address: wallet, role: 3 }], data }))
      }),
      { numRuns: runs(500) }
    )
  })

  it.each(tags)("Given %s with arguments changed at random, When it is sent, Then the answer has a name", (tag) => {
    const { instruction, scene, sponsor } = call(tag)
    const change = FastCheck.record({ at: FastCheck.nat(instruction.data.length), byte: FastCheck.nat(255) })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(change, { minLength: 1, maxLength: 6 }), FastCheck.nat(40), (changes, cut) => {
        const data = instruction.data.slice()
        for (const { at, byte } of changes) if (at >= 8) data[at] = byte
        expectNamed(scene.when(sponsor, { ...instruction, data: cut < 4 ? data.slice(0, -cut) : data }))
      }),
      { numRuns: runs(100) }
    )
  })

  it.each(tags)("Given %s with accounts shuffled at random, When it is sent, Then the answer has a name", (tag) => {
    const { instruction, scene, sponsor } = call(tag)
    const { alice, bob, carol, general, message, paid, secret, vault } = scene
    const known = [...instruction.accounts.map(({ address }) => address), PROGRAM_ID, SYSTEM_PROGRAM]
    const address = FastCheck.constantFrom(...known, alice, bob, carol, general, message, paid, secret, vault)
    const meta: FastCheck.Arbitrary<AccountMeta> = FastCheck.record({ address, role })
    const replaced = FastCheck.array(FastCheck.tuple(FastCheck.nat(instruction.accounts.length), meta), {
      minLength: 1,
      maxLength: 3
    })
    FastCheck.assert(
      FastCheck.property(replaced, (replacements) => {
        const accounts: Array<AccountMeta> = [...instruction.accounts]
        for (const [position, replacement] of replacements) accounts[position] = replacement
        // A program can be neither written nor sign.
        const legal = accounts.map((account) =>
          account.address === PROGRAM_ID ? { ...account, role: 0 as const } : account
        )
        expectNamed(scene.when(sponsor, { ...instruction, accounts: legal }))
      }),
      { numRuns: runs(100) }
    )
  })

  it.each(tags)("Given %s with account data changed at random, When it is sent, Then the answer has a name", (tag) => {
    const { instruction, scene, sponsor } = call(tag)
    const { chain } = scene
    const owned = instruction.accounts.filter(({ address }) => chain.held(address)?.owner === PROGRAM_ID)
    const originals = owned.map(({ address }) => [address, chain.data(address)] as const)
    if (originals.length === 0) return
    const change = FastCheck.record({
      account: FastCheck.nat(originals.length - 1),
      at: FastCheck.integer({ min: 8, max: 360 }),
      byte: FastCheck.nat(255)
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        for (const [address, data] of originals) chain.put(address, { data })
        for (const { account, at, byte } of changes) {
          const address = originals[account]?.[0]
          if (address !== undefined) {
            chain.edit(address, (data) => {
              if (at < data.length) data[at] = byte
            })
          }
        }
        expectNamed(scene.when(sponsor, instruction))
      }),
      { numRuns: runs(100) }
    )
  })
})
