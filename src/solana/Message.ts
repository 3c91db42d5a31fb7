/**
 * Transaction messages, legacy and version 0: compiles instructions to message bytes and decodes the bytes.
 *
 * @since 0.1.0
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import type { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "./Address.js"
import * as Blockhashes from "./Blockhash.js"
import * as Compiler from "./internal/messageCompiler.js"
import type { CompileOptions, Version } from "./internal/messageModels.js"
import { Reader } from "./internal/Reader.js"
import * as ShortVec from "./internal/shortVec.js"
import { VERSION_FLAG } from "./internal/wireConstants.js"
import type { WireError } from "./WireError.js"

export type {
  /**
   * The input of {@link compile}.
   *
   * @since 0.1.0
   * @category models
   */
  CompileOptions,
  /**
   * An address lookup table with its addresses in order.
   *
   * @since 0.1.0
   * @category models
   */
  LookupTable,
  /**
   * Versions of a message: `"legacy"`, or 0 with address lookup tables.
   *
   * @since 0.1.0
   * @category models
   */
  Version
} from "./internal/messageModels.js"

/**
 * Counts of static accounts that sign or are read-only. Order of the accounts: writable signers (fee payer first),
 * read-only signers, writable, read-only.
 *
 * @since 0.1.0
 * @category models
 */
export interface Header {
  readonly requiredSignatures: number
  readonly readonlySigned: number
  readonly readonlyUnsigned: number
}

/**
 * An instruction that refers to its program and accounts by index. The indices count the static accounts, then the
 * writable accounts of all lookups, then their read-only accounts.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompiledInstruction {
  readonly programIndex: number
  readonly accountIndices: Uint8Array
  readonly data: Uint8Array
}

/**
 * Accounts that the runtime loads from one address lookup table, by their index in the table.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompiledLookup {
  readonly table: Address
  readonly writable: Uint8Array
  readonly readonly: Uint8Array
}

/**
 * A decoded message. A durable nonce takes the place of the blockhash.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompiledMessage {
  readonly version: Version
  readonly header: Header
  readonly staticAccounts: ReadonlyArray<Address>
  readonly blockhash: Blockhash
  readonly instructions: ReadonlyArray<CompiledInstruction>
  /** Always empty in a legacy message. */
  readonly lookups: ReadonlyArray<CompiledLookup>
}

/**
 * Compiles instructions to message bytes: merges the roles of each account, orders the accounts and encodes the
 * message. The bytes equal those of Kit's `compileTransactionMessage` and its encoder.
 *
 * Fails with `InvalidInput` for:
 *
 * - an invoked program that pays the fee or is writable
 * - more than 64 accounts or 64 instructions
 * - more than 255 accounts of an instruction, or 256 of a table
 * - a legacy message that needs a table
 * - a signed transaction of more than 1232 bytes
 *
 * @since 0.1.0
 * @category encoding
 */
export const compile = (options: CompileOptions): Either.Either<Uint8Array, InvalidInput> => Compiler.compile(options)

/**
 * Decodes message bytes as strictly as the runtime. Compact lengths must have the shortest form, header counts must be
 * consistent, and indices in range. The fee payer must be writable, and programs must be static accounts. No bytes may
 * follow. Duplicate accounts are accepted: the runtime refuses them later, when it locks accounts.
 *
 * Account indices, data and lookup indices are views of `bytes`, not copies.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<CompiledMessage, WireError> => {
  const reader = new Reader(bytes)
  const message = read(reader)
  if (reader.left > 0) reader.fail("TrailingBytes", `${reader.left} bytes follow the message`)
  return reader.failure === undefined ? Either.right(message) : Either.left(reader.failure)
}

/** Sizes of the smallest instruction and the smallest lookup. They bound counts by the remaining bytes. */
const MIN_INSTRUCTION = 3
const MIN_LOOKUP = Addresses.SIZE + 2

/** An account index is one byte. */
const MAX_LOADED_ACCOUNTS = 256

const read = (reader: Reader): CompiledMessage => {
  const version = readVersion(reader)
  const headerAt = reader.offset
  const header: Header = {
    requiredSignatures: reader.byte(),
    readonlySigned: reader.byte(),
    readonlyUnsigned: reader.byte()
  }
  const staticAccounts = repeat(reader, Addresses.SIZE, () =>
    Addresses.fromBytes(reader.bytes, reader.skip(Addresses.SIZE))
  )
  if (header.readonlySigned >= header.requiredSignatures) {
    reader.fail("InvalidHeader", "the fee payer must sign and be writable", headerAt)
  }
  if (header.requiredSignatures + header.readonlyUnsigned > staticAccounts.length) {
    reader.fail("InvalidHeader", `the counts exceed the ${staticAccounts.length} accounts`, headerAt)
  }
  const blockhash = Blockhashes.fromBytes(reader.bytes, reader.skip(Blockhashes.SIZE))
  const instructionsAt = reader.offset
  const instructions = repeat(reader, MIN_INSTRUCTION, () => readInstruction(reader))
  const lookups = version === 0 ? repeat(reader, MIN_LOOKUP, () => readLookup(reader)) : []
  const loaded = lookups.reduce(
    (sum, lookup) => sum + lookup.writable.length + lookup.readonly.length,
    staticAccounts.length
  )
  if (loaded > MAX_LOADED_ACCOUNTS) {
    reader.fail("InvalidLookup", `${loaded} accounts are more than an index can name`)
  }
  for (const { accountIndices, programIndex } of instructions) {
    if (programIndex === 0 || programIndex >= staticAccounts.length) {
      reader.fail("IndexOutOfRange", `account ${programIndex} cannot be a program`, instructionsAt)
    }
    for (const index of accountIndices) {
      if (index >= loaded) reader.fail("IndexOutOfRange", `there is no account ${index}`, instructionsAt)
    }
  }
  return { version, header, staticAccounts, blockhash, instructions, lookups }
}

const readVersion = (reader: Reader): Version => {
  const first = reader.bytes[0] ?? 0
  if ((first & VERSION_FLAG) === 0) return "legacy"
  reader.byte()
  const version = first ^ VERSION_FLAG
  if (version !== 0) reader.fail("UnsupportedVersion", `version ${version} is not known`, 0)
  return 0
}

const readInstruction = (reader: Reader): CompiledInstruction => ({
  programIndex: reader.byte(),
  accountIndices: reader.take(reader.length()),
  data: reader.take(reader.length())
})

const readLookup = (reader: Reader): CompiledLookup => {
  const at = reader.skip(Addresses.SIZE)
  const lookup: CompiledLookup = {
    table: Addresses.fromBytes(reader.bytes, at),
    writable: reader.take(reader.length()),
    readonly: reader.take(reader.length())
  }
  if (lookup.writable.length + lookup.readonly.length === 0) {
    reader.fail("InvalidLookup", "a lookup takes no account", at)
  }
  return lookup
}

/** Reads a counted list of items of at least `itemBytes` bytes each. */
const repeat = <A>(reader: Reader, itemBytes: number, item: () => A): ReadonlyArray<A> => {
  const count = reader.count(itemBytes)
  const items: Array<A> = []
  for (let i = 0; i < count && reader.failure === undefined; i++) items.push(item())
  return items
}

/**
 * Encodes a message; the inverse of {@link decode}. It does not check counts and indices: the caller passes a
 * well-formed message.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (message: CompiledMessage): Uint8Array => {
  const bytes = new Uint8Array(encodedSize(message))
  let at = 0
  const writeAll = (part: Uint8Array): void => {
    bytes.set(part, at)
    at += part.length
  }
  const writeCounted = (part: Uint8Array): void => {
    at = ShortVec.write(bytes, at, part.length)
    writeAll(part)
  }
  if (message.version === 0) bytes[at++] = VERSION_FLAG
  bytes[at++] = message.header.requiredSignatures
  bytes[at++] = message.header.readonlySigned
  bytes[at++] = message.header.readonlyUnsigned
  at = ShortVec.write(bytes, at, message.staticAccounts.length)
  for (const address of message.staticAccounts) writeAll(Addresses.toBytes(address))
  writeAll(Blockhashes.toBytes(message.blockhash))
  at = ShortVec.write(bytes, at, message.instructions.length)
  for (const instruction of message.instructions) {
    bytes[at++] = instruction.programIndex
    writeCounted(instruction.accountIndices)
    writeCounted(instruction.data)
  }
  if (message.version === 0) {
    at = ShortVec.write(bytes, at, message.lookups.length)
    for (const lookup of message.lookups) {
      writeAll(Addresses.toBytes(lookup.table))
      writeCounted(lookup.writable)
      writeCounted(lookup.readonly)
    }
  }
  return bytes
}

const counted = (part: Uint8Array): number => ShortVec.size(part.length) + part.length

const encodedSize = (message: CompiledMessage): number =>
  3 +
  ShortVec.size(message.staticAccounts.length) +
  Addresses.SIZE * message.staticAccounts.length +
  Blockhashes.SIZE +
  ShortVec.size(message.instructions.length) +
  message.instructions.reduce((sum, { accountIndices, data }) => sum + 1 + counted(accountIndices) + counted(data), 0) +
  (message.version === 0
    ? message.lookups.reduce(
        (sum, { readonly, writable }) => sum + Addresses.SIZE + counted(writable) + counted(readonly),
        1 + ShortVec.size(message.lookups.length)
      )
    : 0)
