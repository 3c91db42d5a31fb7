/**
 * Every metric of the package: name, kind, unit, labels and meaning. `docs/metrics.md` is generated from it.
 *
 * Names follow OpenTelemetry's conventions where one exists, and begin with `pod_` otherwise. Units are UCUM's, as
 * OpenTelemetry writes them. No metric has more than two labels of its own.
 *
 * @since 0.1.0
 */

/**
 * What a metric is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly name: string
  /**
   * `counter` only rises, `gauge` is a value of this moment, `histogram` counts values by buckets, of which an
   * `exponential histogram` has many and chooses the bounds itself.
   */
  readonly kind: "counter" | "gauge" | "histogram" | "exponential histogram"
  /** The unit: `s`, `By`, or what is counted in braces, as `{call}`. */
  readonly unit: string
  /** What each label holds, by its name. */
  readonly labels: Readonly<Record<string, string>>
  readonly meaning: string
  /** The upper bounds of a histogram's buckets, in its unit. */
  readonly boundaries?: ReadonlyArray<number>
}

const METHOD = "the JSON-RPC method; `_OTHER` for methods that are not Solana's"

const CALL_LABELS = {
  "rpc.method": METHOD,
  outcome: "`success`, an `RpcError` reason, `Interrupted` or `Defect`"
}

/**
 * JSON-RPC calls by duration.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcCallDuration = {
  name: "rpc.client.call.duration",
  kind: "histogram",
  unit: "s",
  labels: CALL_LABELS,
  meaning: "Time from the start of a JSON-RPC call to its decoded reply",
  // OpenTelemetry's advice for this metric.
  boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
} as const satisfies Row

/**
 * JSON-RPC calls.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcCalls = {
  name: "pod_rpc_calls_total",
  kind: "counter",
  unit: "{call}",
  labels: CALL_LABELS,
  meaning: "JSON-RPC calls that ended"
} as const satisfies Row

/**
 * HTTP connections.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcConnections = {
  name: "pod_rpc_connections_open",
  kind: "gauge",
  unit: "{connection}",
  labels: {
    "server.address": "the host, and the port where the URL names one",
    "network.protocol.version": "`1.1` or `2`"
  },
  meaning: "HTTP connections that are open now"
} as const satisfies Row

/**
 * Calls made again.
 *
 * @since 0.1.0
 * @category constants
 */
export const rpcRetries = {
  name: "pod_rpc_retries_total",
  kind: "counter",
  unit: "{call}",
  labels: {},
  meaning: "Calls that were made again, after a wait or at the next endpoint, because an attempt had failed"
} as const satisfies Row

/**
 * Open subscriptions.
 *
 * @since 0.1.0
 * @category constants
 */
export const subscriptionsActive = {
  name: "pod_subscriptions_active",
  kind: "gauge",
  unit: "{subscription}",
  labels: { "rpc.method": METHOD },
  meaning: "Subscriptions that are open now"
} as const satisfies Row

/**
 * WebSocket messages that were ignored.
 *
 * @since 0.1.0
 * @category constants
 */
export const socketMessagesIgnored = {
  name: "pod_socket_messages_ignored_total",
  kind: "counter",
  unit: "{message}",
  labels: {},
  meaning:
    "Messages on WebSockets that belong to no call and no subscription of this client: a gateway's ping, an unexpected " +
    "answer, text that is not JSON"
} as const satisfies Row

/**
 * Accounts that were passed over.
 *
 * @since 0.1.0
 * @category constants
 */
export const accountsRefused = {
  name: "pod_accounts_refused_total",
  kind: "counter",
  unit: "{account}",
  labels: {
    reason:
      "`owner`: of another program; `filter`: not what was asked for; `double`: came before in the same list; `decode`: " +
      "its bytes are no such account"
  },
  meaning: "Accounts in lists and followed lists that were passed over"
} as const satisfies Row

/**
 * Transactions that ended.
 *
 * @since 0.1.0
 * @category constants
 */
export const transactions = {
  name: "pod_transactions_total",
  kind: "counter",
  unit: "{transaction}",
  labels: { outcome: "`confirmed` or a `TransactionError` reason" },
  meaning: "Transactions that came to an end"
} as const satisfies Row

/**
 * Rebroadcasts.
 *
 * @since 0.1.0
 * @category constants
 */
export const rebroadcasts = {
  name: "pod_transaction_rebroadcasts_total",
  kind: "counter",
  unit: "{transaction}",
  labels: {},
  meaning: "Transactions that were sent again with the same bytes"
} as const satisfies Row

/**
 * Time to confirmation.
 *
 * @since 0.1.0
 * @category constants
 */
export const confirmationDuration = {
  name: "pod_transaction_confirmation_seconds",
  kind: "histogram",
  unit: "s",
  labels: {},
  meaning: "Time from the first submission of a transaction until it reached the commitment asked for",
  // From a quarter of a slot (0.4 s) to the life of a blockhash (150 blocks, about a minute) and beyond.
  boundaries: [0.1, 0.2, 0.4, 0.8, 1.2, 2, 4, 8, 15, 30, 60, 90, 120]
} as const satisfies Row

/**
 * Messages sent.
 *
 * @since 0.1.0
 * @category constants
 */
export const messagesSent = {
  name: "pod_messages_sent_total",
  kind: "counter",
  unit: "{message}",
  labels: { kind: "`direct`, `broadcast` or `compressed`" },
  meaning: "Protocol messages that landed"
} as const satisfies Row

/**
 * Blockhashes out of the cache.
 *
 * @since 0.1.0
 * @category constants
 */
export const blockhashCacheHits = {
  name: "pod_blockhash_cache_hits_total",
  kind: "counter",
  unit: "{blockhash}",
  labels: {},
  meaning: "Blockhashes that came from the cache"
} as const satisfies Row

/**
 * Blockhashes that were fetched.
 *
 * @since 0.1.0
 * @category constants
 */
export const blockhashCacheMisses = {
  name: "pod_blockhash_cache_misses_total",
  kind: "counter",
  unit: "{blockhash}",
  labels: {},
  meaning: "Blockhashes that had to be fetched"
} as const satisfies Row

/**
 * Protocol events by kind.
 *
 * @since 0.1.0
 * @category constants
 */
export const protocolEvents = {
  name: "pod_protocol_events_total",
  kind: "counter",
  unit: "{event}",
  labels: { kind: "a tag of `ProtocolEvent`" },
  meaning: "Protocol events that were read from new slots, once for all consumers"
} as const satisfies Row

/**
 * Transactions that a stream of events waits for.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventsHeld = {
  name: "pod_protocol_events_held_total",
  kind: "counter",
  unit: "{read}",
  labels: {},
  meaning: "Reads of transactions that the history lists and a node did not return"
} as const satisfies Row

/**
 * Gaps in streams of events.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventsLost = {
  name: "pod_protocol_events_lost_total",
  kind: "counter",
  unit: "{range}",
  labels: {},
  meaning: "Ranges of slots whose events were lost because the nodes no longer keep them"
} as const satisfies Row

/**
 * Consumers of events.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventConsumers = {
  name: "pod_protocol_events_consumers",
  kind: "gauge",
  unit: "{stream}",
  labels: {},
  meaning: "Streams of protocol events that are open now"
} as const satisfies Row

/**
 * Values that the `Metrics` service refused.
 *
 * @since 0.1.0
 * @category constants
 */
export const metricsInvalid = {
  name: "pod_metrics_invalid_total",
  kind: "counter",
  unit: "{value}",
  labels: {},
  meaning:
    "Durations, increments and gauge values that cannot be (negative, infinite, not a number), which were not recorded"
} as const satisfies Row

/**
 * Values beyond the series of the `Metrics` service.
 *
 * @since 0.1.0
 * @category constants
 */
export const metricsOverflow = {
  name: "pod_metrics_overflow_total",
  kind: "counter",
  unit: "{value}",
  labels: {},
  meaning: "Values that were recorded under `_OTHER`, because `maxSeries` was reached"
} as const satisfies Row

/**
 * Reads through the cache.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheReads = {
  name: "pod_cache_reads_total",
  kind: "counter",
  unit: "{read}",
  labels: { outcome: "`memory` or `store`: the level that answered; `stale`: an old value was given; `network`" },
  meaning: "Reads through the cache"
} as const satisfies Row

/**
 * Answers older than an invalidation.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheFenced = {
  name: "pod_cache_fenced_total",
  kind: "counter",
  unit: "{answer}",
  labels: {},
  meaning: "Answers that were older than an invalidation and were asked for again"
} as const satisfies Row

/**
 * Damaged rows of a cache's store.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheRowsDamaged = {
  name: "pod_cache_rows_damaged_total",
  kind: "counter",
  unit: "{row}",
  labels: {},
  meaning: "Rows of a cache's store whose checksum was wrong, and which were removed"
} as const satisfies Row

/**
 * Failures of a cache's store.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheErrors = {
  name: "pod_cache_store_errors_total",
  kind: "counter",
  unit: "{error}",
  labels: { reason: "the reason of the `CacheError`" },
  meaning: "Failures of a cache's store, without which reads went on"
} as const satisfies Row

/**
 * Events that were applied to a cache.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheEventsApplied = {
  name: "pod_cache_events_applied_total",
  kind: "counter",
  unit: "{event}",
  labels: {},
  meaning: "Protocol events whose accounts and tags were invalidated in a cache"
} as const satisfies Row

/**
 * Caches that do not learn of changes.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheBehind = {
  name: "pod_cache_behind",
  kind: "gauge",
  unit: "{cache}",
  labels: {},
  meaning: "Caches with an invalidator that is behind, and which keep what they read only briefly"
} as const satisfies Row

/**
 * Requests to the payload server.
 *
 * @since 0.1.0
 * @category constants
 */
export const payloadRequests = {
  name: "pod_payload_server_requests_total",
  kind: "counter",
  unit: "{request}",
  labels: { method: "`GET`, `HEAD`, `PUT`, `DELETE`, `OPTIONS` or `other`", status: "the HTTP status of the answer" },
  meaning: "Requests to the payload server"
} as const satisfies Row

/**
 * Bytes that the payload server received.
 *
 * @since 0.1.0
 * @category constants
 */
export const payloadBytesReceived = {
  name: "pod_payload_server_received_bytes_total",
  kind: "counter",
  unit: "By",
  labels: {},
  meaning: "Bytes of the payloads that the payload server received and stored"
} as const satisfies Row

/**
 * Bytes that the payload server stores.
 *
 * @since 0.1.0
 * @category constants
 */
export const payloadBytesStored = {
  name: "pod_payload_server_stored_bytes",
  kind: "gauge",
  unit: "By",
  labels: {},
  meaning: "Bytes that the payload server stores, with 512 bytes for each payload beside its own"
} as const satisfies Row

/**
 * Tasks of worker pools.
 *
 * @since 0.1.0
 * @category constants
 */
export const workerTasks = {
  name: "pod_worker_tasks_total",
  kind: "counter",
  unit: "{task}",
  labels: { outcome: "`success`, a `WorkerError` reason, `InvalidInput`, `Interrupted` or `Defect`" },
  meaning: "Calls of `run` and `map` of a `WorkerPool` that ended"
} as const satisfies Row

/**
 * Threads that were replaced.
 *
 * @since 0.1.0
 * @category constants
 */
export const workersReplaced = {
  name: "pod_worker_threads_replaced_total",
  kind: "counter",
  unit: "{thread}",
  labels: { reason: "`Timeout`: terminated for a task that did not return; `Crashed`: it ended by itself" },
  meaning: "Threads of worker pools that ended before their pool, and were replaced"
} as const satisfies Row

/**
 * The resident memory of the process.
 *
 * @since 0.1.0
 * @category constants
 */
export const processMemory = {
  name: "process.memory.usage",
  kind: "gauge",
  unit: "By",
  labels: {},
  meaning: "Memory of the process that is in RAM, while a `MemoryMonitor` runs"
} as const satisfies Row

/**
 * The heap in use.
 *
 * @since 0.1.0
 * @category constants
 */
export const heapUsed = {
  name: "v8js.memory.heap.used",
  kind: "gauge",
  unit: "By",
  labels: {},
  meaning: "The heap in use, garbage included, while a `MemoryMonitor` runs"
} as const satisfies Row

/**
 * The limit of the heap.
 *
 * @since 0.1.0
 * @category constants
 */
export const heapLimit = {
  name: "v8js.memory.heap.limit",
  kind: "gauge",
  unit: "By",
  labels: {},
  meaning: "The size of the heap at which the engine gives up, while a `MemoryMonitor` runs"
} as const satisfies Row

/**
 * The memory of a pool.
 *
 * @since 0.1.0
 * @category constants
 */
export const poolBytes = {
  name: "pod_memory_pool_bytes",
  kind: "gauge",
  unit: "By",
  labels: { pool: "the name under which the pool registered" },
  meaning: "Bytes that the registered pools of a name hold, while a `MemoryMonitor` runs"
} as const satisfies Row

/**
 * Durations of operations.
 *
 * @since 0.1.0
 * @category constants
 */
export const operationDuration = {
  name: "pod_operation_duration_seconds",
  kind: "exponential histogram",
  unit: "s",
  labels: { operation: "the operation's name: `Message.send`, `rpc.getSlot`, or one of the application's own" },
  meaning: "How long operations took, while a `Metrics` service measures them"
} as const satisfies Row

/**
 * Operations by how they ended.
 *
 * @since 0.1.0
 * @category constants
 */
export const operations = {
  name: "pod_operations_total",
  kind: "counter",
  unit: "{operation}",
  labels: { operation: "as for `pod_operation_duration_seconds`", outcome: "`succeeded`, `failed` or `interrupted`" },
  meaning: "Operations that ended, while a `Metrics` service measures them"
} as const satisfies Row

/**
 * Telemetry that arrived.
 *
 * @since 0.1.0
 * @category constants
 */
export const telemetrySent = {
  name: "pod_telemetry_sent_total",
  kind: "counter",
  unit: "{item}",
  labels: { signal: "`traces`, `metrics` or `logs`" },
  meaning: "Spans, metrics and log records that the collector took"
} as const satisfies Row

/**
 * Telemetry that was lost.
 *
 * @since 0.1.0
 * @category constants
 */
export const telemetryDropped = {
  name: "pod_telemetry_dropped_total",
  kind: "counter",
  unit: "{item}",
  labels: {
    signal: "`traces`, `metrics` or `logs`",
    reason:
      "`full`: no room in the queue; `refused`: the collector refused the request; `rejected`: it took the request " +
      "without them; `shutdown`: the process ended first; `superseded`: metrics for which newer ones came first"
  },
  meaning: "Spans, metrics and log records that did not reach the collector"
} as const satisfies Row

/**
 * Series that were not exported.
 *
 * @since 0.1.0
 * @category constants
 */
export const seriesLeftOut = {
  name: "pod_telemetry_series_left_out",
  kind: "gauge",
  unit: "{series}",
  labels: {},
  meaning: "Series beyond `maxSeries`, or of a second kind under one name, that an exporter left out"
} as const satisfies Row

/**
 * All rows, in the order of `docs/metrics.md`.
 *
 * @since 0.1.0
 * @category constants
 */
export const rows: ReadonlyArray<Row> = [
  rpcCallDuration,
  rpcCalls,
  rpcRetries,
  rpcConnections,
  subscriptionsActive,
  socketMessagesIgnored,
  accountsRefused,
  transactions,
  rebroadcasts,
  confirmationDuration,
  messagesSent,
  blockhashCacheHits,
  blockhashCacheMisses,
  cacheReads,
  cacheFenced,
  cacheRowsDamaged,
  cacheErrors,
  cacheEventsApplied,
  cacheBehind,
  payloadRequests,
  payloadBytesReceived,
  payloadBytesStored,
  protocolEvents,
  eventsHeld,
  eventsLost,
  eventConsumers,
  metricsInvalid,
  metricsOverflow,
  workerTasks,
  workersReplaced,
  processMemory,
  heapUsed,
  heapLimit,
  poolBytes,
  operationDuration,
  operations,
  telemetrySent,
  telemetryDropped,
  seriesLeftOut
]
