/**
 * @since 0.1.0
 */
import type { Address, Instruction } from "@solana/kit"
import * as Effect from "effect/Effect"
import type { AccountReceipt, WriteError } from "../ProgramAccount.js"
import { type Receipt, type SendOptions, Transactions } from "../Transactions.js"
import type { Wallet } from "../Wallet.js"

/** Sends instructions of the program: what the program refuses is the `ProgramError` itself. */
export interface Submit {
  readonly plain: (
    instructions: ReadonlyArray<Instruction>,
    options?: SendOptions
  ) => Effect.Effect<Receipt, WriteError, Wallet>
  /** The receipt names the account that the instructions make or change. */
  readonly account: (
    address: Address,
    instructions: ReadonlyArray<Instruction>,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
}

export const make: Effect.Effect<Submit, never, Transactions> = Effect.map(Transactions, (transactions) => {
  const plain: Submit["plain"] = (instructions, options) =>
    transactions
      .send(instructions, options)
      .pipe(Effect.catchTag("TransactionError", (error) => Effect.fail(error.programError ?? error)))
  return {
    plain,
    account: (address, instructions, options) =>
      Effect.map(plain(instructions, options), (receipt) => ({ ...receipt, address }))
  }
})
