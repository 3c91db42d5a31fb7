/** The seventeen instructions: discriminators, accounts in the order of the wire, and arguments. */
import * as Schema from "effect/Schema"
import * as Borsh from "./Borsh.js"
import { channelVisibility, messageStatus, messageType } from "./MessageTypeCodec.js"

/** Access of an account: read, writable, signing; `?` marks an optional one. */
export type Access = "r" | "w" | "s" | "sw" | "r?" | "w?"

/** The accounts of an instruction in wire order. */
export interface Accounts {
  readonly [name: string]: Access
}

const define = <Tag extends string, const A extends Accounts, F extends Borsh.Fields>(definition: {
  readonly tag: Tag
  readonly discriminator: string
  readonly accounts: A
  readonly args: F
}) => ({
  accounts: definition.accounts,
  schema: Schema.TaggedStruct(definition.tag, Borsh.schemas(definition.args)),
  layout: Borsh.layout<Tag, F, Borsh.Tagged<Tag, F>>({ ...definition, fields: definition.args })
})

const newChannel = {
  name: Borsh.string,
  description: Borsh.string,
  visibility: channelVisibility,
  maxParticipants: Borsh.u32,
  feePerMessage: Borsh.u64
}

/** Accounts of the compressed instructions for compression programs. The program reads none of them. */
const compressionAccounts = {
  registeredProgramId: "r",
  noopProgram: "r",
  accountCompressionAuthority: "r",
  accountCompressionProgram: "r",
  merkleTree: "r",
  nullifierQueue: "r",
  cpiAuthorityPda: "r"
} as const

/** Every instruction, by its name in the program's log. */
export const definitions = {
  RegisterAgent: define({
    tag: "RegisterAgent",
    discriminator: "879d42c30271af1e",
    accounts: { agentAccount: "w", signer: "sw", systemProgram: "r" },
    args: { capabilities: Borsh.u64, metadataUri: Borsh.string }
  }),
  UpdateAgent: define({
    tag: "UpdateAgent",
    discriminator: "5502b209778b66a4",
    accounts: { agentAccount: "w", signer: "s" },
    args: { capabilities: Borsh.option(Borsh.u64), metadataUri: Borsh.option(Borsh.string) }
  }),
  SendMessage: define({
    tag: "SendMessage",
    discriminator: "392822b2bd0a411a",
    accounts: { messageAccount: "w", senderAgent: "r", signer: "sw", systemProgram: "r" },
    args: { recipient: Borsh.address, payloadHash: Borsh.bytes32, type: messageType }
  }),
  UpdateMessageStatus: define({
    tag: "UpdateMessageStatus",
    discriminator: "52649c4a61bef884",
    accounts: { messageAccount: "w", recipientAgent: "r", signer: "s" },
    args: { status: messageStatus }
  }),
  CreateChannel: define({
    tag: "CreateChannel",
    discriminator: "2569fd63572edf14",
    accounts: { channelAccount: "w", creator: "sw", systemProgram: "r" },
    args: newChannel
  }),
  CreateChannelV2: define({
    tag: "CreateChannelV2",
    discriminator: "aea033cda9ca1190",
    accounts: { agentAccount: "r", channelAccount: "w", participantAccount: "w", creator: "sw", systemProgram: "r" },
    args: newChannel
  }),
  UpdateChannel: define({
    tag: "UpdateChannel",
    discriminator: "4bcc5ea53cb4c1d9",
    accounts: { channelAccount: "w", signer: "s" },
    args: {
      name: Borsh.option(Borsh.string),
      description: Borsh.option(Borsh.string),
      maxParticipants: Borsh.option(Borsh.u32),
      feePerMessage: Borsh.option(Borsh.u64),
      isActive: Borsh.option(Borsh.bool)
    }
  }),
  JoinChannel: define({
    tag: "JoinChannel",
    discriminator: "7c277359d91a261d",
    accounts: {
      channelAccount: "w",
      participantAccount: "w",
      agentAccount: "r",
      invitationAccount: "w?",
      escrowAccount: "w?",
      user: "sw",
      systemProgram: "r"
    },
    args: {}
  }),
  LeaveChannel: define({
    tag: "LeaveChannel",
    discriminator: "68004b865f5044ba",
    accounts: { channelAccount: "w", participantAccount: "w", agentAccount: "r", user: "sw" },
    args: {}
  }),
  BroadcastMessage: define({
    tag: "BroadcastMessage",
    discriminator: "fd90cb2adb7a9361",
    accounts: {
      channelAccount: "w",
      participantAccount: "w",
      agentAccount: "r",
      messageAccount: "w",
      user: "sw",
      systemProgram: "r"
    },
    args: { content: Borsh.string, type: messageType, replyTo: Borsh.option(Borsh.address), nonce: Borsh.u64 }
  }),
  InviteToChannel: define({
    tag: "InviteToChannel",
    discriminator: "cb34c230ad052beb",
    accounts: {
      channelAccount: "r",
      participantAccount: "r?",
      agentAccount: "w",
      invitationAccount: "w",
      inviter: "sw",
      systemProgram: "r"
    },
    args: { invitee: Borsh.address, nonce: Borsh.u64 }
  }),
  DepositEscrow: define({
    tag: "DepositEscrow",
    discriminator: "e2709eb0b2769980",
    accounts: { escrowAccount: "w", channelAccount: "w", depositor: "sw", systemProgram: "r" },
    args: { amount: Borsh.u64 }
  }),
  WithdrawEscrow: define({
    tag: "WithdrawEscrow",
    discriminator: "5154e280f52f6068",
    accounts: { escrowAccount: "w", channelAccount: "w", depositor: "sw" },
    args: { amount: Borsh.u64 }
  }),
  GetChannelParticipants: define({
    tag: "GetChannelParticipants",
    discriminator: "5710604956386246",
    accounts: { channelAccount: "r" },
    args: {}
  }),
  BroadcastMessageCompressed: define({
    tag: "BroadcastMessageCompressed",
    discriminator: "0f117123baf6296c",
    accounts: {
      channelAccount: "r",
      participantAccount: "w",
      feePayer: "sw",
      authority: "s",
      systemProgram: "r",
      compressionProgram: "r",
      ...compressionAccounts
    },
    args: { content: Borsh.string, type: messageType, replyTo: Borsh.option(Borsh.address), ipfsHash: Borsh.string }
  }),
  JoinChannelCompressed: define({
    tag: "JoinChannelCompressed",
    discriminator: "a7c2cb8285a20a58",
    accounts: {
      channelAccount: "w",
      agentAccount: "r",
      invitationAccount: "w?",
      feePayer: "sw",
      authority: "s",
      systemProgram: "r",
      ...compressionAccounts,
      participantAccount: "w?"
    },
    args: { metadataHash: Borsh.bytes32 }
  }),
  BatchSyncCompressedMessages: define({
    tag: "BatchSyncCompressedMessages",
    discriminator: "d9aa54dcea40d0ef",
    accounts: {
      channelAccount: "w",
      feePayer: "sw",
      authority: "s",
      systemProgram: "r",
      compressionProgram: "r",
      ...compressionAccounts
    },
    args: { messageHashes: Borsh.vec(Borsh.bytes32), syncTimestamp: Borsh.i64 }
  })
}
