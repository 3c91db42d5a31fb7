/** Metrics of transactions, messages, events, caches and payloads. */
import type { Row } from "./Row.js"

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
  meaning: "Transactions that ended"
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
  meaning: "Time from the first submission of a transaction until it reached the requested commitment",
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
 * Reads that hold back a stream of events.
 *
 * @since 0.1.0
 * @category constants
 */
export const eventsHeld = {
  name: "pod_protocol_events_held_total",
  kind: "counter",
  unit: "{read}",
  labels: {},
  meaning: "Reads for which a node did not return a transaction that the history lists"
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
  meaning: "Answers that were older than an invalidation and were requested again"
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
  meaning: "Rows of a cache's store, and saved indexes, that were damaged or of another cluster, and were removed"
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
  meaning: "Failures of a cache's store. Reads went on without the store"
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
 * Caches that do not receive invalidations.
 *
 * @since 0.1.0
 * @category constants
 */
export const cacheBehind = {
  name: "pod_cache_behind",
  kind: "gauge",
  unit: "{cache}",
  labels: {},
  meaning: "Caches whose invalidator is behind. They keep entries only briefly"
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
  meaning: "Bytes that the payload server stores, including 512 bytes of overhead for each payload"
} as const satisfies Row
