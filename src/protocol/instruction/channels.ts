/**
 * Instructions about channels.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { InvalidInput } from "../../InvalidInput.js"
import { SYSTEM_PROGRAM } from "../../solana/Address.js"
import { agentOf, optional, participantOf } from "../internal/derivedAccounts.js"
import { checked } from "../internal/givenAddresses.js"
import type { ChannelVisibility, MessageType } from "../MessageType.js"
import * as Pda from "../Pda.js"
import { assemble } from "./build.js"

/**
 * Input of {@link createChannel}.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateChannelInput {
  /** The creator's wallet. Signs, and pays the rent. */
  readonly wallet: Address
  /** 1–32 bytes of UTF-8, without white space at its ends. */
  readonly name: string
  /** At most 200 bytes of UTF-8, and at most 226 together with the name. */
  readonly description: string
  readonly visibility: ChannelVisibility
  /** 1–1000. */
  readonly maxParticipants: number
  /** Lamports, at most 1 SOL. */
  readonly feePerMessage: bigint
  /** Default: the address derived from wallet and name. */
  readonly channel?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

const channelOf = (input: CreateChannelInput): Either.Either<Address, InvalidInput> =>
  input.channel === undefined
    ? Either.map(Pda.channel(input.wallet, input.name, input.programId), ({ address }) => address)
    : Either.right(input.channel)

const newChannel = ({ description, feePerMessage, maxParticipants, name, visibility }: CreateChannelInput) => ({
  name,
  description,
  visibility,
  maxParticipants,
  feePerMessage
})

/**
 * Creates a channel without participants. On the published program it stays inactive until {@link updateChannel}
 * activates it; prefer {@link createChannelV2}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const createChannel = checked(
  { wallet: "required", channel: "optional", programId: "optional" },
  (input: CreateChannelInput) =>
    Either.flatMap(channelOf(input), (channelAccount) =>
      assemble(
        { _tag: "CreateChannel", ...newChannel(input) },
        { channelAccount, creator: input.wallet, systemProgram: SYSTEM_PROGRAM },
        input.programId
      )
    )
)

/**
 * Input of {@link createChannelV2}.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateChannelV2Input extends CreateChannelInput {
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the agent's participant address in the new channel. */
  readonly participant?: Address | undefined
}

/**
 * Creates an active channel. The creator's agent is its first participant.
 *
 * @since 0.1.0
 * @category constructors
 */
export const createChannelV2 = checked(
  { wallet: "required", channel: "optional", agent: "optional", participant: "optional", programId: "optional" },
  (input: CreateChannelV2Input) =>
    Either.flatMap(channelOf(input), (channelAccount) =>
      assemble(
        { _tag: "CreateChannelV2", ...newChannel(input) },
        {
          ...membership({ ...input, channel: channelAccount }),
          channelAccount,
          creator: input.wallet,
          systemProgram: SYSTEM_PROGRAM
        },
        input.programId
      )
    )
)

/**
 * Input of {@link updateChannel}.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateChannelInput {
  /** The creator's wallet. Signs. */
  readonly wallet: Address
  /** The channel's address; a new name does not change it. */
  readonly channel: Address
  /** Default: unchanged, as for the other fields. */
  readonly name?: string | undefined
  readonly description?: string | undefined
  /** Not below the current number of participants. */
  readonly maxParticipants?: number | undefined
  /** Lamports. */
  readonly feePerMessage?: bigint | undefined
  readonly isActive?: boolean | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Replaces the given fields of a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const updateChannel = checked(
  { wallet: "required", channel: "required", programId: "optional" },
  (input: UpdateChannelInput) =>
    assemble(
      {
        _tag: "UpdateChannel",
        name: Option.fromNullable(input.name),
        description: Option.fromNullable(input.description),
        maxParticipants: Option.fromNullable(input.maxParticipants),
        feePerMessage: Option.fromNullable(input.feePerMessage),
        isActive: Option.fromNullable(input.isActive)
      },
      { channelAccount: input.channel, signer: input.wallet },
      input.programId
    )
)

/**
 * Input of {@link leaveChannel} and of other instructions for a participant.
 *
 * @since 0.1.0
 * @category models
 */
export interface ParticipantInput {
  /** The participant's wallet. Signs. */
  readonly wallet: Address
  /** The channel's address. */
  readonly channel: Address
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the agent's participant address in the channel. */
  readonly participant?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

const membership = (input: ParticipantInput) => {
  const agentAccount = agentOf(input)
  return { agentAccount, participantAccount: participantOf(input, agentAccount) }
}

/**
 * Input of {@link joinChannel}.
 *
 * @since 0.1.0
 * @category models
 */
export interface JoinChannelInput extends ParticipantInput {
  /**
   * For a private channel: `true` derives the wallet's invitation address; an address is used as it is. Default:
   * omitted.
   */
  readonly invitation?: Address | boolean | undefined
  /**
   * For a channel with a fee: `true` derives the wallet's escrow address; an address is used as it is. Default:
   * omitted.
   */
  readonly escrow?: Address | boolean | undefined
}

/**
 * Adds an agent to a channel as a participant. Pass the invitation and the escrow only if they exist: the program
 * refuses missing accounts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const joinChannel = checked(
  {
    wallet: "required",
    channel: "required",
    agent: "optional",
    participant: "optional",
    invitation: "derivable",
    escrow: "derivable",
    programId: "optional"
  },
  (input: JoinChannelInput) => {
    const { channel, programId, wallet } = input
    return assemble(
      { _tag: "JoinChannel" },
      {
        ...membership(input),
        channelAccount: channel,
        invitationAccount: optional(input.invitation, () => Pda.invitation(channel, wallet, programId).address),
        escrowAccount: optional(input.escrow, () => Pda.escrow(channel, wallet, programId).address),
        user: wallet,
        systemProgram: SYSTEM_PROGRAM
      },
      programId
    )
  }
)

/**
 * Ends an agent's participation. On the published program this is permanent: a later join fails.
 *
 * @since 0.1.0
 * @category constructors
 */
export const leaveChannel = checked(
  { wallet: "required", channel: "required", agent: "optional", participant: "optional", programId: "optional" },
  (input: ParticipantInput) =>
    assemble(
      { _tag: "LeaveChannel" },
      { ...membership(input), channelAccount: input.channel, user: input.wallet },
      input.programId
    )
)

/**
 * Input of {@link broadcastMessage}.
 *
 * @since 0.1.0
 * @category models
 */
export interface BroadcastMessageInput extends ParticipantInput {
  /** At most 874 bytes of UTF-8 in a plain transaction, 842 with `replyTo`. */
  readonly content: string
  readonly type: MessageType
  /** The channel message that this one answers. Default: none. */
  readonly replyTo?: Address | undefined
  /** u64, used once per wallet and channel. */
  readonly nonce: bigint
  /** Default: the address derived from channel, wallet and nonce. */
  readonly message?: Address | undefined
}

/**
 * Broadcasts a message in a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const broadcastMessage = checked(
  {
    wallet: "required",
    channel: "required",
    agent: "optional",
    participant: "optional",
    replyTo: "optional",
    message: "optional",
    programId: "optional"
  },
  (input: BroadcastMessageInput) => {
    const { channel, content, nonce, programId, type, wallet } = input
    const message =
      input.message === undefined
        ? Either.map(Pda.channelMessage(channel, wallet, nonce, programId), ({ address }) => address)
        : Either.right(input.message)
    return Either.flatMap(message, (messageAccount) =>
      assemble(
        { _tag: "BroadcastMessage", content, type, replyTo: Option.fromNullable(input.replyTo), nonce },
        {
          ...membership(input),
          channelAccount: channel,
          messageAccount,
          user: wallet,
          systemProgram: SYSTEM_PROGRAM
        },
        programId
      )
    )
  }
)

/**
 * Input of {@link inviteToChannel}.
 *
 * @since 0.1.0
 * @category models
 */
export interface InviteToChannelInput {
  /** The inviter's wallet: the creator's, or a participant's. Signs, and pays the rent. */
  readonly wallet: Address
  /** The channel's address. */
  readonly channel: Address
  /** The invitee's **wallet**. */
  readonly invitee: Address
  /** A u64 that is part of the invitation's hash. */
  readonly nonce: bigint
  /**
   * `true` derives the inviter's participant address; an address is used as it is. Required unless the inviter is the
   * creator. The account must exist. Default: omitted.
   */
  readonly participant?: Address | boolean | undefined
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the invitee's invitation address. */
  readonly invitation?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Invites a wallet to a channel. The agent account is passed writable for programs that count invitations; others
 * ignore it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const inviteToChannel = checked(
  {
    wallet: "required",
    channel: "required",
    invitee: "required",
    agent: "optional",
    participant: "derivable",
    invitation: "optional",
    programId: "optional"
  },
  (input: InviteToChannelInput) => {
    const { channel, invitee, nonce, programId, wallet } = input
    const agentAccount = agentOf(input)
    return assemble(
      { _tag: "InviteToChannel", invitee, nonce },
      {
        channelAccount: channel,
        participantAccount: optional(
          input.participant,
          () => Pda.participant(channel, agentAccount, programId).address
        ),
        agentAccount,
        invitationAccount: input.invitation ?? Pda.invitation(channel, invitee, programId).address,
        inviter: wallet,
        systemProgram: SYSTEM_PROGRAM
      },
      programId
    )
  }
)

/**
 * Input of {@link getChannelParticipants}.
 *
 * @since 0.1.0
 * @category models
 */
export interface GetChannelParticipantsInput {
  /** The channel's address. */
  readonly channel: Address
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Asks the program for a channel's participants. The program always answers with an empty list: read the participant
 * accounts instead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const getChannelParticipants = checked(
  { channel: "required", programId: "optional" },
  (input: GetChannelParticipantsInput) =>
    assemble({ _tag: "GetChannelParticipants" }, { channelAccount: input.channel }, input.programId)
)
