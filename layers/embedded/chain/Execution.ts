/**
 * Executes transactions on the newest bank: checks their age, runs them on the machine, and records the outcome.
 *
 * Invariants: a message lands at most once, whatever its signatures. A refused transaction changes nothing; a failed one
 * that lands writes only its fee payer and its nonce.
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import type { Bank, ChainState, OpenBlock } from "./ChainState.js"
import * as Executed from "./Executed.js"
import type { TransactionRecord } from "./Ledger.js"
import { isWritable, type LoadedTransaction } from "./LoadedTransaction.js"
import * as Nonce from "./Nonce.js"
import * as ShownSysvars from "./ShownSysvars.js"
import type { Outcome, Rename, Simulation } from "./Svm.js"
import * as TokenAccounts from "./TokenAccounts.js"
import type { TransactionError } from "./TransactionErrors.js"

/** A transaction that landed in a block. */
export interface Landed {
  readonly record: TransactionRecord
  readonly written: ReadonlyArray<Address>
}

/** Whether the bank accepts transactions with the blockhash. */
export const isRecent = ({ blockhashes }: ChainState, blockhash: Blockhash, bank: Bank): boolean =>
  blockhashes.isValid(blockhash, bank.slot, bank.height)

/** The error with which the bank refuses the transaction before execution, if any. */
export const refusal = (
  state: ChainState,
  transaction: LoadedTransaction,
  bank: Bank
): TransactionError | undefined => {
  const { blockhash } = transaction.message
  if (!isRecent(state, blockhash, bank) && nonceOf(state, transaction) === undefined) return "BlockhashNotFound"
  const { ledger } = state
  const landed = ledger.hasLanded(transaction.messageHash) || ledger.status(transaction.signature) !== undefined
  return landed ? "AlreadyProcessed" : undefined
}

/**
 * Runs the transaction on the machine in its present state. A nonce that it creates derives from the newest blockhash.
 */
export const run = <A extends Outcome>(
  state: ChainState,
  transaction: LoadedTransaction,
  verify: boolean,
  use: (wire: Uint8Array, verify: boolean, rename: Rename) => A
): A | Simulation => {
  const { last, slotHashReaders, svm } = state
  if (slotHashReaders.canRun(transaction)) ShownSysvars.writeSlotHashes(state)
  const wire = Nonce.withLatest(transaction, last.blockhash)
  const rename: Rename = (error) => Executed.named(error, transaction, svm.account)
  const verified = wire !== undefined && verify ? svm.simulate(transaction.wire, true, rename) : undefined
  if (verified?.err === "SignatureFailure") return verified
  return wire === undefined ? use(transaction.wire, verify, rename) : use(wire, false, rename)
}

/** A transaction that did not land. */
export interface NotLanded {
  readonly err: TransactionError
  readonly outcome: Outcome
}

/** How to execute a transaction. */
export interface Landing {
  readonly verify: boolean
  /** Whether the transaction also lands if it fails. If not, a failed execution changes nothing. */
  readonly landsFailed: boolean
}

/** Executes the transaction in the block. */
export const land = (
  state: ChainState,
  transaction: LoadedTransaction,
  block: OpenBlock,
  { landsFailed, verify }: Landing
): Either.Either<Landed, NotLanded> => {
  const { accounts, ledger, svm } = state
  const { addresses } = transaction
  const writable = addresses.filter((_, index) => isWritable(transaction, index))
  const before = accounts.remembers ? writable.map(svm.account) : []
  const nonce = nonceOf(state, transaction)
  const undone = landsFailed
    ? []
    : Executed.writtenIfFailed(transaction).map((address) => [address, svm.account(address)] as const)
  const preBalances = addresses.map(svm.balance)
  const preTokenBalances = TokenAccounts.balances(addresses, svm.account)
  const outcome = run(state, transaction, verify, svm.execute)
  const { err } = outcome
  if (err !== null && !landsFailed) {
    for (const [address, account] of undone) if (account !== undefined) svm.setAccount(address, account)
    return Either.left({ err, outcome })
  }
  const postBalances = addresses.map((address, index) =>
    isWritable(transaction, index) ? svm.balance(address) : (preBalances[index] ?? 0n)
  )
  if (err !== null && preBalances[0] === postBalances[0]) return Either.left({ err, outcome })

  if (nonce !== undefined) svm.setAccount(nonce, Nonce.advanced(svm.account(nonce), state.last.blockhash))
  const fee = sum(preBalances) - sum(postBalances)
  const record: TransactionRecord = {
    transaction,
    outcome,
    slot: block.slot,
    blockTime: block.time,
    fee,
    preBalances,
    postBalances,
    preTokenBalances,
    postTokenBalances: TokenAccounts.balances(addresses, svm.account)
  }
  const written = Executed.writtenBy(record)
  before.forEach((account, index) => {
    const address = writable[index]
    if (address !== undefined && written.includes(address)) accounts.remember(address, block.slot, account)
  })
  written.forEach((address) => accounts.written(address))
  state.slotHashReaders.executed(transaction)
  state.transactionCount += 1
  state.lamports -= fee
  block.records.push(record)
  ledger.addRecord(record)
  const forgotten = ledger.addStatus({
    signature: transaction.signature,
    messageHash: transaction.messageHash,
    slot: block.slot,
    err,
    blockhashHeight: state.blockhashes.get(transaction.message.blockhash)?.height
  })
  for (const { blockhashHeight } of forgotten) {
    if (blockhashHeight !== undefined) state.blockhashes.expireBelow(blockhashHeight + 1)
  }
  return Either.right({ record, written })
}

/** The nonce account that the transaction uses, if its blockhash is not a recent one. */
const nonceOf = ({ blockhashes, last, svm }: ChainState, transaction: LoadedTransaction): Address | undefined => {
  if (blockhashes.get(transaction.message.blockhash) !== undefined) return undefined
  const nonce = Nonce.accountOf(transaction)
  if (nonce === undefined) return undefined
  return Nonce.isUsable(svm.account(nonce), transaction, last.blockhash) ? nonce : undefined
}

const sum = (amounts: ReadonlyArray<bigint>): bigint => amounts.reduce((total, amount) => total + amount, 0n)
