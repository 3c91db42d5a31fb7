/** The kinds of indexed accounts: how each is read, by which columns it is found, and which events change it. */
import type { Address } from "@solana/kit"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type {
  AgentAccount,
  ChannelAccount,
  ChannelMessage,
  ChannelParticipant,
  DirectMessage,
  EscrowAccount
} from "../../src/protocol/Account.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import type { MessageType } from "../../src/protocol/MessageType.js"
import type { ProtocolEvent } from "../../src/protocol/ProtocolEvent.js"
import { isAt } from "../internal/located.js"
import type { Accounts, Snapshot } from "../program/accounts.js"
import type { AccountInfo } from "../RpcPool.js"
import type { RpcError } from "../RpcTransport.js"
import type { Columns } from "./SearchIndex.js"

/** One type of account. */
export interface Source<A> {
  readonly list: (accounts: Accounts, minContextSlot: bigint | undefined) => Effect.Effect<Snapshot<A>, RpcError>
  /** Returns `undefined` for an account that is not of this type at its own address. */
  readonly decode: (info: AccountInfo, program: Address) => A | undefined
  /** Returns `undefined` for bytes that are not an account of this type. */
  readonly read: (data: Uint8Array) => A | undefined
}

export interface Kind<A, Order extends string> {
  readonly name: string
  readonly sources: ReadonlyArray<Source<A>>
  readonly columns: Columns<A, Order>
  /** The order whose last account is removed when the index is full. */
  readonly oldest: Order
  /** The account that an event created or changed. */
  readonly changedBy: (event: ProtocolEvent) => Address | undefined
}

const source = <A>(type: AccountType.AccountType<A>): Source<A> => ({
  list: (accounts, minContextSlot) => accounts.listAt({ type, where: [] }, minContextSlot),
  decode: (info, program) => {
    if (info.owner !== program) return undefined
    const account = Either.getOrUndefined(type.decode(info.data))
    return account !== undefined && isAt(type, info.address, account, program) ? account : undefined
  },
  read: (data) => Either.getOrUndefined(type.decode(data))
})

const BITS = Array.from({ length: 64 }, (_, bit) => String(bit))

/** The set bits as terms. */
export const bitTerms = (bits: bigint): ReadonlyArray<string> => {
  const terms: Array<string> = []
  const add = (word: number, offset: number): void => {
    for (let rest = word; rest !== 0; rest &= rest - 1) {
      const term = BITS[offset + 31 - Math.clz32(rest & -rest)]
      if (term !== undefined) terms.push(term)
    }
  }
  add(Number(BigInt.asIntN(32, bits)), 0)
  add(Number(BigInt.asIntN(32, bits >> 32n)), 32)
  return terms
}

export type AgentOrder = "reputation" | "recent"

export const agents: Kind<AgentAccount, AgentOrder> = {
  name: "agents",
  sources: [source(AccountType.agent)],
  columns: {
    terms: ({ capabilities }) => bitTerms(capabilities),
    text: ({ metadataUri }) => metadataUri,
    orders: { reputation: ({ reputation }) => reputation, recent: ({ lastUpdated }) => lastUpdated }
  },
  oldest: "recent",
  changedBy: (event) => {
    switch (event._tag) {
      case "AgentRegistered":
      case "AgentUpdated":
      case "Invited":
        return event.agent
      default:
        return undefined
    }
  }
}

export const ACTIVE = "active"
export const ROOM = "room"
export const visibilityTerm = (visibility: ChannelAccount["visibility"]): string => `visibility:${visibility}`
export const creatorTerm = (wallet: string): string => `creator:${wallet}`

export type ChannelOrder = "participants" | "recent" | "fee"

export const channels: Kind<ChannelAccount, ChannelOrder> = {
  name: "channels",
  sources: [source(AccountType.channel)],
  columns: {
    terms: ({ creator, currentParticipants, isActive, maxParticipants, visibility }) => [
      creatorTerm(creator),
      visibilityTerm(visibility),
      ...(isActive ? [ACTIVE] : []),
      ...(currentParticipants < maxParticipants ? [ROOM] : [])
    ],
    text: ({ description, name }) => `${name} ${description}`,
    orders: {
      participants: ({ currentParticipants }) => BigInt(currentParticipants),
      recent: ({ createdAt }) => createdAt,
      fee: ({ feePerMessage }) => feePerMessage
    }
  },
  oldest: "recent",
  changedBy: (event) => {
    switch (event._tag) {
      case "ChannelCreated":
      case "ChannelUpdated":
      case "ChannelJoined":
      case "ChannelLeft":
      case "CompressedJoined":
      case "CompressedSynced":
      case "EscrowDeposited":
      case "EscrowWithdrawn":
        return event.channel
      default:
        return undefined
    }
  }
}

export const agentTerm = (agent: string): string => `agent:${agent}`
export const MEMBER = "member"

export const participants: Kind<ChannelParticipant, "recent"> = {
  name: "participants",
  sources: [source(AccountType.participant)],
  columns: {
    terms: ({ agent, isActive }) => (isActive ? [MEMBER, agentTerm(agent)] : []),
    text: () => "",
    orders: { recent: ({ joinedAt }) => joinedAt }
  },
  oldest: "recent",
  changedBy: (event) => {
    switch (event._tag) {
      case "ChannelCreated":
      case "CompressedJoined":
        return Option.getOrUndefined(event.participant)
      case "ChannelJoined":
      case "ChannelLeft":
        return event.participant
      default:
        return undefined
    }
  }
}

export const escrows: Kind<EscrowAccount, "recent"> = {
  name: "escrows",
  sources: [source(AccountType.escrow)],
  columns: {
    terms: () => [],
    text: () => "",
    orders: { recent: ({ createdAt }) => createdAt },
    amount: ({ amount }) => amount
  },
  oldest: "recent",
  changedBy: (event) => {
    switch (event._tag) {
      case "EscrowDeposited":
      case "EscrowWithdrawn":
        return event.escrow
      case "ChannelJoined":
        return Option.getOrUndefined(event.escrow)
      default:
        return undefined
    }
  }
}

export const DIRECT = "direct"
export const BROADCAST = "broadcast"
export const senderTerm = (agent: string): string => `sender:${agent}`
export const recipientTerm = (address: string): string => `recipient:${address}`
export const channelTerm = (channel: string): string => `channel:${channel}`
export const statusTerm = (status: DirectMessage["status"]): string => `status:${status}`
export const typeTerm = (type: MessageType): string => `type:${type._tag === "Custom" ? type.value : type._tag}`

/** A direct message, or a broadcast in a channel. */
export type AnyMessage = ChannelMessage | DirectMessage

export const messages: Kind<AnyMessage, "recent"> = {
  name: "messages",
  sources: [source(AccountType.directMessage), source(AccountType.channelMessage)],
  columns: {
    terms: (message) =>
      message._tag === "DirectMessage"
        ? [
            DIRECT,
            senderTerm(message.sender),
            recipientTerm(message.recipient),
            statusTerm(message.status),
            typeTerm(message.type)
          ]
        : [BROADCAST, senderTerm(message.sender), channelTerm(message.channel), typeTerm(message.type)],
    text: (message) => (message._tag === "DirectMessage" ? "" : message.content),
    orders: { recent: ({ createdAt }) => createdAt }
  },
  oldest: "recent",
  changedBy: (event) => {
    switch (event._tag) {
      case "MessageSent":
      case "MessageStatusChanged":
      case "MessageBroadcast":
        return event.message
      default:
        return undefined
    }
  }
}
