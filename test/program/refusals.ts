/** How the program says no: the code and the log lines, word for word. */
import { expect } from "@effect/vitest"
import idl from "../../program/idl.json" with { type: "json" }
import type { Outcome } from "./harness.js"

const framework = [
  [101, "InstructionFallbackNotFound", "Fallback functions are not supported"],
  [102, "InstructionDidNotDeserialize", "The program could not deserialize the given instruction"],
  [2000, "ConstraintMut", "A mut constraint was violated"],
  [2006, "ConstraintSeeds", "A seeds constraint was violated"],
  [3001, "AccountDiscriminatorNotFound", "No discriminator was found on the account"],
  [3002, "AccountDiscriminatorMismatch", "Account discriminator did not match what was expected"],
  [3003, "AccountDidNotDeserialize", "Failed to deserialize the account"],
  [3004, "AccountDidNotSerialize", "Failed to serialize the account"],
  [3005, "AccountNotEnoughKeys", "Not enough account keys given to the instruction"],
  [3007, "AccountOwnedByWrongProgram", "The given account is owned by a different program than expected"],
  [3008, "InvalidProgramId", "Program ID was not as expected"],
  [3009, "InvalidProgramExecutable", "Program account is not executable"],
  [3010, "AccountNotSigner", "The given account did not sign"],
  [3012, "AccountNotInitialized", "The program expected this account to be already initialized"],
  [4100, "DeclaredProgramIdMismatch", "The declared program id does not match the actual program id"]
] as const

const descriptions = new Map<number, string>([
  ...framework.map(([code, name, message]) => [code, describe(code, name, message)] as const),
  ...idl.errors.map(({ code, msg, name }) => [code, describe(code, name, msg)] as const)
])

function describe(code: number, name: string, message: string): string {
  return `Error Code: ${name}. Error Number: ${code}. Error Message: ${message}.`
}

const transcript = (outcome: Outcome): string => `${outcome.failure}\n${outcome.logs.join("\n")}`

/** The transaction landed. */
export const expectSuccess = (outcome: Outcome): void => {
  expect(outcome.succeeded, transcript(outcome)).toBe(true)
}

const expectLine = (outcome: Outcome, code: number, origin: string): void => {
  expect(outcome.code, transcript(outcome)).toBe(code)
  expect(outcome.logs).toContain(`Program log: AnchorError ${origin}. ${descriptions.get(code)}`)
}

/** A rule of the instruction refused. */
export const expectRefusal = (outcome: Outcome, code: number): void => expectLine(outcome, code, "occurred")

/** A constraint on an account refused. */
export const expectAccountRefusal = (outcome: Outcome, code: number, account: string): void =>
  expectLine(outcome, code, `caused by account: ${account}`)

/** Two keys differ; they follow the error line. */
export const expectKeys = (outcome: Outcome, code: number, account: string, left: string, right: string): void => {
  expectAccountRefusal(outcome, code, account)
  const line = outcome.logs.findIndex((text) => text.includes("AnchorError"))
  expect(outcome.logs.slice(line + 1, line + 5)).toEqual(
    ["Left:", left, "Right:", right].map((text) => `Program log: ${text}`)
  )
}

const SYSTEM = "11111111111111111111111111111111"

/** The System program refused, in a call of the program's. */
export const expectSystemRefusal = (outcome: Outcome, code: number): void => {
  expect(outcome.code, transcript(outcome)).toBe(code)
  expect(outcome.logs).toContain(`Program ${SYSTEM} failed: custom program error: 0x${code.toString(16)}`)
  expect(outcome.logs.join("\n")).not.toContain("AnchorError")
}

/** The runtime refused to let the program pass on what it was not given. */
export const expectEscalation = (outcome: Outcome): void => {
  expect(outcome.failure).toContain("PrivilegeEscalation")
}
