import { LangErrorCode, LangErrorMessage } from "@coral-xyz/anchor"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as ProgramError from "../../src/protocol/ProgramError.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { assertProperty } from "../support/runs.js"
import * as Oracles from "./oracles.js"
import * as Vectors from "./vectors.js"

const { channel, walletA, walletB } = Vectors
const other = Vectors.escrow.address
const text = MessageType.Text

const register = Either.getOrThrow(
  Instruction.registerAgent({ wallet: walletA, capabilities: 1n, metadataUri: "https://example.com" })
)
const send = Either.getOrThrow(
  Instruction.sendMessage({ wallet: walletA, recipient: walletB, payloadHash: Vectors.helloHash, type: text })
)
const newChannel = {
  wallet: walletA,
  name: "n",
  description: "",
  visibility: "Public",
  maxParticipants: 1,
  feePerMessage: 0n
} as const
const create = Either.getOrThrow(Instruction.createChannel(newChannel))
const createV2 = Either.getOrThrow(Instruction.createChannelV2(newChannel))
const join = Either.getOrThrow(Instruction.joinChannel({ wallet: walletA, channel: channel.address }))
const invite = Either.getOrThrow(
  Instruction.inviteToChannel({ wallet: walletA, channel: channel.address, invitee: walletB, nonce: 1n })
)
const broadcast = Either.getOrThrow(
  Instruction.broadcastMessage({ wallet: walletA, channel: channel.address, content: "hi", type: text, nonce: 1n })
)
const deposit = Either.getOrThrow(Instruction.depositEscrow({ wallet: walletA, channel: channel.address, amount: 1n }))
const foreign = { programAddress: other, data: new Uint8Array(8) }

/** The log of an instruction of ours in which the System program refuses to make an account. */
const inUse = (name: string) => [
  `Program ${PROGRAM_ID} invoke [1]`,
  `Program log: Instruction: ${name}`,
  `Program ${SYSTEM_PROGRAM} invoke [2]`,
  `Program ${SYSTEM_PROGRAM} failed: custom program error: 0x0`,
  `Program ${PROGRAM_ID} failed: custom program error: 0x0`
]

const refused = (log: ReadonlyArray<string>, code: string) => [
  `Program ${PROGRAM_ID} invoke [1]`,
  "Program log: Instruction: SendMessage",
  ...log.map((line) => `Program log: ${line}`),
  `Program ${PROGRAM_ID} failed: custom program error: ${code}`
]

const read = (err: unknown, logs: ReadonlyArray<string>, context: ProgramError.Context) =>
  Option.getOrThrow(ProgramError.fromTransactionError(err, logs, context))

describe("ProgramError", () => {
  it("Given the framework's and the program's codes, When looked up, Then names and texts are theirs", () => {
    for (const [name, code] of Object.entries(LangErrorCode)) {
      assert.deepStrictEqual(ProgramError.errorCode(code), Option.some({ name, text: LangErrorMessage.get(code) }))
    }
    for (const { code, msg, name } of Oracles.idl.errors ?? []) {
      assert.deepStrictEqual(ProgramError.errorCode(code), Option.some({ name, text: msg }))
    }
    assert.strictEqual(Oracles.idl.errors?.length, 18)
  })

  it("Given an account that exists already, When the System program refuses, Then the reason follows from the instruction", () => {
    const expected = [
      [register, "RegisterAgent", "AlreadyRegistered"],
      [send, "SendMessage", "DuplicateMessage"],
      [broadcast, "BroadcastMessage", "DuplicateMessage"],
      [create, "CreateChannel", "ChannelNameTaken"],
      [createV2, "CreateChannelV2", "ChannelNameTaken"],
      [join, "JoinChannel", "AlreadyInChannel"],
      [invite, "InviteToChannel", "AlreadyInvited"],
      [deposit, "DepositEscrow", "EscrowExists"]
    ] as const
    for (const [instruction, name, reason] of expected) {
      for (const logs of [inUse(name), [], inUse(name).slice(0, 2).concat("Log truncated")]) {
        const error = read({ InstructionError: [0, { Custom: 0 }] }, logs, { instructions: [instruction] })
        assert.deepStrictEqual(
          [error.reason, error.code, error.program, error.instruction, error.instructionIndex],
          [reason, 0, SYSTEM_PROGRAM, name, 0]
        )
      }
    }
  })

  it("Given a payer without lamports, When the System program or the runtime refuses, Then the reason is InsufficientFunds", () => {
    const negative = inUse("RegisterAgent").map((line) => line.replace("0x0", "0x1"))
    const context = { instructions: [register] }
    for (const [err, logs] of [
      [{ InstructionError: [0, { Custom: 1 }] }, negative],
      [{ InstructionError: [0, { Custom: 1 }] }, []],
      ["AccountNotFound", []],
      ["InsufficientFundsForFee", []],
      [{ InsufficientFundsForRent: { account_index: 0 } }, []]
    ] as const) {
      const error = read(err, logs, context)
      assert.deepStrictEqual([error.reason, error.program], ["InsufficientFunds", SYSTEM_PROGRAM])
    }
  })

  it("Given the program's own code, When read, Then reason, instruction, place and account are known", () => {
    const logs = [
      `Program ${other} invoke [1]`,
      `Program ${other} success`,
      ...refused(
        [
          "AnchorError caused by account: sender_agent. Error Code: AccountNotInitialized. Error Number: 3012. Error Message: The program expected this account to be already initialized."
        ],
        "0xbc4"
      )
    ]
    // Given numbers as other JSON parsers give them
    for (const [index, code] of [
      [1, 3012],
      [1n, 3012n]
    ] as const) {
      const error = read({ InstructionError: [index, { Custom: code }] }, logs, { instructions: [foreign, send] })
      assert.deepStrictEqual(
        [error.reason, error.code, error.program, error.instruction, error.instructionIndex, error.account],
        ["AccountNotInitialized", 3012, PROGRAM_ID, "SendMessage", 1, "sender_agent"]
      )
      assert.strictEqual(
        error.message,
        `AccountNotInitialized: The program expected this account to be already initialized: register the agent, join the channel or make the account first (SendMessage, account sender_agent, code 3012, program ${PROGRAM_ID})`
      )
      assert.isFalse(error.isRetryable)
    }
  })

  it("Given a rate limit, When it is read, Then it is retryable", () => {
    const error = read({ InstructionError: [0, { Custom: 6011 }] }, refused([], "0x177b"), { instructions: [send] })
    assert.strictEqual(error.reason, "RateLimitExceeded")
    assert.isTrue(error.isRetryable)
  })

  it("Given a foreign program that fails with a code of ours, When read, Then ours is not blamed", () => {
    // Given it failed beside our instruction
    const beside = [`Program ${other} invoke [1]`, `Program ${other} failed: custom program error: 0x1771`]
    // Given it failed below our instruction, pretending to be it
    const below = [
      `Program ${PROGRAM_ID} invoke [1]`,
      "Program log: Instruction: SendMessage",
      `Program ${other} invoke [2]`,
      "Program log: AnchorError caused by account: x. Error Code: Unauthorized. Error Number: 6001. Error Message: y.",
      `Program ${other} failed: custom program error: 0x1771`,
      `Program ${PROGRAM_ID} failed: custom program error: 0x1771`
    ]
    for (const [logs, instructions] of [
      [beside, [foreign]],
      [below, [send]],
      [[], [foreign]]
    ] as const) {
      const error = read({ InstructionError: [0, { Custom: 6001 }] }, logs, { instructions })
      assert.deepStrictEqual([error.reason, error.program, error.account], ["Unknown", other, undefined])
    }
  })

  it("Given a foreign program that invokes ours, When ours fails, Then the error is ours and so its instruction", () => {
    const logs = [
      `Program ${other} invoke [1]`,
      `Program ${PROGRAM_ID} invoke [2]`,
      "Program log: Instruction: JoinChannel",
      `Program ${SYSTEM_PROGRAM} invoke [3]`,
      `Program ${SYSTEM_PROGRAM} failed: custom program error: 0x0`,
      `Program ${PROGRAM_ID} failed: custom program error: 0x0`,
      `Program ${other} failed: custom program error: 0x0`
    ]
    const error = read({ InstructionError: [0, { Custom: 0 }] }, logs, { instructions: [foreign] })
    assert.deepStrictEqual([error.reason, error.instruction], ["AlreadyInChannel", "JoinChannel"])
  })

  it("Given a transfer beside ours that fails, When read, Then no instruction of ours is named", () => {
    const logs = [`Program ${SYSTEM_PROGRAM} invoke [1]`, `Program ${SYSTEM_PROGRAM} failed: custom program error: 0x0`]
    const instructions = [{ programAddress: SYSTEM_PROGRAM, data: new Uint8Array(12) }]
    const error = read({ InstructionError: [0, { Custom: 0 }] }, logs, { instructions })
    assert.deepStrictEqual([error.reason, error.instruction], ["AccountAlreadyInUse", undefined])
  })

  it("Given an invitation that is not spent, When the program says AlreadyInChannel, Then it is AlreadyInvited", () => {
    const err = { InstructionError: [0, { Custom: 6005 }] }
    assert.strictEqual(read(err, [], { instructions: [invite] }).reason, "AlreadyInvited")
    assert.strictEqual(read(err, [], { instructions: [join] }).reason, "AlreadyInChannel")
  })

  it("Given a name instead of a code, When read, Then it is the reason or stands in the detail", () => {
    const context = { instructions: [send] }
    const panic = read({ InstructionError: [0, "ProgramFailedToComplete"] }, [], context)
    assert.deepStrictEqual([panic.reason, panic.code], ["ProgramFailedToComplete", undefined])
    const rare = read({ InstructionError: [0, { BorshIoError: "x" }] }, [], context)
    assert.deepStrictEqual(
      [rare.reason, rare.detail],
      ["Unknown", "the program failed with an error of its own, see its logs: BorshIoError"]
    )
  })

  it("Given a failure that is no program's, When read, Then there is none", () => {
    for (const err of [
      "BlockhashNotFound",
      null,
      undefined,
      7,
      {},
      [],
      { InstructionError: 3 },
      { InstructionError: [] }
    ]) {
      assert.isTrue(Option.isNone(ProgramError.fromTransactionError(err, [], { instructions: [send] })))
    }
  })

  it("Given an error, When it is turned to JSON text and back, Then it is the same", () => {
    const error = read({ InstructionError: [0, { Custom: 6001 }] }, refused([], "0x1771"), { instructions: [send] })
    const json = JSON.stringify(Schema.encodeSync(ProgramError.ProgramError)(error))
    const back = Schema.decodeUnknownSync(ProgramError.ProgramError)(JSON.parse(json))
    assert.strictEqual(back.message, error.message)
  })

  it("Given anything as error and log, When read, Then it is an error or none", async () => {
    await assertProperty(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.anything({ withBigInt: true }),
          FastCheck.tuple(FastCheck.anything(), FastCheck.anything()).map((content) => ({ InstructionError: content })),
          FastCheck.integer().map((code) => ({ InstructionError: [0, { Custom: code }] }))
        ),
        FastCheck.array(FastCheck.oneof(FastCheck.string(), FastCheck.constantFrom(...inUse("SendMessage")))),
        (err, logs) => {
          const result = ProgramError.fromTransactionError(err, logs, { instructions: [send] })
          assert.isTrue(Option.isNone(result) || result.value.message.length > 0)
        }
      ),
      200
    )
  })
})
