/**
 * The metrics of the SDK. Names follow OpenTelemetry's conventions where one exists; each metric has at most two labels.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"

/** OpenTelemetry's advice for `rpc.client.call.duration`, in seconds. */
const CALL_SECONDS = MetricBoundaries.fromIterable([
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10
])

/** From one slot (0.4 s) to the life of a blockhash (150 blocks, about a minute) and beyond, in seconds. */
const CONFIRMATION_SECONDS = MetricBoundaries.fromIterable([0.1, 0.2, 0.4, 0.8, 1.2, 2, 4, 8, 15, 30, 60, 90, 120])

const callDuration = MetricKey.histogram(
  "rpc.client.call.duration",
  CALL_SECONDS,
  "Duration of JSON-RPC calls in seconds"
)

const calls = MetricKey.counter("pod_rpc_calls_total", {
  description: "JSON-RPC calls by method and outcome",
  incremental: true
})

/**
 * Seconds from the start of a JSON-RPC call to its decoded reply. Labels: `rpc.method`, `outcome` (`success`, an
 * `RpcError` reason, `Interrupted` or `Defect`).
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcCallDuration: Metric.Metric.Histogram<number> = Metric.fromMetricKey(callDuration)

/**
 * JSON-RPC calls. Labels as `rpcCallDuration`.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcCalls: Metric.Metric.Counter<number> = Metric.fromMetricKey(calls)

/**
 * Both with their labels in the key. A metric that is tagged afterwards is looked up at each update, which costs more than
 * the update.
 *
 * @since 0.1.0
 * @category constructors
 */
export const rpcCallsOf = (method: string, outcome: string) => {
  const labels = [MetricLabel.make("rpc.method", method), MetricLabel.make("outcome", outcome)]
  return {
    calls: Metric.fromMetricKey(MetricKey.taggedWithLabels(calls, labels)),
    duration: Metric.fromMetricKey(MetricKey.taggedWithLabels(callDuration, labels))
  }
}

/**
 * HTTP connections that are open now. Labels: `server.address` (host, and port where the URL names one),
 * `network.protocol.version` (`1.1` or `2`).
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcConnections = Metric.gauge("pod_rpc_connections_open", {
  description: "Open HTTP connections by endpoint and version of HTTP"
})

/**
 * Calls that were made again, after a wait or at the next endpoint, because an attempt had failed.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcRetries = Metric.counter("pod_rpc_retries_total", {
  description: "JSON-RPC calls made again after a failure",
  incremental: true
})

/**
 * Subscriptions that are open now. Label: `rpc.method`.
 *
 * @since 0.1.0
 * @category constants
 */
export const subscriptionsActive = Metric.gauge("pod_subscriptions_active", {
  description: "Open subscriptions by method"
})

/**
 * Messages on WebSockets that belong to no call and no subscription of this client: a gateway's ping, an answer to nobody,
 * what is not JSON.
 *
 * @since 0.1.0
 * @category constants
 */
export const socketMessagesIgnored = Metric.counter("pod_socket_messages_ignored_total", {
  description: "WebSocket messages that belong to no call and no subscription",
  incremental: true
})

const accountsRefusedKey = MetricKey.counter("pod_accounts_refused_total", {
  description: "Accounts in lists that were passed over by reason",
  incremental: true
})

/**
 * Accounts in lists and followed lists that were passed over. Label: `reason` (`owner`: of another program; `filter`: not
 * what was asked for; `double`: came before in the same list; `decode`: its bytes are no such account).
 *
 * @since 0.1.0
 * @category constants
 */
export const accountsRefused: Metric.Metric.Counter<number> = Metric.fromMetricKey(accountsRefusedKey)

/**
 * The counter {@link accountsRefused} for one reason, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const accountsRefusedOf = (reason: "owner" | "filter" | "double" | "decode"): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(MetricKey.tagged(accountsRefusedKey, "reason", reason))

const transactionsKey = MetricKey.counter("pod_transactions_total", {
  description: "Transactions by outcome",
  incremental: true
})

/**
 * Transactions that came to an end. Label: `outcome` (`confirmed` or a `TransactionError` reason).
 *
 * @since 0.1.0
 * @category constants
 */
export const transactions: Metric.Metric.Counter<number> = Metric.fromMetricKey(transactionsKey)

/**
 * The counter {@link transactions} for one outcome, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transactionsOf = (outcome: string): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(MetricKey.tagged(transactionsKey, "outcome", outcome))

/**
 * Transactions that were sent again with the same bytes.
 *
 * @since 0.1.0
 * @category constants
 */
export const rebroadcasts = Metric.counter("pod_transaction_rebroadcasts_total", {
  description: "Transactions sent again with the same bytes",
  incremental: true
})

/**
 * Seconds from the first submission of a transaction until it reached the commitment asked for.
 *
 * @since 0.1.0
 * @category constants
 */
export const confirmationDuration = Metric.histogram(
  "pod_transaction_confirmation_seconds",
  CONFIRMATION_SECONDS,
  "Time from submission to confirmation in seconds"
)

const messagesKey = MetricKey.counter("pod_messages_sent_total", {
  description: "Messages sent by kind",
  incremental: true
})

/**
 * Protocol messages that landed. Label: `kind` (`direct`, `broadcast` or `compressed`).
 *
 * @since 0.1.0
 * @category constants
 */
export const messagesSent: Metric.Metric.Counter<number> = Metric.fromMetricKey(messagesKey)

/**
 * The counter {@link messagesSent} for one kind, with the label in its key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const messagesSentOf = (kind: "direct" | "broadcast" | "compressed"): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(MetricKey.tagged(messagesKey, "kind", kind))

/**
 * Blockhashes that came from the cache.
 *
 * @since 0.1.0
 * @category constants
 */
export const blockhashCacheHits = Metric.counter("pod_blockhash_cache_hits_total", {
  description: "Blockhashes served from the cache",
  incremental: true
})

/**
 * Blockhashes that had to be fetched.
 *
 * @since 0.1.0
 * @category constants
 */
export const blockhashCacheMisses = Metric.counter("pod_blockhash_cache_misses_total", {
  description: "Blockhashes fetched from the cluster",
  incremental: true
})
