/** Transactions as clients send them. */
import type { Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import type * as Wire from "../../../src/solana/Wire.js"
import * as AnyTransaction from "../chain/AnyTransaction.js"
import type { Chain } from "../chain/Chain.js"
import { load, type LoadedTransaction } from "../chain/LoadedTransaction.js"
import * as Errors from "../chain/TransactionErrors.js"
import * as JsonRpcError from "./JsonRpcError.js"
import * as Params from "./Params.js"

const WIRE_NAME = "solana_transaction::versioned::VersionedTransaction"

/** Decodes the text of a transaction, and resolves its lookup tables. */
export const read = (chain: Chain, text: string, encoding: "base58" | "base64"): Params.Read<LoadedTransaction> =>
  Either.flatMap(Params.wireBytes(text, encoding, WIRE_NAME), (bytes) => fromBytes(chain, bytes))

/** As `read`, from bytes. */
export const fromBytes = (chain: Chain, bytes: Uint8Array): Params.Read<LoadedTransaction> =>
  Either.flatMap(Either.mapLeft(AnyTransaction.decode(bytes), refuseWire), (transaction) => {
    const { slot } = chain.bank("processed")
    return Either.mapLeft(
      load(bytes, transaction, (address) => chain.account(address, slot), slot + chain.slotsUntilExecution),
      (error) => JsonRpcError.params(`invalid transaction: ${Errors.describe(error)}`)
    )
  })

const refuseWire = (error: Wire.WireError): JsonRpcError.JsonRpcError => {
  switch (error.reason) {
    case "InvalidHeader":
    case "IndexOutOfRange":
    case "InvalidLookup":
    case "SignatureCount":
      return JsonRpcError.params(`invalid transaction: ${Errors.describe("SanitizeFailure")}`)
    default:
      return JsonRpcError.params(`failed to deserialize ${WIRE_NAME}: ${error.message}`)
  }
}

/** The transaction with another blockhash, and unchanged signatures. */
export const withBlockhash = (transaction: LoadedTransaction, blockhash: Blockhash): LoadedTransaction => {
  const { message, signatures, wire } = transaction
  return {
    ...transaction,
    message: { ...message, blockhash },
    wire: AnyTransaction.withBlockhash(wire, signatures, message, blockhash)
  }
}
