/** One call of each instruction that succeeds, and what its accounts are to the program. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Struct from "effect/Struct"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import { channel, hash, scenario, type Scenario, URI } from "./scenario.js"

export interface Call {
  readonly scene: Scenario
  /** Pays for the transaction and is not among the accounts. */
  readonly sponsor: Address
  readonly instruction: Instruction.ProgramInstruction
}

const builders: {
  readonly [_ in Instruction.InstructionTag]: (scene: Scenario) => Either.Either<Instruction.ProgramInstruction, Error>
} = {
  RegisterAgent: ({ dave }) => Instruction.registerAgent({ wallet: dave, capabilities: 3n, metadataUri: URI }),
  UpdateAgent: ({ bob }) => Instruction.updateAgent({ wallet: bob, capabilities: 4n, metadataUri: URI }),
  SendMessage: ({ alice, bob }) =>
    Instruction.sendMessage({ wallet: alice, recipient: bob, payloadHash: hash(5), type: MessageType.Text }),
  UpdateMessageStatus: ({ bob, message }) =>
    Instruction.updateMessageStatus({ wallet: bob, message, status: "Delivered" }),
  CreateChannel: ({ alice }) => Instruction.createChannel(channel(alice, "first")),
  CreateChannelV2: ({ alice }) => Instruction.createChannelV2(channel(alice, "second")),
  UpdateChannel: ({ alice, general }) =>
    Instruction.updateChannel({ wallet: alice, channel: general, name: "renamed", isActive: true }),
  JoinChannel: ({ bob, vault }) =>
    Instruction.joinChannel({ wallet: bob, channel: vault, invitation: true, escrow: true }),
  LeaveChannel: ({ bob, general }) => Instruction.leaveChannel({ wallet: bob, channel: general }),
  BroadcastMessage: ({ bob, general }) =>
    Instruction.broadcastMessage({
      wallet: bob,
      channel: general,
      content: "The quick brown fox jumps over the lazy dog. ".repeat(2),
      type: MessageType.Text,
      nonce: 1n
    }),
  InviteToChannel: ({ bob, carol, general }) =>
    Instruction.inviteToChannel({ wallet: bob, channel: general, invitee: carol, nonce: 1n, participant: true }),
  DepositEscrow: ({ carol, vault }) => Instruction.depositEscrow({ wallet: carol, channel: vault, amount: 10n }),
  WithdrawEscrow: ({ bob, vault }) => Instruction.withdrawEscrow({ wallet: bob, channel: vault, amount: 10n }),
  GetChannelParticipants: ({ general }) => Instruction.getChannelParticipants({ channel: general }),
  BroadcastMessageCompressed: ({ bob, general }) =>
    Instruction.broadcastMessageCompressed({
      wallet: bob,
      channel: general,
      content: "The quick brown fox jumps over the lazy dog. ".repeat(2),
      type: MessageType.Text,
      ipfsHash: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
    }),
  JoinChannelCompressed: ({ carol, secret }) =>
    Instruction.joinChannelCompressed({ wallet: carol, channel: secret, metadataHash: hash(2), invitation: true }),
  BatchSyncCompressedMessages: ({ alice, chain, general }) =>
    Instruction.batchSyncCompressedMessages({
      wallet: alice,
      channel: general,
      messageHashes: [hash(1), hash(2)],
      syncTimestamp: chain.now()
    })
}

export const call = (tag: Instruction.InstructionTag): Call => {
  const scene = scenario()
  return { scene, sponsor: scene.chain.wallet(99), instruction: Either.getOrThrow(builders[tag](scene)) }
}

/** Accounts that an instruction creates. All others of the program's it loads. */
const created: { readonly [_ in Instruction.InstructionTag]?: ReadonlyArray<string> } = {
  RegisterAgent: ["agentAccount"],
  SendMessage: ["messageAccount"],
  CreateChannel: ["channelAccount"],
  CreateChannelV2: ["channelAccount", "participantAccount"],
  JoinChannel: ["participantAccount"],
  BroadcastMessage: ["messageAccount"],
  InviteToChannel: ["invitationAccount"],
  DepositEscrow: ["escrowAccount"],
  JoinChannelCompressed: ["participantAccount"]
}

const isProgramAccount = (name: string): boolean =>
  (name.endsWith("Account") && name !== "merkleTree") || name === "senderAgent" || name === "recipientAgent"

/** One account of an instruction. */
export interface Slot {
  readonly tag: Instruction.InstructionTag
  readonly position: number
  /** Its name in the program's logs. */
  readonly name: string
  readonly kind: "created" | "loaded" | "signer" | "program" | "ignored"
  readonly isWritable: boolean
  readonly isOptional: boolean
  /** Whether the instruction creates an account, for which its signer pays. */
  readonly creates: boolean
}

const kindOf = (tag: Instruction.InstructionTag, name: string, role: number): Slot["kind"] => {
  if (role >= 2) return "signer"
  if (name === "systemProgram" || name === "compressionProgram") return "program"
  if (!isProgramAccount(name)) return "ignored"
  return created[tag]?.includes(name) === true ? "created" : "loaded"
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export const tags: ReadonlyArray<Instruction.InstructionTag> = Struct.keys(builders)

export const slots: ReadonlyArray<Slot> = tags.flatMap((tag) =>
  Instruction.accounts(tag).map(({ isOptional, name, role }, position) => ({
    tag,
    position,
    name: snakeCase(name),
    kind: kindOf(tag, name, role),
    isWritable: role % 2 === 1,
    isOptional,
    creates: created[tag] !== undefined
  }))
)
