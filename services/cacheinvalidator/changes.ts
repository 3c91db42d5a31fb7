/** The changes of an event: accounts, and tags of the application's values that depend on them. */
import type { Address } from "@solana/kit"
import * as Option from "effect/Option"
import type { ProtocolEvent } from "../../src/protocol/ProtocolEvent.js"

export interface Changes {
  /** The accounts that the instruction can write. */
  readonly accounts: ReadonlyArray<Address>
  /** Tags that are invalidated without the tags below them. */
  readonly tags: ReadonlyArray<string>
  /** Tags that are invalidated with all tags below them. */
  readonly prefixes: ReadonlyArray<string>
}

const DISCOVERY = "discovery"

const present = (...addresses: ReadonlyArray<Option.Option<Address>>): ReadonlyArray<Address> =>
  addresses.flatMap(Option.toArray)

const none: ReadonlyArray<string> = []

/** Tags of an account of an unknown kind. */
const anyOf = (address: Address): ReadonlyArray<string> => [
  `agent:${address}`,
  `channel:${address}`,
  `message:${address}`
]

export const changesOf = (event: ProtocolEvent): Changes => {
  switch (event._tag) {
    case "AgentRegistered":
    case "AgentUpdated":
      return { accounts: [event.agent], tags: none, prefixes: [`agent:${event.agent}`, DISCOVERY] }
    case "MessageSent":
      return {
        accounts: [event.message],
        tags: none,
        prefixes: [`message:${event.message}`, `inbox:${event.recipient}`, `outbox:${event.wallet}`]
      }
    case "MessageStatusChanged":
      return { accounts: [event.message], tags: none, prefixes: [`message:${event.message}`] }
    case "ChannelCreated":
      return {
        accounts: [event.channel, ...present(event.participant)],
        tags: none,
        prefixes: [`channel:${event.channel}`, DISCOVERY]
      }
    case "ChannelUpdated":
      return { accounts: [event.channel], tags: none, prefixes: [`channel:${event.channel}`, DISCOVERY] }
    case "ChannelJoined":
      return {
        accounts: [event.channel, event.participant, ...present(event.invitation, event.escrow)],
        tags: [`channel:${event.channel}`],
        prefixes: [`channel:${event.channel}:participants`]
      }
    case "ChannelLeft":
      return {
        accounts: [event.channel, event.participant],
        tags: [`channel:${event.channel}`],
        prefixes: [`channel:${event.channel}:participants`]
      }
    case "CompressedJoined":
      return {
        accounts: [event.channel, ...present(event.participant, event.invitation)],
        tags: [`channel:${event.channel}`],
        prefixes: [`channel:${event.channel}:participants`]
      }
    case "MessageBroadcast":
      return {
        accounts: [event.channel, event.participant, event.message],
        tags: [`channel:${event.channel}`],
        prefixes: [`channel:${event.channel}:messages`, `message:${event.message}`]
      }
    case "CompressedBroadcast":
      return { accounts: [event.participant], tags: none, prefixes: [`channel:${event.channel}:messages`] }
    case "CompressedSynced":
      return {
        accounts: [event.channel],
        tags: [`channel:${event.channel}`],
        prefixes: [`channel:${event.channel}:messages`]
      }
    case "Invited":
      return {
        accounts: [event.agent, event.invitation],
        tags: [`agent:${event.agent}`],
        prefixes: [`channel:${event.channel}:invitations`]
      }
    case "EscrowDeposited":
    case "EscrowWithdrawn":
      return {
        accounts: [event.escrow, event.channel],
        tags: [`channel:${event.channel}`],
        prefixes: [`channel:${event.channel}:escrows`]
      }
    case "Unknown":
      return { accounts: event.accounts, tags: none, prefixes: [...event.accounts.flatMap(anyOf), DISCOVERY] }
  }
}
