/**
 * Durable nonces: transactions that bear a nonce account's value in the place of a recent blockhash.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import type { Address, Blockhash } from "@solana/kit"
import * as Address_ from "../../src/solana/Address.js"
import * as Blockhash_ from "../../src/solana/Blockhash.js"
import { isWritable, type LoadedTransaction } from "./LoadedTransaction.js"
import type { StoredAccount } from "./Svm.js"

/** SystemInstruction::AdvanceNonceAccount, a little-endian u32. */
const ADVANCE_NONCE_ACCOUNT = 4

/** Version u32 (1: current), state u32 (1: initialized), authority, nonce, lamports per signature u64. */
const NONCE_ACCOUNT_BYTES = 80
const INITIALIZED = [1, 0, 0, 0, 1, 0, 0, 0]
const AUTHORITY_AT = 8
const NONCE_AT = 40

/**
 * The nonce account that the transaction's first instruction advances, if it does.
 *
 * @since 0.1.0
 * @category getters
 */
export const accountOf = (transaction: LoadedTransaction): Address | undefined => {
  const [first] = transaction.message.instructions
  if (first === undefined || transaction.addresses[first.programIndex] !== Address_.SYSTEM_PROGRAM) return undefined
  const [tag, ...rest] = first.data.subarray(0, 4)
  if (first.data.length < 4 || tag !== ADVANCE_NONCE_ACCOUNT || rest.some((byte) => byte !== 0)) return undefined
  const [index] = first.accountIndices
  return index !== undefined && isWritable(transaction, index) ? transaction.addresses[index] : undefined
}

/**
 * Whether the account holds the nonce that the transaction bears, its authority signs the advance, and the nonce can
 * be advanced by the latest blockhash.
 *
 * @since 0.1.0
 * @category guards
 */
export const isUsable = (
  account: StoredAccount | undefined,
  { addresses, message }: LoadedTransaction,
  latest: Blockhash
): boolean => {
  if (!isNonceAccount(account)) return false
  const nonce = Blockhash_.fromBytes(account.data, NONCE_AT)
  const authority = Address_.fromBytes(account.data, AUTHORITY_AT)
  const signers = message.instructions[0]?.accountIndices.filter((index) => index < message.header.requiredSignatures)
  return (
    nonce === message.blockhash &&
    nonce !== Blockhash_.fromBytes(durableNonce(latest)) &&
    signers?.some((index) => addresses[index] === authority) === true
  )
}

/**
 * The account with the nonce that follows from a blockhash; as it is where it is no nonce account (any more).
 *
 * @since 0.1.0
 * @category constructors
 */
export const advanced = (account: StoredAccount | undefined, blockhash: Blockhash): StoredAccount | undefined => {
  if (!isNonceAccount(account)) return account
  const data = Uint8Array.from(account.data)
  data.set(durableNonce(blockhash), NONCE_AT)
  return { lamports: account.lamports, owner: account.owner, executable: account.executable, data }
}

const isNonceAccount = (account: StoredAccount | undefined): account is StoredAccount =>
  account !== undefined &&
  account.owner === Address_.SYSTEM_PROGRAM &&
  account.data.length === NONCE_ACCOUNT_BYTES &&
  INITIALIZED.every((byte, index) => account.data[index] === byte)

const durableNonce = (blockhash: Blockhash): Uint8Array =>
  createHash("sha256").update("DURABLE_NONCE").update(Blockhash_.toBytes(blockhash)).digest()
