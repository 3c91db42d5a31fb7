/** A decoded transaction with resolved lookup tables: every account and its access. */
import { hash } from "node:crypto"
import type { Address, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Addresses from "../../../src/solana/Address.js"
import * as Signatures from "../../../src/solana/Signature.js"
import type { AnyMessage, AnyTransaction } from "./AnyTransaction.js"
import type { StoredAccount } from "./StoredAccount.js"

/** A transaction with all its addresses. */
export interface LoadedTransaction {
  readonly wire: Uint8Array
  readonly signatures: ReadonlyArray<Uint8Array>
  readonly message: AnyMessage
  /** The first signature, the transaction's id. */
  readonly signature: Signature
  /** SHA-256 of the message. It identifies duplicates with other signatures. */
  readonly messageHash: string
  readonly feePayer: Address
  /** Static accounts, then loaded writable ones, then loaded read-only ones: the order of instruction indices. */
  readonly addresses: ReadonlyArray<Address>
  readonly loaded: { readonly writable: ReadonlyArray<Address>; readonly readonly: ReadonlyArray<Address> }
}

export const LOOKUP_TABLE_PROGRAM = Addresses.known("AddressLookupTab1e1111111111111111111111111")
const TABLE_HEADER_BYTES = 56
const ADDRESS_BYTES = 32

/** Resolves the lookup tables as of a slot. Left: the name of the transaction error. */
export const load = (
  wire: Uint8Array,
  { signatures, message, messageBytes }: AnyTransaction,
  account: (address: Address) => StoredAccount | undefined,
  slot: number
): Either.Either<LoadedTransaction, string> => {
  const writable: Array<Address> = []
  const readonly: Array<Address> = []
  for (const lookup of message.lookups) {
    const table = tableAddresses(account(lookup.table), slot)
    if (Either.isLeft(table)) return Either.left(table.left)
    for (const [indices, loaded] of [
      [lookup.writable, writable],
      [lookup.readonly, readonly]
    ] as const) {
      for (const index of indices) {
        const address = table.right(index)
        if (address === undefined) return Either.left("InvalidAddressLookupTableIndex")
        loaded.push(address)
      }
    }
  }
  return assemble(wire, { signatures, message, messageBytes }, { writable, readonly })
}

/** Makes a transaction from its message and the addresses of its lookup tables. */
export const assemble = (
  wire: Uint8Array,
  { signatures, message, messageBytes }: AnyTransaction,
  loaded: LoadedTransaction["loaded"]
): Either.Either<LoadedTransaction, string> => {
  const [feePayer] = message.staticAccounts
  const [signature] = signatures
  if (feePayer === undefined || signature === undefined) return Either.left("SanitizeFailure")
  return Either.right({
    wire,
    signatures,
    message,
    signature: Signatures.fromBytes(signature),
    messageHash: hash("sha256", messageBytes, "base64"),
    feePayer,
    addresses:
      loaded.writable.length + loaded.readonly.length === 0
        ? message.staticAccounts
        : [...message.staticAccounts, ...loaded.writable, ...loaded.readonly],
    loaded
  })
}

/** Whether the message requests write access to the account. Programs and sysvars are never written anyway. */
export const isWritable = ({ message, loaded }: LoadedTransaction, index: number): boolean => {
  const { requiredSignatures, readonlySigned, readonlyUnsigned } = message.header
  const statics = message.staticAccounts.length
  if (index >= statics) return index < statics + loaded.writable.length
  return index < requiredSignatures ? index < requiredSignatures - readonlySigned : index < statics - readonlyUnsigned
}

/** The usable addresses of a table. Addresses appended in the current slot are usable from the next slot on. */
const tableAddresses = (
  table: StoredAccount | undefined,
  slot: number
): Either.Either<(index: number) => Address | undefined, string> => {
  if (table === undefined) return Either.left("AddressLookupTableNotFound")
  if (table.owner !== LOOKUP_TABLE_PROGRAM) return Either.left("InvalidAddressLookupTableOwner")
  const { data } = table
  if (data.length < TABLE_HEADER_BYTES || (data.length - TABLE_HEADER_BYTES) % ADDRESS_BYTES !== 0) {
    return Either.left("InvalidAddressLookupTableData")
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  if (view.getUint32(0, true) !== 1) return Either.left("InvalidAddressLookupTableData")
  const extendedNow = view.getBigUint64(12, true) >= BigInt(slot)
  const count = extendedNow ? view.getUint8(20) : (data.length - TABLE_HEADER_BYTES) / ADDRESS_BYTES
  return Either.right((index) =>
    index < count ? Addresses.fromBytes(data, TABLE_HEADER_BYTES + index * ADDRESS_BYTES) : undefined
  )
}
