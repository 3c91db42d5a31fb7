import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Logs from "../../src/protocol/Logs.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { assertProperty } from "../support/runs.js"
import * as Vectors from "./vectors.js"

const other = Vectors.walletB

describe("Logs", () => {
  it("Given a transaction of two instructions, When its log is parsed, Then each line is with its invocation", () => {
    const { failed, frames, isTruncated } = Logs.parse([
      `Program ${PROGRAM_ID} invoke [1]`,
      "Program log: Instruction: RegisterAgent",
      `Program ${SYSTEM_PROGRAM} invoke [2]`,
      `Program ${SYSTEM_PROGRAM} success`,
      "Program data: AAAA BBBB",
      `Program ${PROGRAM_ID} consumed 12345 of 200000 compute units`,
      `Program ${PROGRAM_ID} success`,
      `Program ${other} invoke [1]`,
      "Program log: hello",
      `Program ${other} success`
    ])
    assert.deepStrictEqual(
      frames.map(({ data, depth, logs, program, unitsConsumed }) => ({ program, depth, logs, data, unitsConsumed })),
      [
        {
          program: PROGRAM_ID,
          depth: 1,
          logs: ["Instruction: RegisterAgent"],
          data: ["AAAA BBBB"],
          unitsConsumed: 12345
        },
        { program: SYSTEM_PROGRAM, depth: 2, logs: [], data: [], unitsConsumed: undefined },
        { program: other, depth: 1, logs: ["hello"], data: [], unitsConsumed: undefined }
      ]
    )
    assert.deepStrictEqual(
      frames.map(({ parent }) => parent),
      [undefined, frames[0], undefined]
    )
    assert.isTrue(frames.every(({ outcome }) => outcome._tag === "Success"))
    assert.isUndefined(failed)
    assert.isFalse(isTruncated)
  })

  it("Given a failure inside another program, When parsed, Then the innermost one is to blame", () => {
    const { failed, frames } = Logs.parse([
      `Program ${PROGRAM_ID} invoke [1]`,
      `Program ${SYSTEM_PROGRAM} invoke [2]`,
      "Create Account: account Address { address: x, base: None } already in use",
      `Program ${SYSTEM_PROGRAM} failed: custom program error: 0x0`,
      `Program ${PROGRAM_ID} failed: custom program error: 0x0`
    ])
    assert.strictEqual(failed, frames[1])
    assert.deepStrictEqual(frames[1]?.outcome, { _tag: "Failure", error: "custom program error: 0x0" })
    assert.deepStrictEqual(frames[1]?.logs, [
      "Create Account: account Address { address: x, base: None } already in use"
    ])
    assert.deepStrictEqual(failed === undefined ? [] : Logs.ancestry(failed).map(({ program }) => program), [
      SYSTEM_PROGRAM,
      PROGRAM_ID
    ])
  })

  it("Given a log that was cut off, When parsed, Then open invocations have an unknown outcome", () => {
    const { frames, isTruncated } = Logs.parse([`Program ${PROGRAM_ID} invoke [1]`, "Program log: a", "Log truncated"])
    assert.isTrue(isTruncated)
    assert.deepStrictEqual(frames[0]?.outcome, { _tag: "Unknown" })
    assert.deepStrictEqual(frames[0]?.logs, ["a"])
  })

  it("Given programs that log the runtime's lines, When parsed, Then these lines begin and end no invocation", () => {
    const { failed, frames } = Logs.parse([
      `Program ${other} invoke [1]`,
      `Program log: Program ${PROGRAM_ID} invoke [2]`,
      `Program log: Program ${other} failed: x`,
      `Program log: \nProgram ${PROGRAM_ID} invoke [2]`,
      `Program ${other} success`
    ])
    assert.strictEqual(frames.length, 1)
    assert.strictEqual(frames[0]?.logs.length, 3)
    assert.isUndefined(failed)
  })

  it("Given ends without beginnings and beginnings without ends, When parsed, Then the parser accepts them", () => {
    const { failed, frames } = Logs.parse([
      `Program ${other} success`,
      `Program ${PROGRAM_ID} invoke [1]`,
      `Program ${other} invoke [2]`,
      `Program ${SYSTEM_PROGRAM} invoke [1]`,
      `Program ${other} failed: late`,
      `Program ${SYSTEM_PROGRAM} success`
    ])
    assert.deepStrictEqual(
      frames.map(({ outcome, program }) => [program, outcome._tag]),
      [
        [PROGRAM_ID, "Unknown"],
        [other, "Unknown"],
        [SYSTEM_PROGRAM, "Success"]
      ]
    )
    assert.isUndefined(failed)
  })

  it("Given any lines, When parsed, Then every invocation is nested below a shallower one", async () => {
    const program = FastCheck.constantFrom(PROGRAM_ID, SYSTEM_PROGRAM, other, "nobody")
    const line = FastCheck.oneof(
      FastCheck.tuple(program, FastCheck.nat({ max: 9 })).map(([id, depth]) => `Program ${id} invoke [${depth}]`),
      program.map((id) => `Program ${id} success`),
      program.map((id) => `Program ${id} failed: x`),
      program.map((id) => `Program ${id} consumed 1 of 2 compute units`),
      FastCheck.string().map((text) => `Program log: ${text}`),
      FastCheck.string().map((text) => `Program data: ${text}`),
      FastCheck.constant("Log truncated"),
      FastCheck.string()
    )
    await assertProperty(
      FastCheck.property(FastCheck.array(line, { maxLength: 40 }), (lines) => {
        const { failed, frames } = Logs.parse(lines)
        for (const { depth, parent } of frames) assert.isTrue(parent === undefined || parent.depth < depth)
        assert.isTrue(failed === undefined || failed.outcome._tag === "Failure")
      }),
      200
    )
  })
})
