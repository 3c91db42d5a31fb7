/**
 * The program's account types as values: how each is told from the others, decoded, and tied to its address.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Account from "./Account.js"
import * as Pda from "./Pda.js"

/**
 * An account type of the program.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountType<A> {
  readonly tag: Account.AccountTag
  /** Decodes the account's data. */
  readonly decode: (bytes: Uint8Array) => Either.Either<A, Account.AccountDecodeError>
  /** The only address at which an account of these fields can be. Missing where the fields do not determine it. */
  readonly addressOf?: (account: A, programId: Address) => Address | undefined
}

/**
 * An agent's account.
 *
 * @since 0.1.0
 * @category constants
 */
export const agent: AccountType<Account.AgentAccount> = {
  tag: "AgentAccount",
  decode: Account.decodeAgent,
  addressOf: ({ wallet }, programId) => Pda.agent(wallet, programId).address
}

/**
 * A direct message's account.
 *
 * @since 0.1.0
 * @category constants
 */
export const directMessage: AccountType<Account.DirectMessage> = {
  tag: "DirectMessage",
  decode: Account.decodeDirectMessage,
  addressOf: (message, programId) =>
    Either.match(Pda.message(message, programId), { onLeft: () => undefined, onRight: ({ address }) => address })
}

/**
 * A channel's account. A channel may bear another name than its address was made with.
 *
 * @since 0.1.0
 * @category constants
 */
export const channel: AccountType<Account.ChannelAccount> = { tag: "ChannelAccount", decode: Account.decodeChannel }

/**
 * A participant's account.
 *
 * @since 0.1.0
 * @category constants
 */
export const participant: AccountType<Account.ChannelParticipant> = {
  tag: "ChannelParticipant",
  decode: Account.decodeParticipant,
  addressOf: ({ agent, channel }, programId) => Pda.participant(channel, agent, programId).address
}

/**
 * An invitation's account.
 *
 * @since 0.1.0
 * @category constants
 */
export const invitation: AccountType<Account.ChannelInvitation> = {
  tag: "ChannelInvitation",
  decode: Account.decodeInvitation,
  addressOf: ({ channel, invitee }, programId) => Pda.invitation(channel, invitee, programId).address
}

/**
 * A channel message's account. It does not hold the nonce of its address.
 *
 * @since 0.1.0
 * @category constants
 */
export const channelMessage: AccountType<Account.ChannelMessage> = {
  tag: "ChannelMessage",
  decode: Account.decodeChannelMessage
}

/**
 * An escrow's account.
 *
 * @since 0.1.0
 * @category constants
 */
export const escrow: AccountType<Account.EscrowAccount> = {
  tag: "EscrowAccount",
  decode: Account.decodeEscrow,
  addressOf: ({ channel, depositor }, programId) => Pda.escrow(channel, depositor, programId).address
}
