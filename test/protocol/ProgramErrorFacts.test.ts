import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as ProgramError from "../../src/protocol/ProgramError.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"

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
  it("Given an account that exists, when it is read, then the error has and names its address, and no program 1111…", () => {
    const line = `Allocate: account Address { address: ${ADDRESS}, base: None } already in use`
    const error = refusalOf(0, line, "RegisterAgent")
    expect(error).toMatchObject({ reason: "AlreadyRegistered", address: ADDRESS })
    expect(error.message).toContain(ADDRESS)
    expect(error.message).not.toContain(SYSTEM)
  })

  it("Given too few lamports, when it is read, then the error has both amounts", () => {
    const error = refusalOf(1, "Transfer: insufficient lamports 5, need 2885880", "RegisterAgent")
    expect(error).toMatchObject({ reason: "InsufficientFunds", available: 5n, required: 2_885_880n })
    expect(error.message).toContain("2885880 lamports needed, 5 lamports held")
  })

  it("Given a reason whose text is its name, when it is shown, then it is said once", () => {
    const error = Option.getOrThrow(
      ProgramError.fromTransactionError({ InstructionError: [0, { Custom: 6001 }] }, [], {
        instructions: [{ programAddress: PROGRAM_ID }]
      })
    )
    expect(error.message.match(/Unauthorized/g)).toHaveLength(1)
  })
})
