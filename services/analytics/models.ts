/**
 * The results, queries and options of `Analytics`.
 *
 * @since 0.1.0
 */
import type { Slot } from "@solana/kit"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type { Counts } from "../Discovery.js"
import type { StreamOptions } from "../ProtocolEvents.js"

/**
 * Activity, counted from events.
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
  /** Agents that joined a channel. The creator of a channel does not count. */
  readonly joined: number
  /** Agents that left a channel. */
  readonly left: number
  /** Lamports that were deposited into escrows. */
  readonly deposited: bigint
  /** Lamports that depositors withdrew from escrows. Fees of joining agents do not count. */
  readonly withdrawn: bigint
}

/**
 * Activity in a span of time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bucket extends Activity {
  /** Unix seconds at which the span begins. */
  readonly from: bigint
}

/**
 * A range of slots whose transactions the nodes no longer keep. The numbers of accounts include their effects; the
 * activity does not.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lost {
  readonly from: Slot
  readonly to: Slot
}

/**
 * Numbers of accounts and of events.
 *
 * @since 0.1.0
 * @category models
 */
export interface Overview {
  /** The accounts that `Discovery` holds. */
  readonly accounts: Counts & { readonly asOf: Slot }
  /** The total of all events, and the slot up to which they were read: none before the first read of the history. */
  readonly activity: Activity & { readonly asOf: Option.Option<Slot> }
  /** Gaps in the events. */
  readonly lost: ReadonlyArray<Lost>
}

/**
 * The spans of time of a series.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeriesQuery {
  /** The length of a span: the service's `resolution` (default) or a whole multiple of it. */
  readonly bucket?: Duration.DurationInput | undefined
  /** Unix seconds in the last span. Default: the latest event. */
  readonly until?: bigint | undefined
  /** Number of spans, 1 to 10,000. Default: 24. */
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
  /** Average of the last five minutes, votes included; none if the node has no sample. */
  readonly transactionsPerSecond: Option.Option<number>
  /**
   * Median prioritization fee of recent transactions of the program, in micro-lamports per compute unit; none if the
   * node lists none.
   */
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
   * The start of the activity: the `"beginning"` (default) of the program's history, or `"now"`. Reading the history
   * costs one call for each of its transactions.
   */
  readonly from?: "beginning" | "now" | undefined
  /** The commitment of the events. Default `confirmed`. */
  readonly commitment?: StreamOptions["commitment"]
  /**
   * The shortest span of a series, 1 minute to 1 day in whole seconds. Default 1 hour. Too low: `maxBuckets` is soon
   * reached. Too high: a series shows less detail.
   */
  readonly resolution?: Duration.DurationInput | undefined
  /**
   * Maximum spans with events, 1 to 10,000,000. Default 100,000: eleven years of hours. Too low: the oldest spans are
   * dropped from the series, but not from the totals. Too high: each span takes about 200 bytes of memory.
   */
  readonly maxBuckets?: number | undefined
}
