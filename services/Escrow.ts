/**
 * Escrows: lamports that an agent deposits to pay a channel's fee.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { EscrowAccount } from "../src/protocol/Account.js"
import * as AccountType from "../src/protocol/AccountType.js"
import * as Instruction from "../src/protocol/Instruction.js"
import * as Pda from "../src/protocol/Pda.js"
import * as Rules from "../src/protocol/Rules.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced } from "./internal/traced.js"
import * as Accounts from "./program/accounts.js"
import * as Given from "./program/givenAddresses.js"
import * as Submit from "./program/submit.js"
import type { AccountReceipt, ProgramAccount, ReadError, WriteError } from "./ProgramAccount.js"
import type { RpcPool } from "./RpcPool.js"
import type { SendOptions, Transactions } from "./Transactions.js"
import { Wallet } from "./Wallet.js"

/**
 * The operations on escrows. Each write accepts the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Deposits 1 … 10,000,000,000 lamports. The reference program adds to an existing escrow. A program that accepts only
   * one deposit refuses the second with `EscrowExists`, so deposit enough the first time. Each run deposits again,
   * because the chain cannot recognise a repeated deposit. After a crash, read the escrow with `get` and deposit the
   * difference, or recover the `Journal`.
   */
  readonly deposit: (
    channel: Address,
    lamports: bigint,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Withdraws lamports; each run withdraws again. `InsufficientFunds` if the escrow holds less. */
  readonly withdraw: (
    channel: Address,
    lamports: bigint,
    options?: SendOptions
  ) => Effect.Effect<AccountReceipt, WriteError, Wallet>
  /** Reads the escrow of a depositor's wallet in a channel. */
  readonly get: (channel: Address, depositor: Address) => Effect.Effect<ProgramAccount<EscrowAccount>, ReadError>
}

/**
 * Deposits to, withdraws from and reads the escrow of a wallet in a channel. `EscrowAccount.amount` is its balance. Some
 * deployed programs keep a wrong `escrowBalance` in the channel.
 *
 * @example
 * ```ts
 * import { Channel, Escrow } from "@pod-protocol/effect"
 * import type { Address } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const joinForFee = (channel: Address, fee: bigint) =>
 *   Effect.gen(function* () {
 *     const escrows = yield* Escrow.Escrow
 *     const channels = yield* Channel.Channel
 *     yield* escrows.deposit(channel, fee)
 *     return yield* channels.join(channel, { maxFee: fee })
 *   })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class Escrow extends Context.Tag("@pod-protocol/effect/Escrow")<Escrow, Service>() {}

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
        accounts.fetch(AccountType.escrow, Pda.escrow(channel, depositor, programId).address)
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
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Escrow> => TestLayer.layer(Escrow, stubs)
