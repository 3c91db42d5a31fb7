/**
 * Escrows: what an agent deposits for a channel that asks a fee.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { EscrowAccount } from "../src/protocol/Account.js"
import type { AccountReceipt, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { SendOptions } from "./Transactions.js"
import type { Wallet } from "./Wallet.js"

/**
 * What can be asked of escrows. Each write takes the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Deposits 1 … 10,000,000,000 lamports. The reference program adds to an escrow that exists; a program that takes
   * one deposit in a lifetime answers `AlreadyDeposited`, so deposit enough the first time.
   */
  readonly deposit: (
    channel: Address,
    lamports: bigint,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Takes lamports back out. More than the escrow holds is refused: `InsufficientFunds`. */
  readonly withdraw: (
    channel: Address,
    lamports: bigint,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** The escrow of a depositor's wallet in a channel. */
  readonly get: (channel: Address, depositor: Address) => Effect.Effect<ProgramAccount<EscrowAccount>, ReadError>
}

/**
 * Deposits to, withdraws from and reads the escrow of a wallet in a channel. `EscrowAccount.amount` is what it holds;
 * the channel's own `escrowBalance` is not reliable on every program.
 *
 * @since 0.1.0
 * @category tags
 */
export class Escrow extends Context.Tag("@pod-protocol/effect/Escrow")<Escrow, Service>() {}
