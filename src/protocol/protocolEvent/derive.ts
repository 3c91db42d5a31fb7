/** Derives the event of one instruction of the program. */
import type { Address } from "@solana/kit"
import * as Option from "effect/Option"
import { requireAccounts } from "../instruction/build.js"
import type { InstructionData, InstructionTag } from "../instruction/data.js"
import * as Models from "./models.js"

/** The event's place and time. */
export interface Place extends Pick<Models.Unknown, "signature" | "slot" | "path" | "blockTime" | "accounts"> {
  readonly programId: Address
  /** The time that the program logged for the instruction. */
  readonly timestamp: () => Option.Option<bigint>
}

/** Values that were decoded are not checked again. */
const DECODED = { disableValidation: true }

/** The accounts by name, if no required one is missing. */
const at = <Tag extends InstructionTag>(tag: Tag, { accounts, programId }: Place) =>
  requireAccounts(tag, accounts, programId)

/**
 * The event of an instruction; `undefined` if a required account is missing, `None` for an instruction that changes
 * nothing.
 */
export const derive = (
  data: InstructionData,
  place: Place
): Option.Option<Exclude<Models.AnyEvent, Models.Unknown>> | undefined => {
  const common = {
    signature: place.signature,
    slot: place.slot,
    path: place.path,
    blockTime: place.blockTime,
    accounts: place.accounts
  }
  switch (data._tag) {
    case "RegisterAgent": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { capabilities, metadataUri } = data
      const { agentAccount: agent, signer: wallet } = named
      const timestamp = place.timestamp()
      return Option.some(
        new Models.AgentRegistered({ ...common, timestamp, agent, wallet, capabilities, metadataUri }, DECODED)
      )
    }
    case "UpdateAgent": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { capabilities, metadataUri } = data
      const { agentAccount: agent, signer: wallet } = named
      return Option.some(new Models.AgentUpdated({ ...common, agent, wallet, capabilities, metadataUri }, DECODED))
    }
    case "SendMessage": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { payloadHash, recipient, type } = data
      const { messageAccount: message, senderAgent: sender, signer: wallet } = named
      const timestamp = place.timestamp()
      return Option.some(
        new Models.MessageSent({ ...common, timestamp, message, sender, wallet, recipient, payloadHash, type }, DECODED)
      )
    }
    case "UpdateMessageStatus": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { messageAccount: message, recipientAgent: agent, signer: wallet } = named
      return Option.some(
        new Models.MessageStatusChanged({ ...common, message, agent, wallet, status: data.status }, DECODED)
      )
    }
    case "CreateChannel": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { channelAccount: channel, creator } = named
      return created(data, { ...common, channel, creator, agent: Option.none(), participant: Option.none() }, place)
    }
    case "CreateChannelV2": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { channelAccount: channel, creator } = named
      const agent = Option.some(named.agentAccount)
      const participant = Option.some(named.participantAccount)
      return created(data, { ...common, channel, creator, agent, participant }, place)
    }
    case "UpdateChannel": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { description, feePerMessage, isActive, maxParticipants, name } = data
      const { channelAccount: channel, signer: wallet } = named
      return Option.some(
        new Models.ChannelUpdated(
          { ...common, channel, wallet, name, description, maxParticipants, feePerMessage, isActive },
          DECODED
        )
      )
    }
    case "JoinChannel": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const invitation = Option.fromNullable(named.invitationAccount)
      const escrow = Option.fromNullable(named.escrowAccount)
      const timestamp = place.timestamp()
      return Option.some(
        new Models.ChannelJoined({ ...common, timestamp, ...membershipOf(named), invitation, escrow }, DECODED)
      )
    }
    case "LeaveChannel": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      return Option.some(new Models.ChannelLeft({ ...common, ...membershipOf(named) }, DECODED))
    }
    case "BroadcastMessage": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { content, nonce, replyTo, type } = data
      const timestamp = place.timestamp()
      const { messageAccount: message } = named
      return Option.some(
        new Models.MessageBroadcast(
          { ...common, timestamp, ...membershipOf(named), message, content, type, replyTo, nonce },
          DECODED
        )
      )
    }
    case "InviteToChannel": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { invitee, nonce } = data
      const { agentAccount: agent, channelAccount: channel, invitationAccount: invitation, inviter } = named
      const participant = Option.fromNullable(named.participantAccount)
      return Option.some(
        new Models.Invited({ ...common, channel, invitation, inviter, agent, participant, invitee, nonce }, DECODED)
      )
    }
    case "DepositEscrow": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { channelAccount: channel, depositor, escrowAccount: escrow } = named
      const timestamp = place.timestamp()
      return Option.some(
        new Models.EscrowDeposited({ ...common, timestamp, escrow, channel, depositor, amount: data.amount }, DECODED)
      )
    }
    case "WithdrawEscrow": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { channelAccount: channel, depositor, escrowAccount: escrow } = named
      const timestamp = place.timestamp()
      return Option.some(
        new Models.EscrowWithdrawn({ ...common, timestamp, escrow, channel, depositor, amount: data.amount }, DECODED)
      )
    }
    case "GetChannelParticipants":
      return Option.none()
    case "BroadcastMessageCompressed": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { content, ipfsHash, replyTo, type } = data
      const { authority: wallet, channelAccount: channel, participantAccount: participant } = named
      const timestamp = place.timestamp()
      return Option.some(
        new Models.CompressedBroadcast(
          { ...common, timestamp, channel, participant, wallet, content, type, replyTo, ipfsHash },
          DECODED
        )
      )
    }
    case "JoinChannelCompressed": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { agentAccount: agent, authority: wallet, channelAccount: channel } = named
      const invitation = Option.fromNullable(named.invitationAccount)
      const participant = Option.fromNullable(named.participantAccount)
      const { metadataHash } = data
      const timestamp = place.timestamp()
      return Option.some(
        new Models.CompressedJoined(
          { ...common, timestamp, channel, agent, wallet, invitation, participant, metadataHash },
          DECODED
        )
      )
    }
    case "BatchSyncCompressedMessages": {
      const named = at(data._tag, place)
      if (named === undefined) return undefined
      const { messageHashes, syncTimestamp } = data
      const { authority: wallet, channelAccount: channel } = named
      return Option.some(
        new Models.CompressedSynced({ ...common, channel, wallet, messageHashes, syncTimestamp }, DECODED)
      )
    }
  }
}

type NewChannel = Extract<InstructionData, { readonly _tag: "CreateChannel" | "CreateChannelV2" }>

const created = (
  { description, feePerMessage, maxParticipants, name, visibility }: NewChannel,
  common: Pick<
    Models.ChannelCreated,
    "signature" | "slot" | "path" | "blockTime" | "accounts" | "channel" | "creator" | "agent" | "participant"
  >,
  place: Place
) =>
  Option.some(
    new Models.ChannelCreated(
      { ...common, timestamp: place.timestamp(), name, description, visibility, maxParticipants, feePerMessage },
      DECODED
    )
  )

const membershipOf = (named: {
  readonly channelAccount: Address
  readonly participantAccount: Address
  readonly agentAccount: Address
  readonly user: Address
}) => ({
  channel: named.channelAccount,
  participant: named.participantAccount,
  agent: named.agentAccount,
  wallet: named.user
})
