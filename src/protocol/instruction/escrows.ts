/**
 * Instructions about escrows.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import { SYSTEM_PROGRAM } from "../../solana/Address.js"
import { checked } from "../internal/givenAddresses.js"
import * as Pda from "../Pda.js"
import { assemble } from "./build.js"

/**
 * Input of {@link depositEscrow} and {@link withdrawEscrow}.
 *
 * @since 0.1.0
 * @category models
 */
export interface EscrowInput {
  /** The depositor's wallet. Signs. */
  readonly wallet: Address
  /** The channel's address. */
  readonly channel: Address
  /** Lamports. */
  readonly amount: bigint
  /** Default: the wallet's escrow address for the channel. */
  readonly escrow?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

const escrowOf = (input: EscrowInput): Address =>
  input.escrow ?? Pda.escrow(input.channel, input.wallet, input.programId).address

/**
 * Deposits lamports for a channel. The published program accepts one deposit per channel and wallet, ever.
 *
 * @since 0.1.0
 * @category constructors
 */
export const depositEscrow = checked(
  { wallet: "required", channel: "required", escrow: "optional", programId: "optional" },
  (input: EscrowInput) =>
    assemble(
      { _tag: "DepositEscrow", amount: input.amount },
      {
        escrowAccount: escrowOf(input),
        channelAccount: input.channel,
        depositor: input.wallet,
        systemProgram: SYSTEM_PROGRAM
      },
      input.programId
    )
)

/**
 * Withdraws lamports of a deposit.
 *
 * @since 0.1.0
 * @category constructors
 */
export const withdrawEscrow = checked(
  { wallet: "required", channel: "required", escrow: "optional", programId: "optional" },
  (input: EscrowInput) =>
    assemble(
      { _tag: "WithdrawEscrow", amount: input.amount },
      { escrowAccount: escrowOf(input), channelAccount: input.channel, depositor: input.wallet },
      input.programId
    )
)
