/** Interprets a node's refusal of a transaction: the outcome, and whether the bytes may have landed nevertheless. */
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
 * Codes of a node that does not forward a transaction: failed preflight, failed signature verification, node behind,
 * wrong number of signatures, unsupported version, minimum context slot, and JSON-RPC's own codes for an invalid call.
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

/** The result of a failed preflight. */
export interface Preflight {
  readonly err: unknown
  readonly logs: ReadonlyArray<string>
}

const PreflightData = Schema.Struct({
  err: Schema.Unknown.pipe(Schema.filter((err) => err !== null && err !== undefined)),
  logs: Schema.optional(Schema.NullOr(Schema.Array(Schema.String)))
})

const decodePreflight = Schema.decodeUnknownOption(PreflightData)

/** The result of a failed preflight, if all endpoints that were asked gave the same one. */
export const preflight = (error: RpcError): Option.Option<Preflight> =>
  error.reason === "Node" && error.code === PREFLIGHT_FAILURE && error.cause === undefined
    ? Option.map(decodePreflight(error.data), ({ err, logs }) => ({ err, logs: logs ?? [] }))
    : Option.none()

/** The attempts behind a failure: the failure itself, or the attempts in its cause. Empty for any other cause. */
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

/** Whether the pool refused the call before it sent anything. The limit of an endpoint comes with a status or a code. */
const isOwnRefusal = ({ code, reason, status }: RpcError): boolean =>
  reason === "PoolClosed" || (reason === "RateLimited" && status === undefined && code === undefined)

/** Whether the transaction was sent to no node. This does not depend on a node's answer. */
export const wasNotSent = (error: RpcError): boolean => every(error, isOwnRefusal)

/**
 * Whether a node may have forwarded the transaction although sending it failed. Of the HTTP statuses, only 429 excludes
 * it, because a rate limit applies before any work. After several attempts, it is excluded only if a limit stopped all
 * of them: one attempt may have been refused because another one arrived. False rests on the answer of one node.
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

/** The error for a node that refused the bytes. Another node may have them. */
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

/** Whether the transaction may still land, or may have landed without a known outcome. */
export const mayHaveLanded = (error: SendError): boolean =>
  error._tag === "TransactionError" && (error.mayHaveLanded === true || error.reason === "Unconfirmed")

/** Whether an `err` of a node means success. */
export const succeeded = (err: unknown): boolean => err === null || err === undefined

/** An error with its instruction: `{ InstructionError: [index, what] }`. */
const InstructionError = Schema.Struct({ InstructionError: Schema.Tuple(Schema.NonNegativeInt, Schema.Unknown) })

const decodeInstructionError = Schema.decodeUnknownOption(InstructionError)

/** The runtime's errors for an instruction that ran out of compute units. */
const OUT_OF_COMPUTE: ReadonlySet<unknown> = new Set(["ComputationalBudgetExceeded", "ProgramFailedToComplete"])

/** Which instruction of the transaction failed. */
export const instructionOf = (err: unknown): { readonly index: number; readonly isOutOfCompute: boolean } | undefined =>
  Option.getOrUndefined(
    Option.map(decodeInstructionError(err), ({ InstructionError: [index, what] }) => ({
      index,
      isOutOfCompute: OUT_OF_COMPUTE.has(what)
    }))
  )

/** The top-level instructions of a transaction, and whether the first one advances a nonce. The bytes may be foreign. */
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

/** Makes `instructionIndex` count the caller's instructions only, without the one that advances the nonce. */
const afterAdvance = (error: ProgramError.ProgramError): ProgramError.ProgramError => {
  const { instructionIndex } = error
  return new ProgramError.ProgramError({
    ...error,
    instructionIndex: instructionIndex === undefined || instructionIndex === 0 ? undefined : instructionIndex - 1
  })
}

/** Advice for errors of the runtime itself, which no program caused. */
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
  /** Whether its lifetime is a durable nonce. Default: read from `signed`, or else from the bytes. */
  readonly hasNonce?: boolean
  readonly slot?: bigint
  readonly signature?: Signature
  readonly signed?: SignedTransaction
  readonly cause?: RpcError
}

/** Makes the error of a failed transaction. If the program at this address caused it, the error has the program's name for it. */
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
