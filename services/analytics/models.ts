/**
 * Numbers of `Analytics`, its queries and its options.
 *
 * @since 0.1.0
 */
import type { Slot } from "@solana/kit"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type { Counts } from "../Discovery.js"
import type { StreamOptions } from "../ProtocolEvents.js"

/**
 * What happened, counted by events.
 *
 * @since 0.1.0
 * @category models
 */
export interface Activity {
  /** Agents that registered. */
  readonly agents: number
  /** Direct messages. */
  readonly messages: number
  /** Channels that were created. */
  readonly channels: number
  /** Messages in channels, compressed ones included. */
  readonly broadcasts: number
  /** Agents that joined a channel; the creator of one does not count. */
  readonly joined: number
  /** Agents that left a channel. */
  readonly left: number
  /** Lamports that came into escrows. */
  readonly deposited: bigint
  /** Lamports that depositors took out of escrows. Fees of those that joined are not among them. */
  readonly withdrawn: bigint
}

/**
 * What happened in a span of time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bucket extends Activity {
  /** Unix seconds at which the span begins. */
  readonly from: bigint
}

/**
 * Slots of which the nodes no longer keep the transactions. What happened in them is in the accounts and in no activity.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lost {
  readonly from: Slot
  readonly to: Slot
}

/**
 * The numbers of the program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Overview {
  /** The accounts, as `Discovery` has them. */
  readonly accounts: Counts & { readonly asOf: Slot }
  /** All that the events say, and the slot up to which they were read: none before the first read of the history. */
  readonly activity: Activity & { readonly asOf: Option.Option<Slot> }
  /** Gaps in the events. */
  readonly lost: ReadonlyArray<Lost>
}

/**
 * Which spans of time to give.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeriesQuery {
  /** The length of a span: the service's `resolution` (default) or a whole multiple of it. */
  readonly bucket?: Duration.DurationInput | undefined
  /** Unix seconds in the last span. Default: the latest event. */
  readonly until?: bigint | undefined
  /** How many spans, 1 to 10,000. Default: 24. */
  readonly limit?: number | undefined
}

/**
 * The cluster, as an endpoint sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Network {
  readonly slot: Slot
  readonly blockHeight: bigint
  readonly epoch: bigint
  /** The part of the epoch that has passed, from 0 to 1. */
  readonly epochProgress: number
  /** The node's version. */
  readonly version: string
  /** Whether the node has caught up with the cluster. */
  readonly isHealthy: boolean
  /** Of the last five minutes; none where the node has no sample of them. Votes count. */
  readonly transactionsPerSecond: Option.Option<number>
  /** Micro-lamports per compute unit that recent transactions of the program paid, the median; none where there was none. */
  readonly prioritizationFee: Option.Option<bigint>
}

/**
 * Options of the service.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Where the activity begins: at the `"beginning"` (default) of the program's history, or `"now"`. The history costs a call
   * for each of its transactions, once.
   */
  readonly from?: "beginning" | "now" | undefined
  /** The commitment of the events. Default `confirmed`. */
  readonly commitment?: StreamOptions["commitment"]
  /** The shortest span of a series, 1 minute to 1 day in whole seconds. Default 1 hour. Too short: `maxBuckets` is soon reached. */
  readonly resolution?: Duration.DurationInput | undefined
  /**
   * The most spans with events that are kept. Default 100,000: eleven years of hours. Above, the oldest leave the series, but
   * not the totals. Too high: memory, about 200 bytes for each.
   */
  readonly maxBuckets?: number | undefined
}
