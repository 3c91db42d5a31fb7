/** The JSON form of transactions and their outcomes, as a node writes it. */
import * as Either from "effect/Either"
import * as Base58 from "../../../src/solana/Base58.js"
import * as Base64 from "../../../src/solana/Base64.js"
import type { CompiledInstruction } from "../../../src/solana/Message.js"
import * as Signature from "../../../src/solana/Signature.js"
import type { TransactionRecord } from "../chain/Ledger.js"
import { isWritable, type LoadedTransaction } from "../chain/LoadedTransaction.js"
import type { InnerInstruction, Outcome } from "../chain/Svm.js"
import type { TokenBalance } from "../chain/TokenAccounts.js"
import * as JsonInteger from "./JsonInteger.js"
import * as JsonRpcError from "./JsonRpcError.js"
import type { Read } from "./Params.js"
import * as Instructions from "./parsed/instructions.js"
import * as TokenAmount from "./parsed/TokenAmount.js"

export type TransactionEncoding = "binary" | "base58" | "base64" | "json" | "jsonParsed"

/** A transaction with its outcome, and the units of its block that it took. Fails if the client does not declare support for its version. */
export const view = (
  record: TransactionRecord,
  encoding: TransactionEncoding | "accounts",
  maxVersion: number | undefined,
  costUnits: bigint
): Read<{ readonly transaction: unknown; readonly meta: unknown; readonly version?: "legacy" | number }> => {
  const { version } = record.transaction.message
  if (version !== "legacy" && (maxVersion === undefined || version > maxVersion)) {
    return Either.left(JsonRpcError.unsupportedVersion(version))
  }
  const shown = {
    transaction: viewTransaction(record.transaction, encoding),
    meta: viewMeta(record, encoding, costUnits)
  }
  return Either.right(maxVersion === undefined ? shown : { ...shown, version })
}

const viewTransaction = (transaction: LoadedTransaction, encoding: TransactionEncoding | "accounts"): unknown => {
  const { message, signatures, wire } = transaction
  switch (encoding) {
    case "binary":
      return Base58.encode(wire)
    case "base58":
      return [Base58.encode(wire), "base58"]
    case "base64":
      return [Base64.encode(wire), "base64"]
    case "accounts":
      return {
        signatures: signatures.map((bytes) => Signature.fromBytes(bytes)),
        accountKeys: accountKeys(transaction)
      }
    case "json":
    case "jsonParsed": {
      const lookups = message.lookups.map(({ table, writable, readonly }) => ({
        accountKey: table,
        writableIndexes: Array.from(writable),
        readonlyIndexes: Array.from(readonly)
      }))
      const versioned = message.version !== 0 ? {} : { addressTableLookups: lookups }
      const body =
        encoding === "json"
          ? {
              header: {
                numRequiredSignatures: message.header.requiredSignatures,
                numReadonlySignedAccounts: message.header.readonlySigned,
                numReadonlyUnsignedAccounts: message.header.readonlyUnsigned
              },
              accountKeys: message.staticAccounts,
              instructions: message.instructions.map((instruction) => viewInstruction(instruction, 1))
            }
          : {
              accountKeys: accountKeys(transaction),
              instructions: message.instructions.map((instruction) => viewParsed(transaction, instruction, 1))
            }
      return {
        signatures: signatures.map((bytes) => Signature.fromBytes(bytes)),
        message: { ...body, recentBlockhash: message.blockhash, ...versioned }
      }
    }
  }
}

const accountKeys = (transaction: LoadedTransaction): ReadonlyArray<unknown> =>
  transaction.addresses.map((pubkey, index) => ({
    pubkey,
    signer: index < transaction.message.header.requiredSignatures,
    source: index < transaction.message.staticAccounts.length ? "transaction" : "lookupTable",
    writable: isWritable(transaction, index)
  }))

type Indexed = Pick<CompiledInstruction, "programIndex" | "accountIndices" | "data">

/** An instruction in the form of its program's parser, or its accounts and data. */
const viewParsed = (
  { addresses }: LoadedTransaction,
  { programIndex, accountIndices, data }: Indexed,
  stackHeight: number
): unknown => {
  const programId = addresses[programIndex]
  const accounts = Array.from(accountIndices, (index) => addresses[index]).filter((account) => account !== undefined)
  const parsed = programId === undefined ? undefined : Instructions.parse(programId, { accounts, data })
  return parsed === undefined
    ? { programId, accounts, data: Base58.encode(data), stackHeight }
    : { ...parsed, stackHeight }
}

const viewInstruction = ({ programIndex, accountIndices, data }: Indexed, stackHeight: number) => ({
  programIdIndex: programIndex,
  accounts: Array.from(accountIndices),
  data: Base58.encode(data),
  stackHeight
})

const viewMeta = (
  record: TransactionRecord,
  encoding: TransactionEncoding | "accounts",
  costUnits: bigint
): unknown => {
  const { transaction, outcome, fee, preBalances, postBalances } = record
  const isParsed = encoding === "jsonParsed"
  return {
    err: outcome.err,
    status: outcome.err === null ? { Ok: null } : { Err: outcome.err },
    fee: JsonInteger.fromBigInt(fee),
    preBalances: preBalances.map(JsonInteger.fromBigInt),
    postBalances: postBalances.map(JsonInteger.fromBigInt),
    innerInstructions: isParsed
      ? viewParsedInner(transaction, outcome.innerInstructions)
      : viewInner(outcome.innerInstructions, viewInstruction),
    logMessages: outcome.logs,
    preTokenBalances: record.preTokenBalances.map(viewTokenBalance),
    postTokenBalances: record.postTokenBalances.map(viewTokenBalance),
    rewards: [],
    // The parsed account keys include the loaded addresses.
    ...(isParsed ? {} : { loadedAddresses: transaction.loaded }),
    computeUnitsConsumed: JsonInteger.fromBigInt(outcome.unitsConsumed),
    costUnits: JsonInteger.fromBigInt(costUnits),
    ...(outcome.returnData === undefined ? {} : { returnData: viewReturnData(outcome.returnData) })
  }
}

/** The balance of a token account. */
export const viewTokenBalance = ({
  accountIndex,
  mint,
  owner,
  programId,
  amount,
  decimals
}: TokenBalance): unknown => ({
  accountIndex,
  mint,
  uiTokenAmount: TokenAmount.make(amount, decimals),
  owner,
  programId
})

/** The inner instructions of each top-level instruction that has any. */
const viewInner = (
  innerInstructions: Outcome["innerInstructions"],
  view: (call: InnerInstruction, stackHeight: number) => unknown
): ReadonlyArray<unknown> =>
  innerInstructions.flatMap((calls, index) =>
    calls.length === 0 ? [] : [{ index, instructions: calls.map((call) => view(call, call.stackHeight)) }]
  )

/** The inner instructions in their parsed form. */
export const viewParsedInner = (transaction: LoadedTransaction, innerInstructions: Outcome["innerInstructions"]) =>
  viewInner(innerInstructions, (call, stackHeight) => viewParsed(transaction, call, stackHeight))

/** The return data of a program; `null` if there is none. */
export const viewReturnData = (returnData: Outcome["returnData"]): unknown =>
  returnData === undefined
    ? null
    : { programId: returnData.programId, data: [Base64.encode(returnData.data), "base64"] }
