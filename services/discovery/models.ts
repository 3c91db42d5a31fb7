/**
 * Queries, pages and options of `Discovery`.
 *
 * @since 0.1.0
 */
import type { Address, Slot } from "@solana/kit"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type { ChannelVisibility, MessageStatus, MessageType } from "../../src/protocol/MessageType.js"
import type { ProgramAccount } from "../ProgramAccount.js"

/**
 * Which part of a list to give.
 *
 * @since 0.1.0
 * @category models
 */
export interface Paging {
  /** The size of a page, 1 to 1,000. Default: 20. */
  readonly limit?: number | undefined
  /** Where the page begins: the `next` of the page before, of a query that differs in nothing but its limit. */
  readonly cursor?: string | undefined
}

/**
 * Which agents to find, and in which order. Each field that is given narrows the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface AgentQuery extends Paging {
  /** Capabilities that must all be set: see `Capabilities`. */
  readonly all?: bigint | undefined
  /** Capabilities of which at least one must be set. */
  readonly any?: bigint | undefined
  /** The least reputation. */
  readonly minReputation?: bigint | undefined
  /** The greatest reputation. */
  readonly maxReputation?: bigint | undefined
  /** Unix seconds: only agents that registered or changed then or later. */
  readonly activeSince?: bigint | undefined
  /** Words of the metadata URI, by their beginnings, in any case. All must occur. At most 32 count. */
  readonly text?: string | undefined
  /** The highest reputation first (default), or the latest change first. The address decides between equals. */
  readonly sort?: "reputation" | "recent" | undefined
}

/**
 * Which channels to find, and in which order. Each field that is given narrows the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface ChannelQuery extends Paging {
  /** The wallet that created the channel. */
  readonly creator?: Address | undefined
  readonly visibility?: ChannelVisibility | undefined
  /** Only channels in which agents can broadcast. */
  readonly active?: boolean | undefined
  /** Only channels that another agent can join. */
  readonly hasRoom?: boolean | undefined
  /** The greatest fee for joining, in lamports. */
  readonly maxFee?: bigint | undefined
  /** The least number of participants. */
  readonly minParticipants?: bigint | undefined
  /** Unix seconds: only channels that were created then or later. */
  readonly createdSince?: bigint | undefined
  /** Words of the name and the description, by their beginnings, in any case. All must occur. At most 32 count. */
  readonly text?: string | undefined
  /** The most participants first (default), or the newest first. The address decides between equals. */
  readonly sort?: "participants" | "recent" | undefined
}

/**
 * Which messages to find, the latest first. The address decides between equals. Each field that is given narrows the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageQuery extends Paging {
  /** `direct` messages, or those `broadcast` in channels. Default: both. */
  readonly kind?: "direct" | "broadcast" | undefined
  /** The sender's wallet or agent. */
  readonly sender?: Address | undefined
  /** The recipient of direct messages, as their senders gave it. */
  readonly recipient?: Address | undefined
  /** The channel of broadcasts. */
  readonly channel?: Address | undefined
  readonly type?: MessageType | undefined
  /** The status of direct messages. */
  readonly status?: MessageStatus | undefined
  /** Unix seconds: only messages that were created then or later. */
  readonly since?: bigint | undefined
  /** Unix seconds: only messages that were created then or earlier. */
  readonly until?: bigint | undefined
  /** Words of broadcasts, by their beginnings, in any case. Direct messages have none: the chain holds their hash. */
  readonly text?: string | undefined
}

/**
 * A page of what was found.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page<Item> {
  readonly items: ReadonlyArray<Item>
  /** The cursor of the next page; none behind the last one. */
  readonly next: Option.Option<string>
  /** The slot up to which all changes are in the index. */
  readonly asOf: Slot
}

/**
 * An account with a score from 0 to 1, to six digits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scored<A> extends ProgramAccount<A> {
  readonly score: number
}

/**
 * How many accounts are in the index.
 *
 * @since 0.1.0
 * @category models
 */
export interface Counts {
  readonly agents: number
  readonly channels: {
    readonly total: number
    readonly active: number
    readonly public: number
    readonly private: number
  }
  /** Memberships: agents in channels, the creators included. */
  readonly memberships: number
  /** The deposits for channels: how many wallets' there are, and the lamports that they hold. */
  readonly escrows: { readonly total: number; readonly lamports: bigint }
  readonly messages: {
    readonly direct: number
    readonly broadcast: number
    /** Direct messages by their status. */
    readonly byStatus: { readonly [status in MessageStatus]: number }
  }
}

/**
 * An agent or a channel with the number of its messages in the index.
 *
 * @since 0.1.0
 * @category models
 */
export interface Busy {
  readonly address: Address
  readonly messages: number
}

/** What the service can index. */
export type KindName = "agents" | "channels" | "messages"

/**
 * Options of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What to index. Default: all three. Each kind costs its listing and, for 100,000 accounts, about 60 MB with them. */
  readonly kinds?: ReadonlyArray<KindName> | undefined
  /**
   * The most accounts of a kind. Default: 1,000,000. Above, the oldest are dropped with a warning in the log. Too low: old
   * accounts are not found. Too high: memory, about 0.6 KB for each.
   */
  readonly maxEntries?: number | undefined
}

/**
 * Options of a service that saves its index.
 *
 * @since 0.1.0
 * @category models
 */
export interface PersistedOptions extends Options {
  /**
   * Tells the indexes apart that share a store, 1 to 64 characters. Default `"default"`. Two processes that save under one
   * name spoil each other's state: it is found out, and the program is listed again.
   */
  readonly name?: string | undefined
  /**
   * Time between two saves, 1 second to 1 hour. Default 30 seconds. Only what changed is written. Too short: more writes.
   * Too long: after a crash, more events are read again.
   */
  readonly saveInterval?: Duration.DurationInput | undefined
}
