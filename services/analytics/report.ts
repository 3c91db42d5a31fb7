/** Writes the statistics as text for people, or as JSON for programs. */
import * as Option from "effect/Option"
import * as Jsonable from "../../src/internal/jsonable.js"
import * as SafeText from "../../src/SafeText.js"
import * as Lamports from "../../src/solana/Lamports.js"
import type { Busy } from "../Discovery.js"
import { aligned } from "../internal/columns.js"
import type { Activity, Bucket, Network, Overview } from "./models.js"

/** The content of a report. */
export interface Content {
  readonly overview: Overview
  readonly series: ReadonlyArray<Bucket>
  /** Seconds of a span. */
  readonly resolution: number
  readonly senders: ReadonlyArray<Busy>
  readonly channels: ReadonlyArray<Busy>
  /** The cluster, or the reason for which no endpoint describes it. */
  readonly network: Network | { readonly unavailable: string }
}

const sol = (lamports: bigint): string => {
  const fraction = String(lamports % Lamports.PER_SOL)
    .padStart(9, "0")
    .replace(/0+$/, "")
  return `${lamports / Lamports.PER_SOL}${fraction === "" ? "" : `.${fraction}`} SOL`
}

const parts = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name.toLowerCase()}`)
    .join(", ")

const accounts = ({ accounts: { agents, channels, escrows, memberships, messages } }: Overview): string => {
  const { total, ...kinds } = channels
  return aligned([
    ["Agents", String(agents)],
    ["Channels", String(total), parts(kinds)],
    ["Memberships", String(memberships)],
    ["Direct messages", String(messages.direct), parts(messages.byStatus)],
    ["Broadcasts", String(messages.broadcast)],
    ["Escrows", String(escrows.total), `hold ${sol(escrows.lamports)}`]
  ])
}

const ACTIVITY = ["agents", "messages", "channels", "broadcasts", "joined", "left", "deposited", "withdrawn"] as const

const activityOf = (activity: Activity): ReadonlyArray<string> =>
  ACTIVITY.map((field) => {
    const value = activity[field]
    return typeof value === "bigint" ? sol(value) : String(value)
  })

/** `2023-11-14 22:00` */
const time = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString().slice(0, 16).replace("T", " ")

const isActive = (bucket: Bucket): boolean => ACTIVITY.some((field) => Number(bucket[field]) > 0)

const activity = ({ overview: { activity }, series }: Content): string =>
  aligned([
    ["From (UTC)", ...ACTIVITY],
    ...series.filter(isActive).map((bucket) => [time(bucket.from), ...activityOf(bucket)]),
    ["All", ...activityOf(activity)]
  ])

const ranked = (title: string, rows: ReadonlyArray<Busy>): string =>
  [title, aligned(rows.map(({ address, messages }) => [address, String(messages)]))].join("\n")

const cluster = (network: Content["network"]): string => {
  if ("unavailable" in network) return `No endpoint describes the cluster: ${SafeText.make(network.unavailable)}`
  const { epoch, epochProgress, isHealthy, prioritizationFee, slot, transactionsPerSecond, version } = network
  return [
    `Slot ${slot}, epoch ${epoch} (${(100 * epochProgress).toFixed(1)} %), version ${SafeText.make(version, 40)}`,
    isHealthy ? "healthy" : "behind its cluster",
    ...Option.match(transactionsPerSecond, {
      onNone: () => [],
      onSome: (rate) => [`${rate.toFixed(1)} transactions/s`]
    }),
    ...Option.match(prioritizationFee, { onNone: () => [], onSome: (fee) => [`median priority fee ${fee} µ◎/CU`] })
  ].join(", ")
}

const lost = ({ lost }: Overview): ReadonlyArray<string> =>
  lost.map(({ from, to }) => `Not in the activity: slots ${from} to ${to}, which the nodes no longer keep`)

const text = (content: Content): string => {
  const { overview } = content
  return [
    `PoD Protocol as of slot ${overview.accounts.asOf}`,
    accounts(overview),
    [activity(content), ...lost(overview)].join("\n"),
    ...(content.senders.length > 0 ? [ranked("Most messages sent", content.senders)] : []),
    ...(content.channels.length > 0 ? [ranked("Most messages in a channel", content.channels)] : []),
    cluster(content.network)
  ].join("\n\n")
}

export const report = (content: Content, format: "json" | "text"): string =>
  format === "json" ? JSON.stringify(Jsonable.toJson(content), undefined, 2) : text(content)
