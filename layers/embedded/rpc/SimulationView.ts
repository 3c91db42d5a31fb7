/** The JSON form of a simulation's outcome. */
import type { Address } from "@solana/kit"
import type { Chain } from "../chain/Chain.js"
import type { Bank } from "../chain/ChainState.js"
import type { LoadedTransaction } from "../chain/LoadedTransaction.js"
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

/** Fee, balances and loaded data. A failed execution charges the fee and changes nothing else. */
export const details = (chain: Chain, transaction: LoadedTransaction, { slot }: Bank, simulation: Simulation) => {
  const { err } = simulation
  // An error without fields refuses a transaction before its execution.
  if (typeof err === "string") return NOT_EXECUTED
  const { addresses, feePayer, loaded, message } = transaction
  const fee = Fees.feeOf(message)
  const before = (address: Address) => chain.account(address, slot)
  const after = (address: Address) => (err === null ? simulation.accounts.get(address) : undefined) ?? before(address)
  const preBalance = (address: Address) => chain.balance(address, slot)
  const postBalance = (address: Address) =>
    err !== null && address === feePayer
      ? preBalance(address) - fee
      : ((err === null ? simulation.accounts.get(address)?.lamports : undefined) ?? preBalance(address))
  return {
    fee: JsonInteger.fromBigInt(fee),
    loadedAccountsDataSize: loadedBytes(chain, transaction, slot),
    loadedAddresses: loaded,
    preBalances: addresses.map((address) => JsonInteger.fromBigInt(preBalance(address))),
    postBalances: addresses.map((address) => JsonInteger.fromBigInt(postBalance(address))),
    preTokenBalances: TokenAccounts.balances(addresses, before).map(TransactionView.viewTokenBalance),
    postTokenBalances: TokenAccounts.balances(addresses, after).map(TransactionView.viewTokenBalance)
  }
}

/** The data size of the accounts at the end of the slot; an upgradeable program also loads the account with its bytes. */
export const loadedBytes = (chain: Chain, { addresses, message }: LoadedTransaction, slot: number): number =>
  addresses.reduce((total, address) => {
    const size = chain.loadedSize(address, slot)
    if (size === undefined) return total
    return total + ACCOUNT_BYTES + size.data + (size.code === undefined ? 0 : ACCOUNT_BYTES + size.code)
  }, message.lookups.length * LOOKUP_TABLE_BYTES)
