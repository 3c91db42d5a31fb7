/** The compiler behind `Message.compile`. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import { InvalidInput } from "../../InvalidInput.js"
import * as Addresses from "../Address.js"
import * as Blockhashes from "../Blockhash.js"
import type { CompileOptions, LookupTable } from "../Message.js"
import { compare } from "./addressOrder.js"
import * as ShortVec from "./shortVec.js"
import { MAX_TRANSACTION_BYTES, SIGNATURE_BYTES, VERSION_FLAG } from "./wireConstants.js"

const MAX_ACCOUNTS = 64
const MAX_INSTRUCTIONS = 64
const MAX_INSTRUCTION_ACCOUNTS = 255
const MAX_TABLE_ADDRESSES = 256

/** Bits of an `AccountRole`. */
const WRITABLE = 1
const SIGNER = 2

interface Lookup {
  readonly table: Address
  readonly index: number
}

interface TableUse {
  readonly table: Address
  readonly writable: Array<Address>
  readonly readonly: Array<Address>
}

const NO_TABLES: ReadonlyArray<LookupTable> = []

const refuse = (field: string, rule: string, size?: number): Either.Either<never, InvalidInput> =>
  Either.left(new InvalidInput(size === undefined ? { field, rule } : { field, rule, size }))

export const compile = (options: CompileOptions): Either.Either<Uint8Array, InvalidInput> => {
  const { blockhash, feePayer, instructions, lookupTables = NO_TABLES, version = 0 } = options
  if (instructions.length > MAX_INSTRUCTIONS) {
    return refuse("instructions", `must be at most ${MAX_INSTRUCTIONS}`, instructions.length)
  }

  const roles = new Map<Address, number>([[feePayer, WRITABLE | SIGNER]])
  const lookups = new Map<Address, Lookup>()
  for (let i = 0; i < instructions.length; i++) {
    const instruction = instructions[i]
    if (instruction === undefined) continue
    if (!roles.has(instruction.programAddress)) roles.set(instruction.programAddress, 0)
    const accounts = instruction.accounts ?? []
    if (accounts.length > MAX_INSTRUCTION_ACCOUNTS) {
      return refuse(`instructions[${i}].accounts`, `must be at most ${MAX_INSTRUCTION_ACCOUNTS}`, accounts.length)
    }
    for (const account of accounts) {
      roles.set(account.address, (roles.get(account.address) ?? 0) | account.role)
      if ("lookupTableAddress" in account) {
        const other = lookups.get(account.address)
        if (other === undefined || compare(account.lookupTableAddress, other.table) < 0) {
          lookups.set(account.address, { table: account.lookupTableAddress, index: account.addressIndex })
        }
      }
    }
  }

  for (const { address, addresses } of lookupTables) {
    if (addresses.length > MAX_TABLE_ADDRESSES) {
      return refuse("lookupTables", `must hold at most ${MAX_TABLE_ADDRESSES} addresses each`, addresses.length)
    }
    for (let index = 0; index < addresses.length; index++) {
      const account = addresses[index]
      if (account !== undefined && roles.has(account) && !lookups.has(account)) {
        lookups.set(account, { table: address, index })
      }
    }
  }
  if (version === "legacy" && lookups.size > 0) return refuse("lookupTables", "a legacy message has none")

  for (const { programAddress } of instructions) {
    if (programAddress === feePayer) return refuse("feePayer", "must not be an invoked program")
    if (((roles.get(programAddress) ?? 0) & WRITABLE) !== 0) {
      return refuse("instructions", `must not write to the invoked program ${programAddress}`)
    }
    lookups.delete(programAddress)
  }

  if (roles.size > MAX_ACCOUNTS) return refuse("accounts", `must be at most ${MAX_ACCOUNTS}`, roles.size)

  // Static accounts by role, in the order of the header; the fee payer stands before them.
  const groups: ReadonlyArray<Array<Address>> = [[], [], [], []]
  const tables = new Map<Address, TableUse>()
  for (const [address, role] of roles) {
    if (address === feePayer) continue
    const lookup = role < SIGNER && lookups.size > 0 ? lookups.get(address) : undefined
    if (lookup === undefined) {
      groups[role]?.push(address)
      continue
    }
    let use = tables.get(lookup.table)
    if (use === undefined) {
      use = { table: lookup.table, writable: [], readonly: [] }
      tables.set(lookup.table, use)
    }
    if ((role & WRITABLE) !== 0) use.writable.push(address)
    else use.readonly.push(address)
  }
  for (const group of groups) group.sort(compare)
  const [readonly = [], writable = [], readonlySigners = [], writableSigners = []] = groups
  const statics = [feePayer, ...writableSigners, ...readonlySigners, ...writable, ...readonly]
  const signatures = 1 + writableSigners.length + readonlySigners.length
  const uses = [...tables.values()].toSorted((left, right) => compare(left.table, right.table))
  for (const use of uses) {
    use.writable.sort(compare)
    use.readonly.sort(compare)
  }

  const indices = new Map<Address, number>()
  for (const address of statics) indices.set(address, indices.size)
  for (const use of uses) for (const address of use.writable) indices.set(address, indices.size)
  for (const use of uses) for (const address of use.readonly) indices.set(address, indices.size)

  const size =
    (version === 0 ? 1 : 0) +
    3 +
    ShortVec.size(statics.length) +
    Addresses.SIZE * (statics.length + 1) +
    ShortVec.size(instructions.length) +
    instructions.reduce((sum, { accounts = [], data }) => {
      const dataSize = data?.length ?? 0
      return sum + 1 + ShortVec.size(accounts.length) + accounts.length + ShortVec.size(dataSize) + dataSize
    }, 0) +
    (version === 0 ? 1 : 0) +
    uses.reduce((sum, use) => sum + Addresses.SIZE + 2 + use.writable.length + use.readonly.length, 0)
  const transactionSize = 1 + SIGNATURE_BYTES * signatures + size
  if (transactionSize > MAX_TRANSACTION_BYTES) {
    return refuse("transaction", `must be at most ${MAX_TRANSACTION_BYTES} bytes`, transactionSize)
  }

  const bytes = new Uint8Array(size)
  let at = 0
  if (version === 0) bytes[at++] = VERSION_FLAG
  bytes[at++] = signatures
  bytes[at++] = readonlySigners.length
  bytes[at++] = readonly.length
  at = ShortVec.write(bytes, at, statics.length)
  for (const address of statics) {
    bytes.set(Addresses.toBytes(address), at)
    at += Addresses.SIZE
  }
  bytes.set(Blockhashes.toBytes(blockhash), at)
  at += Blockhashes.SIZE
  at = ShortVec.write(bytes, at, instructions.length)
  for (const { accounts = [], data, programAddress } of instructions) {
    bytes[at++] = indices.get(programAddress) ?? 0
    at = ShortVec.write(bytes, at, accounts.length)
    for (const { address } of accounts) bytes[at++] = indices.get(address) ?? 0
    at = ShortVec.write(bytes, at, data?.length ?? 0)
    if (data !== undefined) {
      bytes.set(data, at)
      at += data.length
    }
  }
  if (version === 0) at = ShortVec.write(bytes, at, uses.length)
  for (const use of uses) {
    bytes.set(Addresses.toBytes(use.table), at)
    at += Addresses.SIZE
    for (const list of [use.writable, use.readonly]) {
      at = ShortVec.write(bytes, at, list.length)
      for (const address of list) bytes[at++] = lookups.get(address)?.index ?? 0
    }
  }
  return Either.right(bytes)
}
