/**
 * The program's account types as values, with the decoder and the address rule of each.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ProgramAddress from "../solana/ProgramAddress.js"
import * as Account from "./Account.js"
import * as Seeds from "./internal/seeds.js"
import * as MessageType from "./MessageType.js"
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
  /**
   * Computes the only possible address of an account from its fields and its stored bump; `undefined` if no address is
   * possible. Absent for types whose fields do not determine the address.
   */
  readonly addressOf?: (account: A, programId: Address) => Address | undefined
}

/** The address that the program derived from the seeds and the stored bump. */
const made = (
  seeds: ReadonlyArray<Uint8Array>,
  { bump }: { readonly bump: number },
  programId: Address
): Address | undefined => Option.getOrUndefined(ProgramAddress.create([...seeds, Uint8Array.of(bump)], programId))

/**
 * An agent's account.
 *
 * @since 0.1.0
 * @category constants
 */
export const agent: AccountType<Account.AgentAccount> = {
  tag: "AgentAccount",
  decode: Account.decodeAgent,
  addressOf: ({ bump, wallet }, programId) => Option.getOrUndefined(Pda.agentOfBump(wallet, bump, programId))
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
    Either.match(MessageType.seed(message.type), {
      onLeft: () => undefined,
      onRight: (type) =>
        made(Seeds.message(message.sender, message.recipient, message.payloadHash, type), message, programId)
    })
}

/**
 * A channel's account. Its fields do not determine its address, which derives from the channel's first name.
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
  addressOf: (participant, programId) =>
    made(Seeds.participant(participant.channel, participant.agent), participant, programId)
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
  addressOf: (invitation, programId) =>
    made(Seeds.invitation(invitation.channel, invitation.invitee), invitation, programId)
}

/**
 * A channel message's account. Its fields do not determine its address: they lack the nonce.
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
  addressOf: (escrow, programId) => made(Seeds.escrow(escrow.channel, escrow.depositor), escrow, programId)
}
