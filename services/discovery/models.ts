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
 * Selects one page of a list.
 *
 * @since 0.1.0
 * @category models
 */
export interface Paging {
  /** The size of a page, 1 to 1,000. Default: 20. */
  readonly limit?: number | undefined
  /** Where the page begins: the `next` of the previous page, whose query may differ only in its limit. */
  readonly cursor?: string | undefined
}

/**
 * Which agents to find, and in which order. Each given field restricts the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface AgentQuery extends Paging {
  /** Capabilities that must all be set: see `Capabilities`. */
  readonly all?: bigint | undefined
  /** Capabilities of which at least one must be set. */
  readonly any?: bigint | undefined
  /** The lowest reputation. */
  readonly minReputation?: bigint | undefined
  /** The highest reputation. */
  readonly maxReputation?: bigint | undefined
  /** Unix seconds: only agents that registered or changed at or after this time. */
  readonly activeSince?: bigint | undefined
  /** Words of the metadata URI, matched by prefix, ignoring case. All must match. At most 32 words count. */
  readonly text?: string | undefined
  /** The highest reputation first (default), or the latest change first. Ties are ordered by address. */
  readonly sort?: "reputation" | "recent" | undefined
}

/**
 * Which channels to find, and in which order. Each given field restricts the result.
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
  /** The highest fee for joining, in lamports. */
  readonly maxFee?: bigint | undefined
  /** The lowest number of participants. */
  readonly minParticipants?: bigint | undefined
  /** Unix seconds: only channels that were created at or after this time. */
  readonly createdSince?: bigint | undefined
  /**
   * Words of the name and the description, matched by prefix, ignoring case. All must match. At most 32 words count.
   */
  readonly text?: string | undefined
  /** The most participants first (default), or the newest first. Ties are ordered by address. */
  readonly sort?: "participants" | "recent" | undefined
}

/**
 * Which messages to find, the latest first. Ties are ordered by address. Each given field restricts the result.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageQuery extends Paging {
  /** `direct` messages, or `broadcast` messages in channels. Default: both. */
  readonly kind?: "direct" | "broadcast" | undefined
  /** The sender's wallet or agent. */
  readonly sender?: Address | undefined
  /** The recipient of direct messages, as the senders wrote it: a wallet or an agent. */
  readonly recipient?: Address | undefined
  /** The channel of broadcasts. */
  readonly channel?: Address | undefined
  readonly type?: MessageType | undefined
  /** The status of direct messages. */
  readonly status?: MessageStatus | undefined
  /** Unix seconds: only messages that were created at or after this time. */
  readonly since?: bigint | undefined
  /** Unix seconds: only messages that were created at or before this time. */
  readonly until?: bigint | undefined
  /**
   * Words of broadcasts, matched by prefix, ignoring case. Direct messages have no words, because the chain has only
   * their hash.
   */
  readonly text?: string | undefined
}

/**
 * A page of results.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page<Item> {
  readonly items: ReadonlyArray<Item>
  /** The cursor of the next page; `None` on the last page. */
  readonly next: Option.Option<string>
  /** The slot up to which the index contains all changes. */
  readonly asOf: Slot
}

/**
 * An account with a score from 0 to 1, rounded to six digits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Scored<A> extends ProgramAccount<A> {
  readonly score: number
}

/**
 * The numbers of accounts in the index.
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
  /** Memberships of agents in channels, including the creators. */
  readonly memberships: number
  /** The wallets' escrows for channels: their number, and the lamports in them. */
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

/** The kinds of accounts that the service can index. */
export type KindName = "agents" | "channels" | "messages"

/**
 * Options of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The kinds to index. Default: all three. Each costs one listing and, with 100,000 accounts, about 60 MB. */
  readonly kinds?: ReadonlyArray<KindName> | undefined
  /**
   * Maximum accounts of a kind. Default: 1,000,000. Above it, the oldest are removed, with a warning in the log. Too
   * low: old accounts are not found. Too high: memory, about 0.6 KB for each account.
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
   * The name of the index, 1 to 64 characters, if several share a store. Default `"default"`. Two processes that save
   * under one name damage each other's state. A restart detects this and lists the program again.
   */
  readonly name?: string | undefined
  /**
   * Time between two saves, 1 second to 1 hour. Default 30 seconds. A save writes only changes. Too low: more writes.
   * Too high: more events are read again after a crash.
   */
  readonly saveInterval?: Duration.DurationInput | undefined
}
