/** Durable nonces: transactions that bear a nonce account's value in the place of a recent blockhash. */
import { createHash } from "node:crypto"
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import * as Address_ from "../../../src/solana/Address.js"
import * as Blockhash_ from "../../../src/solana/Blockhash.js"
import * as Message from "../../../src/solana/Message.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import * as Wire from "../../../src/solana/Wire.js"
import { isWritable, type LoadedTransaction } from "./LoadedTransaction.js"
import type { StoredAccount } from "./Svm.js"

const NONCE_AT = 40

/** The nonce account that the transaction's first instruction advances, if it does. */
export const accountOf = (transaction: LoadedTransaction): Address | undefined => {
  const [first] = transaction.message.instructions
  if (first === undefined || transaction.addresses[first.programIndex] !== Address_.SYSTEM_PROGRAM) return undefined
  if (!NonceAccount.isAdvance(first.data)) return undefined
  const [index] = first.accountIndices
  return index !== undefined && isWritable(transaction, index) ? transaction.addresses[index] : undefined
}

/**
 * Whether the account holds the nonce that the transaction bears, its authority signs the advance, and the nonce can
 * be advanced by the latest blockhash.
 */
export const isUsable = (
  account: StoredAccount | undefined,
  { addresses, message }: LoadedTransaction,
  latest: Blockhash
): boolean => {
  const stored = account === undefined ? undefined : initialized(account)
  if (stored === undefined) return false
  const { authority, nonce } = stored
  const signers = message.instructions[0]?.accountIndices.filter((index) => index < message.header.requiredSignatures)
  return (
    nonce === message.blockhash &&
    nonce !== Blockhash_.fromBytes(durableNonce(latest)) &&
    signers?.some((index) => addresses[index] === authority) === true
  )
}

/** The account with the nonce that follows from a blockhash; as it is where it is no nonce account (any more). */
export const advanced = (account: StoredAccount | undefined, blockhash: Blockhash): StoredAccount | undefined => {
  if (account === undefined || initialized(account) === undefined) return account
  const data = Uint8Array.from(account.data)
  data.set(durableNonce(blockhash), NONCE_AT)
  return { lamports: account.lamports, owner: account.owner, executable: account.executable, data }
}

/** The System program's instructions that make a nonce of the latest blockhash, or compare with it. */
const NONCE_INSTRUCTIONS: ReadonlySet<number | undefined> = new Set([
  4, // AdvanceNonceAccount
  5, // WithdrawNonceAccount
  6 // InitializeNonceAccount
])

const makesNonce = ({ addresses, message }: LoadedTransaction): boolean =>
  message.instructions.some(
    ({ data, programIndex }) => addresses[programIndex] === Address_.SYSTEM_PROGRAM && NONCE_INSTRUCTIONS.has(data[0])
  )

/**
 * The bytes to run of a transaction that makes a nonce, when its signatures are verified: LiteSVM makes it of the
 * transaction's own blockhash, and the runtime of the latest. Nothing for any other transaction.
 */
export const withLatest = (transaction: LoadedTransaction, latest: Blockhash): Uint8Array | undefined =>
  makesNonce(transaction)
    ? Wire.encode(transaction.signatures, Message.encode({ ...transaction.message, blockhash: latest }))
    : undefined

/** What transactions can use: not a nonce of before 2022. */
const initialized = ({ data, owner }: StoredAccount) => {
  const decoded = Either.getOrNull(NonceAccount.decode(data))
  const isUsable = owner === Address_.SYSTEM_PROGRAM && decoded?._tag === "Initialized" && decoded.version === "current"
  return isUsable ? decoded : undefined
}

const durableNonce = (blockhash: Blockhash): Uint8Array =>
  createHash("sha256").update("DURABLE_NONCE").update(Blockhash_.toBytes(blockhash)).digest()
