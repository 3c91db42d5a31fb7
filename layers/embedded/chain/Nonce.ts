/** Durable nonces: transactions that use a nonce account's value in place of a recent blockhash. */
import { createHash } from "node:crypto"
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import * as Addresses from "../../../src/solana/Address.js"
import * as Blockhashes from "../../../src/solana/Blockhash.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import * as AnyTransaction from "./AnyTransaction.js"
import { isWritable, type LoadedTransaction } from "./LoadedTransaction.js"
import type { StoredAccount } from "./StoredAccount.js"

const NONCE_AT = 40

/** The nonce account that the transaction's first instruction advances, if any. */
export const accountOf = (transaction: LoadedTransaction): Address | undefined => {
  const [first] = transaction.message.instructions
  if (first === undefined || transaction.addresses[first.programIndex] !== Addresses.SYSTEM_PROGRAM) return undefined
  if (!NonceAccount.isAdvance(first.data)) return undefined
  const [index] = first.accountIndices
  return index !== undefined && isWritable(transaction, index) ? transaction.addresses[index] : undefined
}

/**
 * Whether the account holds the transaction's nonce, its authority signs the advance, and the latest blockhash can
 * advance the nonce.
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
    nonce !== Blockhashes.fromBytes(durableNonce(latest)) &&
    signers?.some((index) => addresses[index] === authority) === true
  )
}

/** The account with the nonce of a blockhash. An account that is not (or no longer) a nonce account stays unchanged. */
export const advanced = (account: StoredAccount | undefined, blockhash: Blockhash): StoredAccount | undefined => {
  if (account === undefined || initialized(account) === undefined) return account
  const data = Uint8Array.from(account.data)
  data.set(durableNonce(blockhash), NONCE_AT)
  const { lamports, owner, executable, rentEpoch } = account
  return { lamports, owner, executable, rentEpoch, data }
}

/** Instructions of the System program that derive a nonce from the latest blockhash or compare with it. */
const NONCE_INSTRUCTIONS: ReadonlySet<number | undefined> = new Set([
  4, // AdvanceNonceAccount
  5, // WithdrawNonceAccount
  6 // InitializeNonceAccount
])

const makesNonce = ({ addresses, message }: LoadedTransaction): boolean =>
  message.instructions.some(
    ({ data, programIndex }) => addresses[programIndex] === Addresses.SYSTEM_PROGRAM && NONCE_INSTRUCTIONS.has(data[0])
  )

/**
 * The bytes to execute for a transaction that makes a nonce, after its signatures are verified. LiteSVM derives the
 * nonce from the transaction's own blockhash, the runtime from the latest one. Undefined for other transactions.
 */
export const withLatest = (transaction: LoadedTransaction, latest: Blockhash): Uint8Array | undefined =>
  makesNonce(transaction)
    ? AnyTransaction.withBlockhash(transaction.wire, transaction.signatures, transaction.message, latest)
    : undefined

/** The state of a usable nonce account; a nonce from before 2022 is unusable. */
const initialized = ({ data, owner }: StoredAccount) => {
  const decoded = Either.getOrNull(NonceAccount.decode(data))
  const isUsable =
    owner === Addresses.SYSTEM_PROGRAM && decoded?._tag === "Initialized" && decoded.version === "current"
  return isUsable ? decoded : undefined
}

const durableNonce = (blockhash: Blockhash): Uint8Array =>
  createHash("sha256").update("DURABLE_NONCE").update(Blockhashes.toBytes(blockhash)).digest()
