/**
 * Measures an endpoint by the calls that pass through it: latency, errors, calls in flight and the newest slot in its
 * replies and notifications.
 */
import type { Slot } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Deadline from "../Deadline.js"
import * as Direct from "../internal/direct.js"
import { slotFrom } from "../internal/slot.js"
import type { RpcError, RpcTransport, SubscriptionKind } from "../RpcTransport.js"

/** Number of recent latencies from which the percentile is computed. */
const WINDOW = 128

/** Latencies needed for the first percentile, and between two computations of it. */
const ENOUGH = 16

/** Weight of a new call in the moving averages, which so reflect about the last twenty calls. */
const WEIGHT = 0.1

/** Milliseconds after which the weight of an error has halved. */
const ERROR_HALF_LIFE = 10_000

/** An endpoint's health at one moment. */
export interface Snapshot {
  readonly host: string
  /** Moving average of the latency of answered calls, in milliseconds; 0 before the first. */
  readonly latency: number
  /** 95th percentile of recent latencies, in milliseconds; `undefined` before 16 answered calls. */
  readonly p95: number | undefined
  /** Moving share of calls that failed by the endpoint's fault, 0 to 1. It halves in 10 seconds without calls. */
  readonly errors: number
  readonly inFlight: number
  /** The newest slot in its replies and notifications, of any commitment; 0 before the first. */
  readonly slot: Slot
  /** Milliseconds since it last claimed that slot; 0 before the first. */
  readonly slotAge: number
}

/** The meter of one endpoint. */
export interface Meter {
  readonly snapshot: (now: number) => Snapshot
  /** Records that a call was sent. */
  readonly started: () => void
  /** Records the outcome of a call and its duration in milliseconds. */
  readonly ended: (outcome: Outcome, millis: number, now: number) => void
  /** Records the slot of a reply, if the reply has one. */
  readonly reached: (slot: Slot | undefined, now: number) => void
}

/**
 * What a call shows about its endpoint. A call that was interrupted, or that timed out in less than a second, is
 * inconclusive.
 */
export type Outcome = "answered" | "failed" | "inconclusive"

/** Agave's error code of a node that lags behind its cluster. */
const UNHEALTHY = -32005

/** A call that was sent, for the judgement of its end. Times are milliseconds of one monotonic clock. */
export interface Sent {
  readonly start: number
  readonly deadline: number
}

/**
 * The outcome of a call that failed at `now`. A JSON-RPC error is an answer, because the node works, except the error that
 * the node lags behind its cluster. Time after the deadline does not count: a process that stood still notices its timeouts
 * late.
 */
export const judge = (cause: Cause.Cause<RpcError>, { deadline, start }: Sent, now: number): Outcome => {
  const failure = Cause.failureOption(cause)
  if (Option.isNone(failure)) return "inconclusive"
  const error = failure.value
  if (error.reason === "Node") return error.code === UNHEALTHY ? "failed" : "answered"
  return error.reason === "Timeout" && Math.min(now, deadline) - start < 1000 ? "inconclusive" : "failed"
}

const property = (value: unknown, name: "context" | "slot"): unknown =>
  typeof value === "object" && value !== null && name in value ? Reflect.get(value, name) : undefined

/** Makes the meter of an endpoint. */
export const meter = (host: string): Meter => {
  let latency = 0
  let slot = 0n
  let slotAt = 0
  let inFlight = 0
  let errors = 0
  let errorsAt = 0
  const recent = new Float64Array(WINDOW)
  let answered = 0
  let p95: number | undefined

  const decayed = (now: number): number => errors * 0.5 ** (Math.max(0, now - errorsAt) / ERROR_HALF_LIFE)

  const observeLatency = (millis: number): void => {
    latency = answered === 0 ? millis : latency + (millis - latency) * WEIGHT
    recent[answered % WINDOW] = millis
    answered++
    if (answered >= ENOUGH && answered % ENOUGH === 0) {
      const sorted = recent.subarray(0, Math.min(answered, WINDOW)).toSorted()
      p95 = sorted[Math.floor(sorted.length * 0.95)]
    }
  }

  return {
    snapshot: (now) => ({
      host,
      latency,
      p95,
      errors: decayed(now),
      inFlight,
      slot,
      slotAge: slot === 0n ? 0 : Math.max(0, now - slotAt)
    }),
    started: () => {
      inFlight++
    },
    ended: (outcome, millis, now) => {
      inFlight--
      if (outcome === "inconclusive") return
      if (outcome === "answered") observeLatency(millis)
      const before = decayed(now)
      errors = before + ((outcome === "failed" ? 1 : 0) - before) * WEIGHT
      errorsAt = now
    },
    reached: (seen, now) => {
      if (seen === undefined || seen < slot) return
      slot = seen
      slotAt = now
    }
  }
}

/** Records that a call was sent; the result records its outcome. */
const started = <A>(meter: Meter, sent: Sent, look: (answer: A, now: number) => void) => {
  meter.started()
  return (exit: Exit.Exit<A, RpcError>, now: number): void => {
    meter.ended(Exit.isSuccess(exit) ? "answered" : judge(exit.cause, sent, now), now - sent.start, now)
    if (Exit.isSuccess(exit)) look(exit.value, now)
  }
}

const watch = <A>(
  meter: Meter,
  call: Effect.Effect<A, RpcError>,
  look: (answer: A, now: number) => void
): Effect.Effect<A, RpcError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((fiber) => {
      const ended = started(meter, { start: Deadline.now(fiber), deadline: Deadline.of(fiber) }, look)
      const leave = (exit: Exit.Exit<A, RpcError>) => {
        ended(exit, Deadline.now(fiber))
        return exit
      }
      return Effect.matchCauseEffect(restore(call), {
        onFailure: (cause) => leave(Exit.failCause(cause)),
        onSuccess: (answer) => leave(Exit.succeed(answer))
      })
    })
  )

const slotOfAnswer = (method: string, answer: unknown): bigint | undefined =>
  slotFrom(method === "getSlot" ? answer : property(property(answer, "context"), "slot"))

/** Records the slot of an answer. */
const lookAt = (meter: Meter, method: string) => (answer: unknown, now: number) =>
  meter.reached(slotOfAnswer(method, answer), now)

const slotOfNotification = (kind: SubscriptionKind, value: unknown): bigint | undefined =>
  kind === "root"
    ? undefined
    : slotFrom(kind === "slot" ? property(value, "slot") : property(property(value, "context"), "slot"))

/** Records the calls and notifications of a transport in a meter. */
export const observe =
  (meter: Meter) =>
  (transport: RpcTransport): RpcTransport => {
    const request: Direct.Request = Direct.over(
      transport.request,
      (method, params) => watch(meter, transport.request(method, params), lookAt(meter, method)),
      (start) => (caller, onEnd, method, params) => {
        const ended = started(meter, { start: caller.now, deadline: caller.deadline }, lookAt(meter, method))
        const watched = Direct.watched(start, (exit) => ended(exit, Deadline.now(caller.fiber)))
        return watched(caller, onEnd, method, params)
      }
    )

    return {
      host: transport.host,
      request,
      batch: (calls) =>
        watch(meter, transport.batch(calls), (answers, now) =>
          answers.forEach((answer, index) => {
            if (Either.isRight(answer)) meter.reached(slotOfAnswer(calls[index]?.method ?? "", answer.right), now)
          })
        ),
      subscribe: (kind, params) =>
        Stream.unwrap(
          Effect.withFiberRuntime((fiber) =>
            Effect.succeed(
              Stream.map(transport.subscribe(kind, params), (value) => {
                meter.reached(slotOfNotification(kind, value), Deadline.now(fiber))
                return value
              })
            )
          )
        )
    }
  }
