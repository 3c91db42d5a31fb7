/** Reads a node's refusal of a transaction: which outcome it is, and whether the bytes may have landed all the same. */
import type { Address as Address_, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as ProgramError from "../../src/protocol/ProgramError.js"
import * as Address from "../../src/solana/Address.js"
import * as Json from "../../src/solana/Json.js"
import * as NonceAccount from "../../src/solana/NonceAccount.js"
import * as Wire from "../../src/solana/Wire.js"
import { RpcError } from "../RpcTransport.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import type { SendError } from "./Model.js"
import { TransactionError } from "./TransactionError.js"

/** JSON-RPC's code for a transaction that failed in the node's own simulation before it was forwarded. */
const PREFLIGHT_FAILURE = -32002

/**
 * Codes with which a node says that it does not forward a transaction: preflight, signature verification, node behind,
 * signature count, transaction version, minimum context slot, and JSON-RPC's own for a call that cannot be understood.
 */
const REFUSALS: ReadonlySet<number> = new Set([
  PREFLIGHT_FAILURE,
  -32003,
  -32005,
  -32013,
  -32015,
  -32016,
  -32600,
  -32601,
  -32602,
  -32700
])

/** What a failed preflight says. */
export interface Preflight {
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
}

const PreflightData = Schema.Struct({
  err: Schema.Unknown.pipe(Schema.filter((err) => err !== null && err !== undefined)),
  logs: Schema.optional(Schema.NullOr(Schema.Array(Schema.String)))
})

const decodePreflight = Schema.decodeUnknownOption(PreflightData)

/** The answer of a preflight, where all that were asked gave the same. */
export const preflight = (error: RpcError): Option.Option<Preflight> =>
  error.reason === "Node" && error.code === PREFLIGHT_FAILURE && error.cause === undefined
    ? Option.map(decodePreflight(error.data), ({ err, logs }) => ({ err, logs: logs ?? [] }))
    : Option.none()

/** The attempts that a failure sums up; none where its cause is anything else. */
const attemptsOf = (error: RpcError): ReadonlyArray<RpcError> => {
  const { cause } = error
  if (cause === undefined) return [error]
  const errors: unknown = Predicate.hasProperty(cause, "errors") ? cause.errors : undefined
  return Array.isArray(errors) && errors.every((one) => one instanceof RpcError) ? errors : []
}

const every = (error: RpcError, predicate: (attempt: RpcError) => boolean): boolean => {
  const attempts = attemptsOf(error)
  return attempts.length > 0 && attempts.every(predicate)
}

/** Whether the call was sent to no endpoint. An endpoint's own limit comes with a status or a code. */
const isOwnRefusal = ({ code, reason, status }: RpcError): boolean =>
  reason === "PoolClosed" || (reason === "RateLimited" && status === undefined && code === undefined)

/** Whether the transaction was not handed to any node. No node's word decides this. */
export const wasNotSent = (error: RpcError): boolean => every(error, isOwnRefusal)

/**
 * Whether a node may have forwarded the transaction although sending it failed, by what it says: no HTTP status says that
 * it did not, but a 429, which comes before any work. Of several attempts, all must have been held back by a limit: of
 * others one may have been refused because another arrived. Where this is false it is still one node's word.
 */
export const mayHaveBeenSent = (error: RpcError): boolean => {
  if (error.cause !== undefined)
    return !every(error, ({ cause, reason }) => cause === undefined && reason === "RateLimited")
  switch (error.reason) {
    case "Transport":
    case "Timeout":
    case "Decode":
    case "HttpStatus":
      return true
    case "RateLimited":
    case "PoolClosed":
      return false
    case "Node":
      return error.code === undefined || !REFUSALS.has(error.code)
  }
}

/** What a node's refusal to take the bytes means. */
export const refused = (signed: SignedTransaction, cause: RpcError): TransactionError =>
  new TransactionError({
    reason: "Unconfirmed",
    detail: `a node refused it, and another may have it (${cause.detail}); resume the same signed transaction to know`,
    signature: signed.signature,
    logs: [],
    mayHaveLanded: true,
    signed,
    cause
  })

/** Whether the transaction of a failed delivery may land yet, or may have landed unseen. */
export const mayHaveLanded = (error: SendError): boolean =>
  error._tag === "TransactionError" && (error.mayHaveLanded === true || error.reason === "Unconfirmed")

/** What says success in the place of an `err`. */
export const succeeded = (err: unknown): boolean => err === null || err === undefined

/** An error with its instruction: `{ InstructionError: [index, what] }`. */
const InstructionError = Schema.Struct({ InstructionError: Schema.Tuple(Schema.NonNegativeInt, Schema.Unknown) })

const decodeInstructionError = Schema.decodeUnknownOption(InstructionError)

/** What the runtime says where an instruction had no compute units left. */
const OUT_OF_COMPUTE: ReadonlySet<unknown> = new Set(["ComputationalBudgetExceeded", "ProgramFailedToComplete"])

/** Which instruction of the transaction failed. */
export const instructionOf = (err: unknown): { readonly index: number; readonly isOutOfCompute: boolean } | undefined =>
  Option.getOrUndefined(
    Option.map(decodeInstructionError(err), ({ InstructionError: [index, what] }) => ({
      index,
      isOutOfCompute: OUT_OF_COMPUTE.has(what)
    }))
  )

/** The top-level instructions of a transaction, whose bytes may not be ours, and whether the first advances a nonce. */
const instructionsOf = (
  wire: Uint8Array
): Pick<ProgramError.Context, "accounts" | "instructions"> & { readonly advances: boolean } =>
  Either.match(Wire.decode(wire), {
    onLeft: () => ({ instructions: [], advances: false }),
    onRight: ({ message }) => ({
      accounts: message.staticAccounts,
      instructions: message.instructions.map(({ accountIndices, data, programIndex }) => ({
        programAddress: message.staticAccounts[programIndex] ?? Address.SYSTEM_PROGRAM,
        accounts: Array.from(accountIndices, (index) => {
          const address = message.staticAccounts[index]
          return address && { address }
        }),
        data
      })),
      advances: message.instructions.length > 1 && NonceAccount.advancedBy(message) !== undefined
    })
  })

/** Counts the caller's instructions, which follow the one that advances the nonce. */
const afterAdvance = (error: ProgramError.ProgramError): ProgramError.ProgramError => {
  const { instructionIndex } = error
  return new ProgramError.ProgramError({
    ...error,
    instructionIndex: instructionIndex === undefined || instructionIndex === 0 ? undefined : instructionIndex - 1
  })
}

/** What to do about the runtime's own errors, which blame no program. */
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ["BlockhashNotFound", "sign anew with a newer blockhash"],
  ["AlreadyProcessed", "look its signature up"],
  ["AccountInUse", "send it again"],
  ["AccountLoadedTwice", "name each account once"],
  ["InvalidAccountForFee", "pay by a wallet that holds no data"],
  ["SignatureFailure", "sign it by the wallets that it names"],
  ["ProgramAccountNotFound", "check the program id and the cluster"]
])

const adviceFor = (err: unknown): string => ADVICE.get(err) ?? "see err and logs for what to change"

/** A transaction that was run and failed. */
export interface Failed extends Preflight {
  readonly reason: "Simulation" | "Rejected"
  readonly wire: Uint8Array
  /** Whether it lives by a nonce. Default: as `signed` says, else as the bytes look. */
  readonly hasNonce?: boolean
  readonly slot?: bigint
  readonly signature?: Signature
  readonly signed?: SignedTransaction
  readonly cause?: RpcError
}

/** Says what failed, and names it where the program at this address said it. */
export const reporter =
  (programId: Address_) =>
  ({ cause, err, logs, reason, signed, slot, wire, ...failed }: Failed): TransactionError => {
    const signature = signed?.signature ?? failed.signature
    const { accounts, advances, instructions } = instructionsOf(wire)
    const hasNonce = failed.hasNonce ?? (signed === undefined ? advances : "nonce" in signed.lifetime)
    const error = ProgramError.fromTransactionError(err, logs, {
      instructions,
      accounts,
      fee: signed?.fee,
      programId,
      signature
    })
    const own = hasNonce ? Option.map(error, afterAdvance) : error
    const mayHaveLanded = reason === "Simulation" && signed !== undefined ? true : undefined
    const programError =
      mayHaveLanded === undefined
        ? own
        : Option.map(own, (error) => new ProgramError.ProgramError({ ...error, mayHaveLanded }))
    return new TransactionError({
      reason,
      detail: `${reason === "Simulation" ? "its simulation failed" : "it landed and failed"} with ${Json.stringify(err)}; ${mayHaveLanded ? "resume it to know whether it landed" : adviceFor(err)}`,
      signature,
      slot,
      logs,
      programError: Option.getOrUndefined(programError),
      err,
      mayHaveLanded,
      signed,
      cause
    })
  }
