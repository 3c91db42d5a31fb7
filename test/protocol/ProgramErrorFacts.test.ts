import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as ProgramError from "../../src/protocol/ProgramError.js"
import * as Addresses from "../../src/solana/Address.js"
import { transfer } from "../support/transfers.js"

const ADDRESS = Addresses.fromBytes(new Uint8Array(32).fill(7))
const SYSTEM = Addresses.SYSTEM_PROGRAM

const refusalOf = (code: number, line: string, instruction: string) =>
  Option.getOrThrow(
    ProgramError.fromTransactionError(
      { InstructionError: [0, { Custom: code }] },
      [
        `Program ${PROGRAM_ID} invoke [1]`,
        `Program log: Instruction: ${instruction}`,
        `Program ${SYSTEM} invoke [2]`,
        line,
        `Program ${SYSTEM} failed: custom program error: 0x${code}`,
        `Program ${PROGRAM_ID} failed: custom program error: 0x${code}`
      ],
      { instructions: [{ programAddress: PROGRAM_ID }] }
    )
  )

describe("what the System program's log says of a refusal", () => {
  it("Given an account that exists, When it is read, Then the error has and names its address, and no program 1111…", () => {
    const line = `Allocate: account Address { address: ${ADDRESS}, base: None } already in use`
    const error = refusalOf(0, line, "RegisterAgent")
    expect(error).toMatchObject({ reason: "AlreadyRegistered", address: ADDRESS })
    expect(error.message).toContain(ADDRESS)
    expect(error.message).not.toContain(SYSTEM)
  })

  it("Given too few lamports, When it is read, Then the error has both amounts", () => {
    const error = refusalOf(1, "Transfer: insufficient lamports 5, need 2885880", "RegisterAgent")
    expect(error).toMatchObject({ reason: "InsufficientFunds", available: 5n, required: 2_885_880n })
    expect(error.message).toContain("2885880 lamports needed, 5 lamports held")
  })

  it("Given a reason whose text is its name, When it is shown, Then it is said once", () => {
    const error = Option.getOrThrow(
      ProgramError.fromTransactionError({ InstructionError: [0, { Custom: 6001 }] }, [], {
        instructions: [{ programAddress: PROGRAM_ID }]
      })
    )
    expect(error.message.match(/Unauthorized/g)).toHaveLength(1)
  })
})

const WALLET = Addresses.fromBytes(new Uint8Array(32).fill(8))
const CHANNEL = Addresses.fromBytes(new Uint8Array(32).fill(9))

const made = {
  register: Instruction.registerAgent({ wallet: WALLET, capabilities: 1n, metadataUri: "https://example.com/a.json" }),
  withdraw: Instruction.withdrawEscrow({ wallet: WALLET, channel: CHANNEL, amount: 77n }),
  join: Instruction.joinChannel({ wallet: WALLET, channel: CHANNEL, escrow: Pda.escrow(CHANNEL, WALLET).address })
}

const withoutLog = (err: unknown, instruction: keyof typeof made) =>
  Option.getOrThrow(
    ProgramError.fromTransactionError(err, [], {
      instructions: [Either.getOrThrow(made[instruction])],
      accounts: [WALLET, CHANNEL],
      fee: 5000n
    })
  )

const custom = (code: number) => ({ InstructionError: [0, { Custom: code }] })

describe("what an instruction says of its refusal where there is no log", () => {
  const escrow = Pda.escrow(CHANNEL, WALLET).address
  const rent = { InsufficientFundsForRent: { account_index: 0 } }
  const other = { InsufficientFundsForRent: { account_index: 1 } }

  it.each([
    [custom(0), "register", { reason: "AlreadyRegistered", address: Pda.agent(WALLET).address }, "address"],
    [custom(0), "join", { reason: "AlreadyInChannel" }, "address"],
    [custom(1), "register", { reason: "InsufficientFunds", address: WALLET }, "wallet"],
    [custom(6007), "withdraw", { reason: "InsufficientFunds", address: escrow, required: 77n }, "escrow"],
    [custom(6007), "join", { reason: "InsufficientFunds", address: escrow }, "escrow"],
    ["InsufficientFundsForFee", "join", { address: WALLET, required: 5000n }, "wallet"],
    ["AccountNotFound", "join", { address: WALLET, required: 5000n, available: 0n }, "wallet"],
    [rent, "join", { address: WALLET, required: 890_880n }, "wallet"],
    [other, "join", { address: CHANNEL }, "wallet"]
  ] as const)("Given %j of %s, When it is read, Then it has %o and names the %s", (err, name, facts, role) => {
    const error = withoutLog(err, name)
    expect(error).toMatchObject(facts)
    expect(error.message).toContain(`${role} ${error.address}`)
    expect(error.message.split(`${error.address}`)).toHaveLength(2)
  })

  it("Given a transfer that its payer cannot make, When it is read, Then it names payer and amount", () => {
    const error = Option.getOrThrow(
      ProgramError.fromTransactionError(custom(1), [], { instructions: [transfer(WALLET, CHANNEL, 99n)] })
    )
    expect(error).toMatchObject({ reason: "InsufficientFunds", address: WALLET, required: 99n })
  })
})
