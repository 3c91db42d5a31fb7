/** Interprets an execution: the name of its error, and the accounts that it wrote. */
import type { Address } from "@solana/kit"
import type { TransactionRecord } from "./Ledger.js"
import { isWritable, type LoadedTransaction } from "./LoadedTransaction.js"
import * as Nonce from "./Nonce.js"
import type { StoredAccount } from "./StoredAccount.js"
import type { TransactionError } from "./TransactionErrors.js"

/**
 * Corrects the error's name: LiteSVM has one error for a missing program and for an account that is not a program;
 * Agave has two.
 */
export const named = (
  error: TransactionError,
  { addresses, message }: LoadedTransaction,
  read: (address: Address) => StoredAccount | undefined
): TransactionError => {
  if (error !== "InvalidProgramForExecution") return error
  const isMissing = message.instructions.some(({ programIndex }) => {
    const program = addresses[programIndex]
    return program !== undefined && read(program) === undefined
  })
  return isMissing ? "ProgramAccountNotFound" : error
}

/** The accounts that the transaction wrote. */
export const writtenBy = ({ transaction, outcome }: TransactionRecord): ReadonlyArray<Address> =>
  outcome.err === null
    ? transaction.addresses.filter((_, index) => isWritable(transaction, index))
    : writtenIfFailed(transaction)

/** The accounts that the transaction writes if it fails: its fee payer and its nonce. */
export const writtenIfFailed = (transaction: LoadedTransaction): ReadonlyArray<Address> => {
  const nonce = Nonce.accountOf(transaction)
  return nonce === undefined || nonce === transaction.feePayer ? [transaction.feePayer] : [transaction.feePayer, nonce]
}
