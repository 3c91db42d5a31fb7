/**
 * Escrows: what an agent deposits for a channel that asks a fee.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { decodeEscrow, type EscrowAccount } from "../src/protocol/Account.js"
import * as Instruction from "../src/protocol/Instruction.js"
import * as Pda from "../src/protocol/Pda.js"
import * as Rules from "../src/protocol/Rules.js"
import * as Accounts from "./program/accounts.js"
import * as Submit from "./program/submit.js"
import * as Given from "./program/givenAddresses.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced } from "./internal/traced.js"
import type { AccountReceipt, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import type { SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

/**
 * What can be asked of escrows. Each write takes the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Deposits 1 … 10,000,000,000 lamports. The reference program adds to an escrow that exists; a program that takes
   * one deposit in a lifetime answers `EscrowExists`, so deposit enough the first time. Run again, it deposits again:
   * the chain cannot tell a second deposit from a repeated one. After a crash, read `get` first and deposit what is
   * missing, or recover the `Journal`.
   */
  readonly deposit: (
    channel: Address,
    lamports: bigint,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Takes lamports back out, again when it runs again. More than the escrow holds is refused: `InsufficientFunds`. */
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

const ESCROW: Accounts.AccountType<EscrowAccount> = {
  tag: "EscrowAccount",
  decode: decodeEscrow,
  addressOf: ({ channel, depositor }, programId) => Pda.escrow(channel, depositor, programId).address
}

/**
 * Builds the service from the `RpcPool` and the `Transactions` in context, for the current `ProgramId`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, RpcPool | Transactions> = Effect.gen(function* () {
  const accounts = yield* Accounts.make
  const submit = yield* Submit.make
  const { programId } = accounts

  return Escrow.of({
    deposit: (channel, amount, options) =>
      Effect.gen(function* () {
        yield* Given.check({ channel })
        yield* Rules.checkDeposit(amount)
        const { address: wallet } = yield* Wallet
        const escrow = Pda.escrow(channel, wallet, programId).address
        const instruction = yield* Instruction.depositEscrow({ wallet, channel, amount, escrow, programId })
        return yield* submit.account(escrow, [instruction], options)
      }).pipe(traced("Escrow.deposit", { "pod.channel": channel })),

    withdraw: (channel, amount, options) =>
      Effect.gen(function* () {
        yield* Given.check({ channel })
        const { address: wallet } = yield* Wallet
        const escrow = Pda.escrow(channel, wallet, programId).address
        const instruction = yield* Instruction.withdrawEscrow({ wallet, channel, amount, escrow, programId })
        return yield* submit.account(escrow, [instruction], options)
      }).pipe(traced("Escrow.withdraw", { "pod.channel": channel })),

    get: (channel, depositor) =>
      Given.effect({ channel, depositor }, () =>
        accounts.fetch(ESCROW, Pda.escrow(channel, depositor, programId).address)
      ).pipe(traced("Escrow.get", { "pod.channel": channel }))
  })
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Escrow, never, RpcPool | Transactions> = Layer.effect(Escrow, make)

/**
 * Escrows of stubs: a method that is not given dies with its name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Escrow> => TestLayer.layer(Escrow, stubs)
