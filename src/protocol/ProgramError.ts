/**
 * The error for an instruction that a program refused.
 *
 * @since 0.1.0
 */
import type { Address, ReadonlyUint8Array, Signature } from "@solana/kit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"
import * as Addresses from "../solana/Address.js"
import * as Signatures from "../solana/Signature.js"
import { type InstructionTag, isTag, tagOf } from "./instruction/data.js"
import { type CodeName, codes, details, existing, type OwnReason } from "./internal/errorReasons.js"
import * as Facts from "./internal/failureFacts.js"
import * as TransactionFailure from "./internal/transactionFailure.js"
import * as Logs from "./Logs.js"
import { PROGRAM_ID } from "./Program.js"

/**
 * An error code of the program (6000–6017) or of its framework, with name and text.
 *
 * @since 0.1.0
 * @category models
 */
export interface ErrorCode {
  readonly name: CodeName
  readonly text: string
}

/**
 * The meaning of a code of the program or of its framework. Other programs give the same numbers other meanings.
 *
 * @since 0.1.0
 * @category decoding
 */
export const errorCode = (code: number): Option.Option<ErrorCode> => Option.fromNullable(codes.get(code))

/**
 * The reason of a refusal. For the program and its framework, it is the name of the code. For the System program and the
 * runtime, it is the meaning of the code for the instruction. `Unknown` for codes of other programs.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = CodeName | OwnReason

const isReason = (text: string): text is Reason => details.has(text)

const SYSTEM_ACCOUNT_IN_USE = 0
const SYSTEM_NEGATIVE_LAMPORTS = 1

/** The runtime's errors for a fee payer without enough lamports. */
const unpaid = new Set(["AccountNotFound", "InsufficientFundsForFee", "InsufficientFundsForRent"])

/**
 * A program refused an instruction, and with it the whole transaction.
 *
 * `program` is the program that failed: the first failed invocation in the runtime's log. The error of a nested program
 * is never attributed to its caller.
 *
 * @example
 * import { Agent } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * export const registerOnce = Effect.flatMap(Agent.Agent, (agents) =>
 *   agents.register({ metadataUri: "https://example.com/agent.json" })
 * ).pipe(
 *   Effect.asVoid,
 *   Effect.catchTag("ProgramError", (error) =>
 *     error.reason === "AlreadyRegistered" ? Effect.void : Effect.fail(error)
 *   )
 * )
 *
 * @since 0.1.0
 * @category errors
 */
export class ProgramError extends printable(
  Schema.TaggedError<ProgramError>("@pod-protocol/effect/ProgramError")("ProgramError", {
    reason: Schema.String.pipe(Schema.filter(isReason)),
    /** The error code; absent if the runtime reports a name instead, which is then in `detail`. */
    code: Schema.optional(Schema.Number),
    /** The program that failed. It is the System program if lamports for fee or rent were missing. */
    program: Addresses.Schema,
    /** The protocol's instruction that failed. */
    instruction: Schema.optional(SafeText.Schema()),
    /** Index of the instruction in the transaction, from 0; absent if the transaction failed as a whole. */
    instructionIndex: Schema.optional(Schema.Number),
    /** The account that caused the error, by the program's name for it, if the program's log names it. */
    account: Schema.optional(SafeText.Schema()),
    /** The account that exists already, or the wallet or escrow whose lamports are too few. */
    address: Schema.optional(Addresses.Schema),
    /** Lamports that the wallet or escrow holds; present if the System program's log or the runtime reports them. */
    available: Schema.optional(Schema.BigInt),
    /**
     * Lamports that the wallet or escrow must pay or hold; present if the log, the instruction or the fee determines
     * them.
     */
    required: Schema.optional(Schema.BigInt),
    /** The message of the program or the runtime. */
    detail: SafeText.Schema(),
    /** The transaction's log. */
    logs: Schema.Array(SafeText.Schema(16 * 1024)),
    signature: Schema.optional(Signatures.Schema),
    /**
     * True if only a node's preflight refused the transaction. The node has the signed bytes and may have forwarded them,
     * so the transaction may still land. Look up `signature` before you repeat the work with other bytes. Absent if the
     * cluster refused the transaction.
     */
    mayHaveLanded: Schema.optional(Schema.Boolean)
  })
) {
  /**
   * True for the rate limit, which passes with time. False otherwise: the program would refuse the same instruction
   * again.
   */
  get isRetryable(): boolean {
    return this.reason === "RateLimitExceeded"
  }

  override get message(): string {
    const where = [
      this.instruction,
      this.account === undefined ? undefined : `account ${this.account}`,
      this.address === undefined ? undefined : `${roleOf(this)} ${this.address}`,
      this.required === undefined ? undefined : `${this.required} lamports needed`,
      this.available === undefined ? undefined : `${this.available} lamports held`,
      this.code === undefined ? undefined : `code ${this.code}`,
      this.program === Addresses.SYSTEM_PROGRAM ? undefined : `program ${this.program}`
    ].filter((part) => part !== undefined)
    return `${this.reason}: ${this.detail}${where.length === 0 ? "" : ` (${where.join(", ")})`}`
  }
}

/** The role of the error's address. */
const roleOf = ({ program, reason }: ProgramError): string => {
  if (reason !== "InsufficientFunds") return "address"
  return program === Addresses.SYSTEM_PROGRAM ? "wallet" : "escrow"
}

/**
 * The caller's knowledge of a failed transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  /** The transaction's instructions in order. Kit instructions are accepted. */
  readonly instructions: ReadonlyArray<{
    readonly programAddress: Address
    /** They serve to find the account to blame if the log does not name it. */
    readonly accounts?: ReadonlyArray<{ readonly address: Address } | undefined> | undefined
    readonly data?: ReadonlyUint8Array | undefined
  }>
  /** The accounts of the message, in its order, which begins with the fee payer. */
  readonly accounts?: ReadonlyArray<Address> | undefined
  /** The fee of the transaction, in lamports. */
  readonly fee?: bigint | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
  readonly signature?: Signature | undefined
}

/**
 * Converts the error that a node reports for a transaction (`err` of a status, a simulation or a preflight), with its
 * log. Integers may be numbers or bigints. Returns `None` if no program caused the error, for example for an expired
 * blockhash or a missing signature.
 *
 * Without a complete log, `program` is the program of the failed instruction.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromTransactionError = (
  err: unknown,
  logs: ReadonlyArray<string>,
  context: Context
): Option.Option<ProgramError> =>
  Option.flatMap(TransactionFailure.parse(err), (failure) => {
    const place = placeOf(failure, logs, context)
    if (place === undefined) return Option.none()
    const { detail, reason } = explain(failure, place)
    return Option.some(
      new ProgramError({
        reason,
        code: failure.code,
        program: place.program,
        instruction: place.instruction,
        instructionIndex: failure.instructionIndex,
        account: place.isOwn ? accountIn(place.frame?.logs ?? []) : undefined,
        ...factsOf(failure, reason, place, context),
        detail,
        logs,
        signature: context.signature
      })
    )
  })

/** The place at which a transaction failed. */
interface Place {
  readonly program: Address
  /** Whether `program` is the protocol's program. */
  readonly isOwn: boolean
  readonly instruction: InstructionTag | undefined
  readonly frame: Logs.Frame | undefined
}

const placeOf = (
  failure: TransactionFailure.TransactionFailure,
  logs: ReadonlyArray<string>,
  { instructions, programId = PROGRAM_ID }: Context
): Place | undefined => {
  if (failure.instructionIndex === undefined) {
    return unpaid.has(failure.kind)
      ? { program: Addresses.SYSTEM_PROGRAM, isOwn: false, instruction: undefined, frame: undefined }
      : undefined
  }
  const invoked = instructions[failure.instructionIndex]
  const invokedTag =
    invoked?.programAddress === programId && invoked.data !== undefined ? tagOf(invoked.data.slice(0, 8)) : undefined
  const frame = Logs.parse(logs).failed
  if (frame !== undefined) {
    const own = Logs.ancestry(frame).find(({ program }) => program === programId)
    const instruction = own === undefined ? undefined : (loggedTag(own.logs) ?? invokedTag)
    return { program: frame.program, isOwn: frame.program === programId, instruction, frame }
  }
  if (invoked === undefined) return undefined
  // The program's own codes begin at 100. Lower codes come from the System program that it invoked.
  const isSystem = invokedTag !== undefined && (failure.code ?? OWN_CODES) < OWN_CODES
  const program = isSystem ? Addresses.SYSTEM_PROGRAM : invoked.programAddress
  return { program, isOwn: program === programId, instruction: invokedTag, frame }
}

const OWN_CODES = 100

const INSTRUCTION = "Instruction: "

/** The instruction that the program names in the first line of its log. */
const loggedTag = ([first = ""]: ReadonlyArray<string>): InstructionTag | undefined => {
  const name = first.startsWith(INSTRUCTION) ? first.slice(INSTRUCTION.length) : ""
  return isTag(name) ? name : undefined
}

const CAUSED_BY = /^AnchorError caused by account: (\w{1,64})\. Error Code: /

/** The account that the program names in its last error. */
const accountIn = (logs: ReadonlyArray<string>): string | undefined =>
  logs.findLast((line) => CAUSED_BY.test(line))?.match(CAUSED_BY)?.[1]

/** Facts about the account to blame. Facts from the log override facts from the instruction. */
const factsOf = (
  failure: TransactionFailure.TransactionFailure,
  reason: Reason,
  { frame, instruction: tag, isOwn, program }: Place,
  { accounts = [], fee, instructions, programId = PROGRAM_ID }: Context
): Facts.Facts => {
  if (failure.instructionIndex === undefined) return Facts.unpaid(failure, accounts, fee)
  const invoked = instructions[failure.instructionIndex]
  const own = invoked?.programAddress === programId && tag !== undefined ? { tag, invoked } : undefined
  if (isOwn) return own !== undefined && reason === "InsufficientFunds" ? Facts.escrowOf(own.tag, own.invoked) : {}
  if (program !== Addresses.SYSTEM_PROGRAM) return {}
  const given =
    own === undefined
      ? reason === "InsufficientFunds" && invoked?.programAddress === program
        ? Facts.ofTransfer(invoked)
        : {}
      : reason === "InsufficientFunds"
        ? Facts.paidBy(own.tag, own.invoked)
        : Facts.madeBy(own.tag, own.invoked)
  return { ...given, ...Facts.ofLog(frame?.logs ?? []) }
}

const underfunded = (detail: string) => ({ reason: "InsufficientFunds" as const, detail })

const because = (reason: Reason) => ({ reason, detail: details.get(reason) ?? reason })

const explain = (
  { code, kind }: TransactionFailure.TransactionFailure,
  { frame, instruction, isOwn, program }: Place
): { readonly reason: Reason; readonly detail: string } => {
  const known = isOwn && code !== undefined ? codes.get(code) : undefined
  if (known !== undefined) {
    // Programs that reissue used invitations return AlreadyInChannel while an invitation is still open.
    const isInvited = known.name === "AlreadyInChannel" && instruction === "InviteToChannel"
    if (known.name === "InsufficientFunds") return underfunded("deposit more into the escrow, or take less out")
    return because(isInvited ? "AlreadyInvited" : known.name)
  }
  if (program === Addresses.SYSTEM_PROGRAM) {
    if (code === SYSTEM_NEGATIVE_LAMPORTS || unpaid.has(kind)) return underfunded("fund the wallet that pays")
    if (code === SYSTEM_ACCOUNT_IN_USE) {
      return because((instruction === undefined ? undefined : existing[instruction]) ?? "AccountAlreadyInUse")
    }
  }
  if (code === undefined && isReason(kind)) return because(kind)
  const said = frame?.outcome._tag === "Failure" ? frame.outcome.error : kind
  return { reason: "Unknown", detail: `${because("Unknown").detail}: ${said}` }
}
