/** Metrics of calls, connections and subscriptions. */
import type { Row } from "./Row.js"

const METHOD = "the JSON-RPC method; `_OTHER` for methods that are not Solana's"

const CALL_LABELS = {
  "rpc.method": METHOD,
  outcome: "`success`, an `RpcError` reason, `Interrupted` or `Defect`"
}

/**
 * Durations of JSON-RPC calls.
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
    "WebSocket messages that belong to no call and no subscription of this client: a gateway's ping, an unexpected " +
    "answer, text that is not JSON"
} as const satisfies Row

/**
 * Accounts that were left out of a list.
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
      "`owner`: another program owns it; `filter`: it does not match the request; `double`: the list has it twice; " +
      "`decode`: its bytes are not an account of the type; `address`: its fields give another address"
  },
  meaning: "Accounts in lists and followed lists that failed a check and were left out"
} as const satisfies Row
