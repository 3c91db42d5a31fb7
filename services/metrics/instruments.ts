/** The package's metrics in Effect's registry, which exporters of Effect read. */
import type * as Metric from "effect/Metric"
import * as MetricTable from "../../src/observe/MetricTable.js"
import * as MetricOf from "../internal/metricOf.js"

/**
 * Seconds from the start of a JSON-RPC call to its decoded reply. Labels: `rpc.method`, `outcome` (`success`, an
 * `RpcError` reason, `Interrupted` or `Defect`).
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcCallDuration: Metric.Metric.Histogram<number> = MetricOf.histogram(MetricTable.rpcCallDuration)

/**
 * JSON-RPC calls. Labels as `rpcCallDuration`.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcCalls: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.rpcCalls)

/**
 * The counter {@link rpcCalls} and the histogram {@link rpcCallDuration}, with their labels in the key. If a metric is
 * tagged later, each update looks it up, which costs more than the update.
 *
 * @since 0.1.0
 * @category constructors
 */
export const rpcCallsOf = (method: string, outcome: string) => {
  const labels = { "rpc.method": method, outcome }
  return {
    calls: MetricOf.counter(MetricTable.rpcCalls, labels),
    duration: MetricOf.histogram(MetricTable.rpcCallDuration, labels)
  }
}

/**
 * HTTP connections that are open now. Labels: `server.address` (host, and port if the URL has one),
 * `network.protocol.version` (`1.1` or `2`).
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcConnections: Metric.Metric.Gauge<number> = MetricOf.gauge(MetricTable.rpcConnections)

/**
 * Calls that were made again, after a wait or at the next endpoint, because an attempt had failed.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcRetries: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.rpcRetries)

/**
 * Subscriptions that are open now. Label: `rpc.method`.
 *
 * @since 0.1.0
 * @category constants
 */
export const subscriptionsActive: Metric.Metric.Gauge<number> = MetricOf.gauge(MetricTable.subscriptionsActive)

/**
 * WebSocket messages that belong to no call and no subscription of this client: a gateway's ping, an unexpected answer,
 * text that is not JSON.
 *
 * @since 0.1.0
 * @category constants
 */
export const socketMessagesIgnored: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.socketMessagesIgnored)

/**
 * Accounts in lists and followed lists that failed a check and were left out. Label: `reason` (`owner`: another program
 * owns it; `filter`: it does not match the request; `double`: the list has it twice; `decode`: its bytes are not an
 * account of the type; `address`: its fields give another address).
 *
 * @since 0.1.0
 * @category constants
 */
export const accountsRefused: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.accountsRefused)

/**
 * The counter {@link accountsRefused} for one reason, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const accountsRefusedOf = (
  reason: "owner" | "filter" | "double" | "decode" | "address"
): Metric.Metric.Counter<number> => MetricOf.counter(MetricTable.accountsRefused, { reason })

/**
 * Transactions that ended. Label: `outcome` (`confirmed` or a `TransactionError` reason).
 *
 * @since 0.1.0
 * @category constants
 */
export const transactions: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.transactions)

/**
 * The counter {@link transactions} for one outcome, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transactionsOf = (outcome: string): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.transactions, { outcome })

/**
 * Transactions that were sent again with the same bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const rebroadcasts: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.rebroadcasts)

/**
 * Seconds from the first submission of a transaction until it reached the requested commitment.
 *
 * @since 0.1.0
 * @category constants
 */
export const confirmationDuration: Metric.Metric.Histogram<number> = MetricOf.histogram(
  MetricTable.confirmationDuration
)

/**
 * Protocol messages that landed. Label: `kind` (`direct`, `broadcast` or `compressed`).
 *
 * @since 0.1.0
 * @category constants
 */
export const messagesSent: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.messagesSent)

/**
 * The counter {@link messagesSent} for one kind, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const messagesSentOf = (kind: "direct" | "broadcast" | "compressed"): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.messagesSent, { kind })

/**
 * Blockhashes that came from the cache.
 *
 * @since 0.1.0
 * @category constants
 */
export const blockhashCacheHits: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.blockhashCacheHits)

/**
 * Blockhashes that had to be fetched.
 *
 * @since 0.1.0
 * @category constants
 */
export const blockhashCacheMisses: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.blockhashCacheMisses)

/**
 * Reads through the cache. Label: `outcome` (`memory`: from the first level; `store`: from the second; `stale`: an old
 * value, if the policy allows it; `network`: from an endpoint).
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheReads: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.cacheReads)

/**
 * The counter {@link cacheReads} for one outcome, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const cacheReadsOf = (outcome: "memory" | "store" | "stale" | "network"): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.cacheReads, { outcome })

/**
 * Answers that were older than an invalidation and were requested again.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheFenced: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.cacheFenced)

/**
 * Rows of a cache's store, and saved indexes, that were damaged or of another cluster, and were removed.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheRowsDamaged: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.cacheRowsDamaged)

/**
 * Failures of a cache's store. Label: `reason` (of the `CacheError`). Reads went on without the store.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheErrors: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.cacheErrors)

/**
 * The counter {@link cacheErrors} for one reason, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const cacheErrorsOf = (reason: string): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.cacheErrors, { reason })

/**
 * Protocol events whose accounts and tags were invalidated in a cache.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheEventsApplied: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.cacheEventsApplied)

/**
 * Caches whose invalidator is behind. They keep entries only briefly.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheBehind: Metric.Metric.Gauge<number> = MetricOf.gauge(MetricTable.cacheBehind)

/**
 * Protocol events that were read from new slots, once for all consumers. Label: `kind` (a tag of `ProtocolEvent`).
 *
 * @since 0.1.0
 * @category constants
 */
export const protocolEvents: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.protocolEvents)

/**
 * The counter {@link protocolEvents} for one kind, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const protocolEventsOf = (kind: string): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.protocolEvents, { kind })

/**
 * Reads for which a node did not return a transaction that the history lists. The events behind it wait.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventsHeld: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.eventsHeld)

/**
 * Ranges of slots whose events were lost because the nodes no longer keep them.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventsLost: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.eventsLost)

/**
 * Open streams of protocol events.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventConsumers: Metric.Metric.Gauge<number> = MetricOf.gauge(MetricTable.eventConsumers)

/**
 * Requests to the payload server. Labels: `method`, `status`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const payloadRequestsOf = (method: string, status: number): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.payloadRequests, { method, status: String(status) })

/**
 * Bytes of the payloads that the payload server received and stored.
 *
 * @since 0.1.0
 * @category constants
 */
export const payloadBytesReceived: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.payloadBytesReceived)

/**
 * Bytes that the payload server stores, including 512 bytes of overhead for each payload.
 *
 * @since 0.1.0
 * @category constants
 */
export const payloadBytesStored: Metric.Metric.Gauge<number> = MetricOf.gauge(MetricTable.payloadBytesStored)

/**
 * Calls of worker pools that ended. Label: `outcome`.
 *
 * @since 0.1.0
 * @category constants
 */
export const workerTasks: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.workerTasks)

/**
 * The counter {@link workerTasks} for one outcome, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const workerTasksOf = (outcome: string): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.workerTasks, { outcome })

/**
 * Threads of worker pools that were replaced. Label: `reason` (`Timeout` or `Crashed`).
 *
 * @since 0.1.0
 * @category constants
 */
export const workersReplaced: Metric.Metric.Counter<number> = MetricOf.counter(MetricTable.workersReplaced)

/**
 * The counter {@link workersReplaced} for one reason, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const workersReplacedOf = (reason: "Timeout" | "Crashed"): Metric.Metric.Counter<number> =>
  MetricOf.counter(MetricTable.workersReplaced, { reason })
