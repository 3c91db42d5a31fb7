/**
 * Transactions of all versions. Version 1 (SIMD-0385) has its message before its signatures, its limits and its fee in
 * the message, and no lookup tables. The client's wire format does not support it yet.
 *
 * Invariant: every transaction decoded here follows all rules of the format, because LiteSVM aborts the process on
 * unreadable bytes.
 */
import type { Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import * as Blockhashes from "../../../src/solana/Blockhash.js"
import * as Message from "../../../src/solana/Message.js"
import * as Wire from "../../../src/solana/Wire.js"
import * as Layout from "./Layout.js"

/** The resource limits and the fee in a version-1 message. */
export interface Config {
  /** In lamports, for the whole transaction. */
  readonly priorityFee: bigint | undefined
  readonly computeUnitLimit: number | undefined
  readonly loadedAccountsDataSizeLimit: number | undefined
  readonly heapSize: number | undefined
}

/** A decoded message of any version. */
export interface AnyMessage extends Omit<Message.CompiledMessage, "version"> {
  readonly version: Message.Version | 1
  /** Only in version 1. */
  readonly config?: Config
}

/** A decoded transaction of any version. */
export interface AnyTransaction extends Omit<Wire.Transaction, "message"> {
  readonly message: AnyMessage
}

const VERSION_1 = 0x81
const BLOCKHASH_AT = 8
const SIGNATURE_BYTES = 64

/** The largest transaction of version 1. */
export const MAX_BYTES_V1 = 4096

const MAX_SIGNATURES = 12
const MAX_ADDRESSES = 64
const MAX_INSTRUCTIONS = 64

const PRIORITY_FEE = 0b11
const COMPUTE_UNIT_LIMIT = 0b100
const DATA_SIZE_LIMIT = 0b1000
const HEAP_SIZE = 0b10000
const KNOWN = PRIORITY_FEE | COMPUTE_UNIT_LIMIT | DATA_SIZE_LIMIT | HEAP_SIZE

/** The heap of a program: at least 32 KiB, at most 256 KiB, in whole KiB. */
const [MIN_HEAP, MAX_HEAP, HEAP_STEP] = [32 * 1024, 256 * 1024, 1024]

/** Whether the bytes are of version 1. */
export const isV1 = (bytes: Uint8Array): boolean => bytes[0] === VERSION_1

/** Decodes a transaction. */
export const decode = (bytes: Uint8Array): Either.Either<AnyTransaction, Wire.WireError> => {
  if (!isV1(bytes)) return Wire.decode(bytes)
  if (bytes.length > MAX_BYTES_V1) return refuse("TooLarge", MAX_BYTES_V1, `it is ${bytes.length} bytes`)
  const signaturesAt = bytes.length - SIGNATURE_BYTES * (bytes[1] ?? 0)
  if (signaturesAt < 0) return refuse("Truncated", bytes.length, "signatures are missing")
  const messageBytes = bytes.subarray(0, signaturesAt)
  return Either.map(decodeMessage(messageBytes), (message) => ({
    message,
    messageBytes,
    signatures: Array.from({ length: message.header.requiredSignatures }, (_, index) =>
      bytes.subarray(signaturesAt + index * SIGNATURE_BYTES, signaturesAt + (index + 1) * SIGNATURE_BYTES)
    )
  }))
}

/** Decodes a message. */
export const decodeMessage = (bytes: Uint8Array): Either.Either<AnyMessage, Wire.WireError> => {
  if (!isV1(bytes)) return Message.decode(bytes)
  const message = Layout.attempt(() => readV1(bytes))
  if (message === undefined) return refuse("Truncated", bytes.length, "the message ends early, or continues")
  const { header, instructions, staticAccounts } = message
  const { readonlySigned, readonlyUnsigned, requiredSignatures } = header
  const accounts = staticAccounts.length
  if (
    readonlySigned >= requiredSignatures ||
    requiredSignatures > MAX_SIGNATURES ||
    requiredSignatures + readonlyUnsigned > accounts ||
    accounts > MAX_ADDRESSES ||
    new Set(staticAccounts).size !== accounts
  ) {
    return refuse("InvalidHeader", 1, "the header does not fit the accounts, or an account occurs twice")
  }
  const isInRange = instructions.every(
    ({ accountIndices, programIndex }) =>
      programIndex > 0 && programIndex < accounts && accountIndices.every((index) => index < accounts)
  )
  return isInRange && instructions.length > 0 && instructions.length <= MAX_INSTRUCTIONS
    ? Either.right(message)
    : refuse(
        "IndexOutOfRange",
        0,
        "an instruction names an account that does not exist, or their number is 0 or too large"
      )
}

const refuse = (reason: Wire.WireError["reason"], offset: number, detail: string) =>
  Either.left(new Wire.WireError({ reason, offset, detail }))

/** Returns undefined for a configuration that the format does not define. Too few bytes throw. */
const readV1 = (bytes: Uint8Array): AnyMessage | undefined => {
  const from = new Layout.Cursor(bytes)
  from.take(1)
  const header = {
    requiredSignatures: Layout.u8(from),
    readonlySigned: Layout.u8(from),
    readonlyUnsigned: Layout.u8(from)
  }
  const mask = Layout.u32(from)
  const fee = mask & PRIORITY_FEE
  if ((mask & ~KNOWN) !== 0 || (fee !== 0 && fee !== PRIORITY_FEE)) return undefined
  const blockhash = Blockhashes.fromBytes(from.bytes(Blockhashes.SIZE))
  const instructionCount = Layout.u8(from)
  const addressCount = Layout.u8(from)
  const staticAccounts = Array.from({ length: addressCount }, () => Layout.address(from))
  const config = {
    priorityFee: fee === 0 ? undefined : Layout.u64(from),
    computeUnitLimit: (mask & COMPUTE_UNIT_LIMIT) === 0 ? undefined : Layout.u32(from),
    loadedAccountsDataSizeLimit: (mask & DATA_SIZE_LIMIT) === 0 ? undefined : Layout.u32(from),
    heapSize: (mask & HEAP_SIZE) === 0 ? undefined : Layout.u32(from)
  }
  const { heapSize = MIN_HEAP } = config
  if (heapSize < MIN_HEAP || heapSize > MAX_HEAP || heapSize % HEAP_STEP !== 0) return undefined
  const heads = Array.from({ length: instructionCount }, () => ({
    programIndex: Layout.u8(from),
    accounts: Layout.u8(from),
    bytes: Layout.u16(from)
  }))
  const instructions = heads.map(({ accounts, bytes, programIndex }) => ({
    programIndex,
    accountIndices: from.bytes(accounts),
    data: from.bytes(bytes)
  }))
  return from.left === 0
    ? { version: 1, header, staticAccounts, blockhash, instructions, lookups: [], config }
    : undefined
}

/** The bytes of a transaction with another blockhash, and unchanged signatures. */
export const withBlockhash = (
  wire: Uint8Array,
  signatures: ReadonlyArray<Uint8Array>,
  message: AnyMessage,
  blockhash: Blockhash
): Uint8Array => {
  const { version } = message
  if (version !== 1) return Wire.encode(signatures, Message.encode({ ...message, version, blockhash }))
  const changed = Uint8Array.from(wire)
  changed.set(Blockhashes.toBytes(blockhash), BLOCKHASH_AT)
  return changed
}
