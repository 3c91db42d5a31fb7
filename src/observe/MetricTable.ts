/**
 * Every metric of the package: name, kind, unit, labels and meaning. `docs/metrics.md` is generated from it.
 *
 * Names follow OpenTelemetry's conventions where one exists, and begin with `pod_` otherwise. Units are UCUM's, as
 * OpenTelemetry writes them. No metric has more than two labels of its own.
 *
 * @since 0.1.0
 */
import * as Process from "./metrictable/process.js"
import * as Protocol from "./metrictable/protocol.js"
import type { Row } from "./metrictable/Row.js"
import * as Rpc from "./metrictable/rpc.js"

export type { Row } from "./metrictable/Row.js"
export * from "./metrictable/rpc.js"
export * from "./metrictable/protocol.js"
export * from "./metrictable/process.js"

/**
 * All rows, in the order of `docs/metrics.md`.
 *
 * @since 0.1.0
 * @category constants
 */
export const rows: ReadonlyArray<Row> = [
  Rpc.rpcCallDuration,
  Rpc.rpcCalls,
  Rpc.rpcRetries,
  Rpc.rpcConnections,
  Rpc.subscriptionsActive,
  Rpc.socketMessagesIgnored,
  Rpc.accountsRefused,
  Protocol.transactions,
  Protocol.rebroadcasts,
  Protocol.confirmationDuration,
  Protocol.messagesSent,
  Protocol.blockhashCacheHits,
  Protocol.blockhashCacheMisses,
  Protocol.cacheReads,
  Protocol.cacheFenced,
  Protocol.cacheRowsDamaged,
  Protocol.cacheErrors,
  Protocol.cacheEventsApplied,
  Protocol.cacheBehind,
  Protocol.payloadRequests,
  Protocol.payloadBytesReceived,
  Protocol.payloadBytesStored,
  Protocol.protocolEvents,
  Protocol.eventsHeld,
  Protocol.eventsLost,
  Protocol.eventConsumers,
  Process.metricsInvalid,
  Process.metricsOverflow,
  Process.workerTasks,
  Process.workersReplaced,
  Process.processMemory,
  Process.heapUsed,
  Process.heapLimit,
  Process.poolBytes,
  Process.operationDuration,
  Process.operations,
  Process.telemetrySent,
  Process.telemetryDropped,
  Process.seriesLeftOut
]
