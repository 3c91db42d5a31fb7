/**
 * The compiler behind `Message.compile`. It collects the accounts, arranges them in Kit's order, and writes the bytes.
 *
 * Invariants: each account appears once, with the union of its roles; the fee payer is account 0; invoked programs and
 * signers are static, even if a table holds them; limits are checked before any work. The bytes equal those of Kit's
 * compiler.
 */
import type { Address, Instruction } from "@solana/kit"
import * as Either from "effect/Either"
import { InvalidInput } from "../../InvalidInput.js"
import * as Addresses from "../Address.js"
import * as Blockhash from "../Blockhash.js"
import { MAX_INSTRUCTIONS } from "../Limits.js"
import { compare } from "./addressOrder.js"
import type { CompileOptions, LookupTable } from "./messageModels.js"
import * as ShortVec from "./shortVec.js"
import { MAX_TRANSACTION_BYTES, SIGNATURE_BYTES, VERSION_FLAG } from "./wireConstants.js"

const MAX_ACCOUNTS = 64
const MAX_INSTRUCTION_ACCOUNTS = 255
const MAX_TABLE_ADDRESSES = 256

/** Bits of an `AccountRole`. */
const WRITABLE = 1
const SIGNER = 2

/** The position of an account in a table. */
interface Place {
  readonly table: Address
  readonly index: number
}

/** An account of the message. The compiler fills it in step by step. */
interface Account {
  readonly address: Address
  role: number
  isInvoked: boolean
  place: Place | undefined
  /** Its index in the message. */
  index: number
}

/** The accounts that one table provides. */
interface Lookup<Group> {
  readonly table: Address
  readonly writable: Group
  readonly readonly: Group
}

/** The accounts in message order. */
interface Layout {
  readonly requiredSignatures: number
  readonly readonlySigned: number
  readonly readonlyUnsigned: number
  readonly statics: ReadonlyArray<Account>
  readonly lookups: ReadonlyArray<Lookup<ReadonlyArray<Account>>>
}

const NONE: ReadonlyArray<never> = []

const refusal = (field: string, rule: string, size?: number): InvalidInput =>
  new InvalidInput(size === undefined ? { field, rule } : { field, rule, size })

/** Checks the limits on counts before any work. */
const tooMany = (
  instructions: ReadonlyArray<Instruction>,
  tables: ReadonlyArray<LookupTable>
): InvalidInput | undefined => {
  if (instructions.length > MAX_INSTRUCTIONS) {
    return refusal("instructions", `must be at most ${MAX_INSTRUCTIONS}`, instructions.length)
  }
  for (const [i, { accounts = NONE }] of instructions.entries()) {
    if (accounts.length > MAX_INSTRUCTION_ACCOUNTS) {
      return refusal(`instructions[${i}].accounts`, `must be at most ${MAX_INSTRUCTION_ACCOUNTS}`, accounts.length)
    }
  }
  for (const { addresses } of tables) {
    if (addresses.length > MAX_TABLE_ADDRESSES) {
      return refusal("lookupTables", `must hold at most ${MAX_TABLE_ADDRESSES} addresses each`, addresses.length)
    }
  }
  return undefined
}

/** The error for the first invalid address, with its path. Slow: it runs only if an address is invalid. */
const firstInvalid = ({ feePayer, instructions, lookupTables = NONE }: CompileOptions): InvalidInput | undefined => {
  const payer = Addresses.check(feePayer, "feePayer")
  if (payer !== undefined) return payer
  for (const [i, { accounts = NONE, programAddress }] of instructions.entries()) {
    const program = Addresses.check(programAddress, `instructions[${i}].programAddress`)
    if (program !== undefined) return program
    for (const [j, meta] of accounts.entries()) {
      const path = `instructions[${i}].accounts[${j}]`
      const table = "lookupTableAddress" in meta ? meta.lookupTableAddress : undefined
      const refused =
        Addresses.check(meta.address, `${path}.address`) ??
        (table === undefined ? undefined : Addresses.check(table, `${path}.lookupTableAddress`))
      if (refused !== undefined) return refused
    }
  }
  for (const [i, { address }] of lookupTables.entries()) {
    const table = Addresses.check(address, `lookupTables[${i}].address`)
    if (table !== undefined) return table
  }
  return undefined
}

/** Checks each address once. The check caches the bytes for the writer. */
const misaddressed = (options: CompileOptions, { byAddress }: Accounts): InvalidInput | undefined => {
  for (const { address, place } of byAddress.values()) {
    const isValid =
      Addresses.check(address, "address") === undefined &&
      (place === undefined || Addresses.check(place.table, "address") === undefined)
    if (!isValid) return firstInvalid(options)
  }
  return undefined
}

/** The accounts by address, each once, with merged roles. */
class Accounts {
  readonly byAddress = new Map<Address, Account>()

  /** Returns the account; adds it as read-only if it is new. */
  at(address: Address): Account {
    const known = this.byAddress.get(address)
    if (known !== undefined) return known
    const account = { address, role: 0, isInvoked: false, place: undefined, index: 0 }
    this.byAddress.set(address, account)
    return account
  }
}

const collect = (
  feePayer: Address,
  instructions: ReadonlyArray<Instruction>,
  tables: ReadonlyArray<LookupTable>
): Accounts => {
  const all = new Accounts()
  all.at(feePayer).role = WRITABLE | SIGNER
  for (const { accounts = NONE, programAddress } of instructions) {
    all.at(programAddress).isInvoked = true
    for (const meta of accounts) {
      const account = all.at(meta.address)
      account.role |= meta.role
      if ("lookupTableAddress" in meta) {
        const { addressIndex: index, lookupTableAddress: table } = meta
        if (account.place === undefined || compare(table, account.place.table) < 0) account.place = { table, index }
      }
    }
  }
  for (const { address: table, addresses } of tables) {
    for (let index = 0; index < addresses.length; index++) {
      const address = addresses[index]
      const account = address === undefined ? undefined : all.byAddress.get(address)
      if (account !== undefined && account.place === undefined) account.place = { table, index }
    }
  }
  return all
}

/** Checks the rules that span all accounts. */
const unsound = (
  feePayer: Address,
  version: CompileOptions["version"],
  { byAddress }: Accounts
): InvalidInput | undefined => {
  if (byAddress.size > MAX_ACCOUNTS) return refusal("accounts", `must be at most ${MAX_ACCOUNTS}`, byAddress.size)
  for (const { address, isInvoked, place, role } of byAddress.values()) {
    if (isInvoked && address === feePayer) return refusal("feePayer", "must not be an invoked program")
    if (isInvoked && (role & WRITABLE) !== 0) {
      return refusal("instructions", `must not write to the invoked program ${address}`)
    }
    if (place !== undefined && place.index >= MAX_TABLE_ADDRESSES) {
      return refusal("accounts", `must have a table index below ${MAX_TABLE_ADDRESSES}`, place.index)
    }
    if (version === "legacy" && place !== undefined) return refusal("lookupTables", "a legacy message has none")
  }
  return undefined
}

const sorted = (accounts: ReadonlyArray<Account>): ReadonlyArray<Account> =>
  accounts.length > 1 ? accounts.toSorted((left, right) => compare(left.address, right.address)) : accounts

/** Assigns every account its index. Invoked programs and signers are static, even if a table holds them. */
const arrange = (feePayer: Address, accounts: Accounts): Layout => {
  const writableSigners: Array<Account> = []
  const readonlySigners: Array<Account> = []
  const writable: Array<Account> = []
  const readonly: Array<Account> = []
  const lookupByTable = new Map<Address, Lookup<Array<Account>>>()
  for (const account of accounts.byAddress.values()) {
    const { address, isInvoked, place, role } = account
    if (address === feePayer) continue
    if (place !== undefined && role < SIGNER && !isInvoked) {
      const lookup = lookupByTable.get(place.table) ?? { table: place.table, writable: [], readonly: [] }
      lookupByTable.set(place.table, lookup)
      if (role === WRITABLE) lookup.writable.push(account)
      else lookup.readonly.push(account)
    } else if (role === (WRITABLE | SIGNER)) writableSigners.push(account)
    else if (role === SIGNER) readonlySigners.push(account)
    else if (role === WRITABLE) writable.push(account)
    else readonly.push(account)
  }

  const statics = [
    accounts.at(feePayer),
    ...sorted(writableSigners),
    ...sorted(readonlySigners),
    ...sorted(writable),
    ...sorted(readonly)
  ]
  const lookups = Array.from(lookupByTable.values(), ({ readonly, table, writable }) => ({
    table,
    writable: sorted(writable),
    readonly: sorted(readonly)
  })).toSorted((left, right) => compare(left.table, right.table))

  let next = 0
  for (const account of statics) account.index = next++
  for (const { writable } of lookups) for (const account of writable) account.index = next++
  for (const { readonly } of lookups) for (const account of readonly) account.index = next++

  return {
    requiredSignatures: 1 + writableSigners.length + readonlySigners.length,
    readonlySigned: readonlySigners.length,
    readonlyUnsigned: readonly.length,
    statics,
    lookups
  }
}

const sizeOf = (
  version: CompileOptions["version"],
  instructions: ReadonlyArray<Instruction>,
  layout: Layout
): number => {
  let size =
    3 +
    ShortVec.size(layout.statics.length) +
    Addresses.SIZE * layout.statics.length +
    Blockhash.SIZE +
    ShortVec.size(instructions.length)
  for (const { accounts = NONE, data } of instructions) {
    const dataSize = data?.length ?? 0
    size += 1 + ShortVec.size(accounts.length) + accounts.length + ShortVec.size(dataSize) + dataSize
  }
  if (version === "legacy") return size
  size += 1 + ShortVec.size(layout.lookups.length)
  for (const { readonly, writable } of layout.lookups) {
    size += Addresses.SIZE + 2 + writable.length + readonly.length
  }
  return size
}

const write = (options: CompileOptions, all: Accounts, layout: Layout, size: number): Uint8Array => {
  const { blockhash, instructions, version } = options
  const bytes = new Uint8Array(size)
  let at = 0
  if (version !== "legacy") bytes[at++] = VERSION_FLAG
  bytes[at++] = layout.requiredSignatures
  bytes[at++] = layout.readonlySigned
  bytes[at++] = layout.readonlyUnsigned
  at = ShortVec.write(bytes, at, layout.statics.length)
  for (const { address } of layout.statics) {
    bytes.set(Addresses.toBytes(address), at)
    at += Addresses.SIZE
  }
  bytes.set(Blockhash.toBytes(blockhash), at)
  at += Blockhash.SIZE
  at = ShortVec.write(bytes, at, instructions.length)
  for (const { accounts = NONE, data, programAddress } of instructions) {
    bytes[at++] = all.at(programAddress).index
    at = ShortVec.write(bytes, at, accounts.length)
    for (const { address } of accounts) bytes[at++] = all.at(address).index
    at = ShortVec.write(bytes, at, data?.length ?? 0)
    if (data !== undefined) {
      bytes.set(data, at)
      at += data.length
    }
  }
  if (version === "legacy") return bytes
  at = ShortVec.write(bytes, at, layout.lookups.length)
  for (const { readonly, table, writable } of layout.lookups) {
    bytes.set(Addresses.toBytes(table), at)
    at += Addresses.SIZE
    for (const accounts of [writable, readonly]) {
      at = ShortVec.write(bytes, at, accounts.length)
      for (const { place } of accounts) bytes[at++] = place?.index ?? 0
    }
  }
  return bytes
}

export const compile = (options: CompileOptions): Either.Either<Uint8Array, InvalidInput> => {
  const { feePayer, instructions, lookupTables = NONE, version } = options
  const excess = tooMany(instructions, lookupTables)
  if (excess !== undefined) return Either.left(excess)
  const accounts = collect(feePayer, instructions, lookupTables)
  const fault = misaddressed(options, accounts) ?? unsound(feePayer, version, accounts)
  if (fault !== undefined) return Either.left(fault)
  const layout = arrange(feePayer, accounts)
  const size = sizeOf(version, instructions, layout)
  const transactionSize = 1 + SIGNATURE_BYTES * layout.requiredSignatures + size
  return transactionSize > MAX_TRANSACTION_BYTES
    ? Either.left(refusal("transaction", `must be at most ${MAX_TRANSACTION_BYTES} bytes`, transactionSize))
    : Either.right(write(options, accounts, layout, size))
}
