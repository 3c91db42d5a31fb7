/** The JSON form of a simulation's outcome. */
import type { Address } from "@solana/kit"
import type { Chain } from "../chain/Chain.js"
import type { Bank } from "../chain/ChainState.js"
import type { LoadedTransaction } from "../chain/LoadedTransaction.js"
import * as Loaders from "../chain/Loaders.js"
import type { StoredAccount } from "../chain/StoredAccount.js"
import type { Outcome, Simulation } from "../chain/Svm.js"
import * as TokenAccounts from "../chain/TokenAccounts.js"
import * as Fees from "./Fees.js"
import * as JsonInteger from "./JsonInteger.js"
import * as TransactionView from "./TransactionView.js"

/** The outcome alone. */
export const outcome = ({ err, logs, unitsConsumed, returnData }: Outcome) => ({
  err,
  logs,
  unitsConsumed: JsonInteger.fromBigInt(unitsConsumed),
  returnData: TransactionView.viewReturnData(returnData),
  innerInstructions: null,
  replacementBlockhash: null
})

/** The fields of a simulation without an execution. */
const NOT_EXECUTED = {
  fee: null,
  loadedAccountsDataSize: 0,
  loadedAddresses: null,
  preBalances: null,
  postBalances: null,
  preTokenBalances: null,
  postTokenBalances: null
}

/** The simulation in the error of a refused preflight. */
export const refused = (simulation: Outcome) => ({ ...outcome(simulation), ...NOT_EXECUTED, accounts: null })

/** Bytes that each account adds to the loaded data in addition to its own, and bytes of each lookup table. */
const ACCOUNT_BYTES = 64
const LOOKUP_TABLE_BYTES = 8248

const balance = (account: StoredAccount | undefined): bigint => account?.lamports ?? 0n

/** Fee, balances and loaded data. A failed execution charges the fee and changes nothing else. */
export const details = (chain: Chain, transaction: LoadedTransaction, { slot }: Bank, simulation: Simulation) => {
  const { err } = simulation
  // An error without fields refuses a transaction before its execution.
  if (typeof err === "string") return NOT_EXECUTED
  const { addresses, feePayer, loaded, message } = transaction
  const fee = Fees.feeOf(message)
  const before = (address: Address) => chain.account(address, slot)
  const after = (address: Address) => (err === null ? simulation.accounts.get(address) : undefined) ?? before(address)
  const postBalance = (address: Address) =>
    err !== null && address === feePayer ? balance(before(address)) - fee : balance(after(address))
  return {
    fee: JsonInteger.fromBigInt(fee),
    loadedAccountsDataSize: loadedBytes(transaction, before),
    loadedAddresses: loaded,
    preBalances: addresses.map((address) => JsonInteger.fromBigInt(balance(before(address)))),
    postBalances: addresses.map((address) => JsonInteger.fromBigInt(postBalance(address))),
    preTokenBalances: TokenAccounts.balances(addresses, before).map(TransactionView.viewTokenBalance),
    postTokenBalances: TokenAccounts.balances(addresses, after).map(TransactionView.viewTokenBalance)
  }
}

/** The data size of the accounts; an upgradeable program also loads the account with its bytes. */
export const loadedBytes = (
  { addresses, message }: LoadedTransaction,
  read: (address: Address) => StoredAccount | undefined
): number =>
  addresses.map(read).reduce((total, account) => {
    if (account === undefined) return total
    const code = Loaders.programDataOf(account)
    const bytes = code === undefined ? undefined : read(code)?.data.length
    return total + ACCOUNT_BYTES + account.data.length + (bytes === undefined ? 0 : ACCOUNT_BYTES + bytes)
  }, message.lookups.length * LOOKUP_TABLE_BYTES)
