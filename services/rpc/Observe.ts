/**
 * One span and two metrics around each call.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Metrics from "../Metrics.js"
import type { RpcError } from "../RpcTransport.js"

/** Methods that get a label of their own; all others share one, so that labels stay few. */
const LABELLED: ReadonlySet<string> = new Set([
  "batch",
  "getAccountInfo",
  "getBalance",
  "getBlock",
  "getBlockHeight",
  "getBlockTime",
  "getBlocks",
  "getEpochInfo",
  "getEpochSchedule",
  "getFeeForMessage",
  "getFirstAvailableBlock",
  "getGenesisHash",
  "getHealth",
  "getIdentity",
  "getLatestBlockhash",
  "getMinimumBalanceForRentExemption",
  "getMultipleAccounts",
  "getProgramAccounts",
  "getRecentPerformanceSamples",
  "getRecentPrioritizationFees",
  "getSignatureStatuses",
  "getSignaturesForAddress",
  "getSlot",
  "getSupply",
  "getTransaction",
  "getTransactionCount",
  "getVersion",
  "isBlockhashValid",
  "minimumLedgerSlot",
  "requestAirdrop",
  "sendTransaction",
  "simulateTransaction"
])

const tagged = (method: string, outcome: string) => {
  const labels = <Type, In, Out>(metric: Metric.Metric<Type, In, Out>) =>
    metric.pipe(Metric.tagged("rpc.method", method), Metric.tagged("outcome", outcome))
  return { calls: labels(Metrics.rpcCalls), duration: labels(Metrics.rpcCallDuration) }
}

/** Tagging costs more than counting: each pair of method and outcome is tagged once. */
const taggedMetrics = new Map<string, ReturnType<typeof tagged>>()

const metricsOf = (method: string, outcome: string) => {
  const label = LABELLED.has(method) ? method : "_OTHER"
  const key = `${label} ${outcome}`
  const known = taggedMetrics.get(key)
  if (known !== undefined) return known
  const made = tagged(label, outcome)
  taggedMetrics.set(key, made)
  return made
}

const outcomeOf = <A>(exit: Exit.Exit<A, RpcError>): string =>
  Exit.match(exit, {
    onSuccess: () => "success",
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: (error) => error.reason,
        onNone: () => (Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect")
      })
  })

const annotateFailure = (error: RpcError): Effect.Effect<void> =>
  Effect.annotateCurrentSpan({
    "error.type": error.reason,
    ...(error.code === undefined ? {} : { "rpc.response.status_code": String(error.code) }),
    ...(error.status === undefined ? {} : { "http.response.status_code": error.status })
  })

/** `host:port` as OpenTelemetry wants it: apart. */
const serverAttributes = (host: string): Record<string, unknown> => {
  const match = /^(.+):(\d+)$/.exec(host)
  return match === null ? { "server.address": host } : { "server.address": match[1], "server.port": Number(match[2]) }
}

/**
 * Makes a call to `host` each time it is run, in a client span named as its method, counted and timed by method and outcome.
 *
 * @since 0.1.0
 * @category combinators
 */
export const call = (host: string) => {
  const server = serverAttributes(host)
  return <A>(
    method: string,
    run: () => Effect.Effect<A, RpcError>,
    attributes?: Record<string, unknown>
  ): Effect.Effect<A, RpcError> =>
    Effect.clockWith((clock) => {
      const start = clock.unsafeCurrentTimeNanos()
      return run().pipe(
        Effect.tapError(annotateFailure),
        Effect.onExit((exit) => {
          const metrics = metricsOf(method, outcomeOf(exit))
          const seconds = Duration.toSeconds(Duration.nanos(clock.unsafeCurrentTimeNanos() - start))
          return Effect.zipRight(Metric.increment(metrics.calls), Metric.update(metrics.duration, seconds))
        }),
        Effect.withSpan(method, {
          kind: "client",
          captureStackTrace: false,
          attributes: { "rpc.system.name": "jsonrpc", "rpc.method": method, ...server, ...attributes }
        })
      )
    })
}

/**
 * Counts a Stream among the open subscriptions while it runs.
 *
 * @since 0.1.0
 * @category combinators
 */
export const subscription = (method: string) => {
  const active = Metric.tagged(Metrics.subscriptionsActive, "rpc.method", method)
  return <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.unwrapScoped(
      Effect.as(
        Effect.acquireRelease(Metric.incrementBy(active, 1), () => Metric.incrementBy(active, -1)),
        self
      )
    )
}
