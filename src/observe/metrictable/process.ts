/** Metrics of the process: operations, memory, workers and telemetry. */
import type { Row } from "./Row.js"

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
  meaning: "Invalid durations, increments and gauge values (negative, infinite, not a number), which were not recorded"
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
