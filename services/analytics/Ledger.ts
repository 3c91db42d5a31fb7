/**
 * Activity by time: events are added once, in the order of the chain, and read as a series.
 *
 * The time of an event is that of its block, or else the program's own time. An event without a valid time counts only
 * in the totals. So does an event of a span that was dropped, because the number of spans is bounded.
 */
import * as Option from "effect/Option"
import { model } from "../../src/internal/jsonable.js"
import type { ProtocolEvent } from "../../src/protocol/ProtocolEvent.js"
import type { Activity, Bucket } from "./models.js"

type Counted = { -readonly [Field in keyof Activity]: Activity[Field] }

const nothing = (): Counted => ({
  agents: 0,
  messages: 0,
  channels: 0,
  broadcasts: 0,
  joined: 0,
  left: 0,
  deposited: 0n,
  withdrawn: 0n
})

const count = (activity: Counted, event: ProtocolEvent): void => {
  switch (event._tag) {
    case "AgentRegistered":
      activity.agents++
      break
    case "MessageSent":
      activity.messages++
      break
    case "ChannelCreated":
      activity.channels++
      break
    case "MessageBroadcast":
    case "CompressedBroadcast":
      activity.broadcasts++
      break
    case "ChannelJoined":
    case "CompressedJoined":
      activity.joined++
      break
    case "ChannelLeft":
      activity.left++
      break
    case "EscrowDeposited":
      activity.deposited += event.amount
      break
    case "EscrowWithdrawn":
      activity.withdrawn += event.amount
      break
  }
}

const sum = (into: Counted, { deposited, withdrawn, ...counts }: Activity): void => {
  into.agents += counts.agents
  into.messages += counts.messages
  into.channels += counts.channels
  into.broadcasts += counts.broadcasts
  into.joined += counts.joined
  into.left += counts.left
  into.deposited += deposited
  into.withdrawn += withdrawn
}

/** The last second that a `Date` can hold. */
export const LAST_SECOND = 8_640_000_000_000n

const isDate = (seconds: bigint): boolean => seconds >= 0n && seconds <= LAST_SECOND

const secondsOf = (event: ProtocolEvent): number | undefined => {
  const own = "timestamp" in event ? event.timestamp : Option.none<bigint>()
  return Option.getOrUndefined(
    Option.map(
      Option.filter(
        Option.orElse(event.blockTime, () => own),
        isDate
      ),
      Number
    )
  )
}

export class Ledger {
  readonly #resolution: number
  readonly #maxBuckets: number
  readonly #buckets = new Map<number, Counted>()
  readonly #total = nothing()
  #latest: number | undefined

  /** Spans of `resolution` seconds. */
  constructor(resolution: number, maxBuckets: number) {
    this.#resolution = resolution
    this.#maxBuckets = maxBuckets
  }

  get total(): Activity {
    return model({ ...this.#total })
  }

  /** Unix seconds of the last event that has a time. */
  get latest(): bigint | undefined {
    return this.#latest === undefined ? undefined : BigInt(this.#latest)
  }

  add(event: ProtocolEvent): void {
    count(this.#total, event)
    const seconds = secondsOf(event)
    if (seconds === undefined) return
    this.#latest = seconds
    const index = Math.floor(seconds / this.#resolution)
    let bucket = this.#buckets.get(index)
    if (bucket === undefined) {
      bucket = nothing()
      this.#buckets.set(index, bucket)
      // Events arrive in order of time, so the first span is the oldest.
      const [oldest] = this.#buckets.size > this.#maxBuckets ? this.#buckets.keys() : []
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    count(bucket, event)
  }

  /** At most `limit` spans of `width` resolutions each, the oldest first. The last holds the second `until`. */
  series(width: number, until: bigint, limit: number): ReadonlyArray<Bucket> {
    const last = Math.floor(Number(until) / (this.#resolution * width))
    const first = Math.max(0, last - limit + 1)
    const spans = Array.from({ length: last - first + 1 }, nothing)
    for (const [index, bucket] of this.#buckets) {
      const span = spans[Math.floor(index / width) - first]
      if (span !== undefined) sum(span, bucket)
    }
    return spans.map((activity, position) =>
      model({ from: BigInt((first + position) * width * this.#resolution), ...activity })
    )
  }
}
