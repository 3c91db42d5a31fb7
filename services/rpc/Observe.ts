/** Adds a span and two metrics to each call. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type * as Direct from "../internal/direct.js"
import * as Measured from "../internal/measured.js"
import { inSpan, isTraced } from "../internal/traced.js"
import { begin, tracked } from "../internal/tracked.js"
import * as Metrics from "../Metrics.js"
import type { RpcError } from "../RpcTransport.js"

/** Methods with their own metric label. All others share one, so that the number of labels is bounded. */
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

const OTHER = "_OTHER"

type CallMetrics = ReturnType<typeof Metrics.rpcCallsOf>

/** The metrics by method and outcome. Each pair is made once. */
const labelled = new Map(Array.from(LABELLED).map((method) => [method, new Map<string, CallMetrics>()] as const))
const others = new Map<string, CallMetrics>()

const metricsOf = (method: string, outcome: string): CallMetrics => {
  const byOutcome = labelled.get(method) ?? others
  const known = byOutcome.get(outcome)
  if (known !== undefined) return known
  const made = Metrics.rpcCallsOf(byOutcome === others ? OTHER : method, outcome)
  byOutcome.set(outcome, made)
  return made
}

const outcomeOf = (cause: Cause.Cause<RpcError>): string =>
  Option.match(Cause.failureOption(cause), {
    onSome: (error) => error.reason,
    onNone: () => (Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect")
  })

const annotate = (span: Tracer.AnySpan | undefined, cause: Cause.Cause<RpcError>): void => {
  const error = Option.getOrUndefined(Cause.failureOption(cause))
  if (span?._tag !== "Span" || error === undefined) return
  span.attribute("error.type", error.reason)
  if (error.code !== undefined) span.attribute("rpc.response.status_code", String(error.code))
  if (error.status !== undefined) span.attribute("http.response.status_code", error.status)
}

/** Starts the timer of a call. The result ends it and counts the call by its outcome, with the fiber's labels. */
const timed = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, method: string): ((outcome: string) => void) => {
  const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
  const start = clock.unsafeCurrentTimeNanos()
  return (outcome) => {
    const { calls, duration } = metricsOf(method, outcome)
    Measured.update(fiber, calls, 1)
    Measured.update(fiber, duration, Number(clock.unsafeCurrentTimeNanos() - start) / 1e9)
  }
}

/** Runs a call and counts it by its outcome. */
const counted = <A>(
  fiber: Fiber.RuntimeFiber<A, RpcError>,
  method: string,
  run: () => Effect.Effect<A, RpcError>,
  hasSpan: boolean
): Effect.Effect<A, RpcError> =>
  Effect.uninterruptibleMask((restore) => {
    const count = timed(fiber, method)
    return Effect.matchCauseEffect(restore(run()), {
      onFailure: (cause) => {
        count(outcomeOf(cause))
        if (hasSpan) annotate(fiber.currentSpan, cause)
        return Effect.failCause(cause)
      },
      onSuccess: (answer) => {
        count("success")
        return Effect.succeed(answer)
      }
    })
  })

const operationOf = (method: string): string => `rpc.${LABELLED.has(method) ? method : OTHER}`

/** As {@link call}, for a call without a fiber: it is counted and timed, but has no span. */
export const started =
  <Args extends ReadonlyArray<unknown>, A>(
    method: string,
    start: Direct.Start<Args, A, RpcError>
  ): Direct.Start<Args, A, RpcError> =>
  (caller, onEnd, ...args) => {
    if (isTraced(caller.fiber)) return undefined
    const end = begin(caller.fiber, operationOf(method))
    if (end === undefined) return undefined
    const count = timed(caller.fiber, method)
    const cancel = start(
      caller,
      (exit) => {
        count(Exit.isSuccess(exit) ? "success" : outcomeOf(exit.cause))
        end(Exit.isSuccess(exit) ? "succeeded" : Measured.failureOf(exit.cause))
        onEnd(exit)
      },
      ...args
    )
    return (
      cancel &&
      (() => {
        count("Interrupted")
        end("interrupted")
        cancel()
      })
    )
  }

/** Splits `host:port` into the two attributes of OpenTelemetry. The hosts of several endpoints stay one text. */
const serverAttributes = (host: string): Record<string, unknown> => {
  const match = /^([^,]+):(\d+)$/.exec(host)
  return match === null ? { "server.address": host } : { "server.address": match[1], "server.port": Number(match[2]) }
}

/**
 * Observes calls to a host. Each call is counted and timed by method and outcome. With a tracer, it gets a client span that
 * is named after the method.
 */
export const call = (host: string) => {
  const server = serverAttributes(host)
  return <A>(
    method: string,
    run: () => Effect.Effect<A, RpcError>,
    attributes?: Record<string, unknown>
  ): Effect.Effect<A, RpcError> =>
    Effect.withFiberRuntime((fiber) =>
      tracked(fiber, operationOf(method), () =>
        isTraced(fiber)
          ? inSpan(
              fiber,
              method,
              {
                kind: "client",
                attributes: { "rpc.system.name": "jsonrpc", "rpc.method": method, ...server, ...attributes }
              },
              () => counted(fiber, method, run, true)
            )
          : counted(fiber, method, run, false)
      )
    )
}

/** Counts a Stream as an open subscription while it runs. */
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
