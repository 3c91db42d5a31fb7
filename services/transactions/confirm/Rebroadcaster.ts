/**
 * Sends the bytes of transactions in flight: at once, and again until a node has processed them.
 *
 * - The first sending is a separate call, because it may hang longer than the caller may wait. It needs no fiber in the
 *   usual case ({@link Direct}). Otherwise it has one, with the caller's context, such as its spans. It always runs
 *   without the transport's retries: they would hide whether an earlier attempt may have arrived. A signature is looked
 *   up when its first sending has ended or was aborted.
 * - A transaction is due again after the interval, or after the longer pause that its endpoint asked for. If its first
 *   sending is still in progress then, it is aborted. So each transaction has at most one sending in progress.
 * - Each sending has the deadline of its transaction. A sending that is held back beyond it, before any node may have
 *   the bytes, is answered at once.
 * - Failures prove nothing about the outcome, but a refusal may ({@link Transmission}). It is stored in the entry until
 *   the next look-up, which is requested at once. A later sending without a refusal removes it.
 *
 * Two races are harmless: a sending that ends after its transaction was answered changes an unused entry, and a
 * transaction that is answered while it waits for its rebroadcast is skipped.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Deadline from "../../Deadline.js"
import * as Clock from "../../internal/clock.js"
import type * as Direct from "../../internal/direct.js"
import * as TimeLimit from "../../internal/timeLimit.js"
import { serving } from "../../internal/traced.js"
import * as RetryPolicy from "../../RetryPolicy.js"
import type { TransactionError } from "../TransactionError.js"
import type { Entry } from "./Entry.js"
import type { InFlight } from "./InFlight.js"
import * as outcomes from "./outcomes.js"
import * as Signal from "./Signal.js"
import type { Sent } from "./Transmission.js"

/** Concurrent sendings: enough for 1024 in flight if one takes 30 ms. */
const CONCURRENCY = 16

/** Limits a sending, so that an endpoint that hangs does not delay other bytes. */
const TIMEOUT = Duration.seconds(5)

/**
 * Maximum pause for an endpoint. Even if it asks for longer, it gets the bytes again, because they are valid for about
 * that time.
 */
const MAX_REST = Duration.minutes(1)

/** Milliseconds. No accepted rate limit holds a call back for longer, so a later deadline has no effect. */
const LONGEST_LIMIT = 60_000

export interface Rebroadcaster {
  readonly sendFirst: (entry: Entry, caller: Fiber.RuntimeFiber<unknown, unknown>) => void
  /** Whether a first sending is in progress. */
  readonly isSendingFirst: () => boolean
  /** Rings when a first sending has ended, or was aborted. */
  readonly firstSent: Signal.Signal
  /** Rings when no first sending is in progress any more. */
  readonly allSent: Signal.Signal
  /** Sends the due transactions again. */
  readonly sendDue: Effect.Effect<void>
}

/** Whether the entry must be sent again; `now` is on the monotonic clock. */
export const isDue = ({ rebroadcastAt, seen }: Entry, now: number): boolean => !seen && rebroadcastAt <= now

export const make = (
  inFlight: InFlight,
  options: {
    readonly interval: Duration.Duration
    readonly runtimeFlags: Runtime.Runtime<never>["runtimeFlags"]
    /** Requests a look-up of refused transactions at once. */
    readonly lookUpNow: () => void
  }
): Rebroadcaster => {
  const { interval, lookUpNow, runtimeFlags } = options
  const firstSent = Signal.make()
  const allSent = Signal.make()
  let sendingFirst = 0

  const wasSent = (entry: Entry, rest: Duration.Duration, now: number) => {
    const { transmission } = entry
    entry.refusal = undefined
    entry.rebroadcastAt = now + Duration.toMillis(Duration.max(Duration.min(rest, MAX_REST), interval))
    if (entry.giveUp !== undefined) {
      entry.giveUp = undefined
      firstSent.ring()
    }
    if (now + Duration.toMillis(rest) >= entry.deadline && !transmission.mayHaveArrived) {
      inFlight.fail(entry, outcomes.late(transmission, undefined))
    }
  }

  const wasRefused = (entry: Entry, refusal: TransactionError, now: number) => {
    wasSent(entry, Duration.zero, now)
    entry.refusal = refusal
    lookUpNow()
  }

  const sendAgain = (entry: Entry) =>
    inFlight.has(entry)
      ? Effect.withFiberRuntime<Duration.Duration, TransactionError>((fiber) => {
          entry.giveUp?.()
          const sending = Deadline.at(entry.deadline)(entry.transmission.attempt(fiber))
          return serving([entry])(RetryPolicy.never(sending))
        }).pipe(
          TimeLimit.orElse(TIMEOUT, () => Duration.zero),
          Effect.either,
          Effect.zipWith(Clock.monotonicMillis, (attempt, now) =>
            Either.match(attempt, {
              onLeft: (refusal) => wasRefused(entry, refusal, now),
              onRight: (rest) => wasSent(entry, rest, now)
            })
          )
        )
      : Effect.void

  /** The first sending in its own fiber. */
  const forkFirst = ({ transmission }: Entry, { deadline, fiber }: Direct.Caller, onEnd: (sent: Sent) => void) => {
    const once = RetryPolicy.withoutRetries(fiber.currentContext)
    const context = deadline === Infinity ? once : Context.add(once, Deadline.Deadline, deadline)
    const sending = Runtime.runFork(Runtime.make({ context, runtimeFlags, fiberRefs: fiber.getFiberRefs() }))(
      transmission.attempt(fiber)
    )
    sending.addObserver(onEnd)
    return () => sending.unsafeInterruptAsFork(FiberId.none)
  }

  return {
    sendFirst: (entry, fiber) => {
      const isNear = entry.deadline - entry.since < LONGEST_LIMIT
      const caller = { fiber, now: entry.since, deadline: isNear ? entry.deadline : Deadline.of(fiber) }
      let isOver = false
      const end = () => {
        isOver = true
        sendingFirst--
        if (sendingFirst === 0) allSent.ring()
      }
      const onEnd = (sent: Sent) => {
        if (isOver) return
        end()
        if (Exit.isSuccess(sent)) return wasSent(entry, sent.value, Clock.monotonic(fiber))
        const refusal = Cause.failureOption(sent.cause)
        if (Option.isSome(refusal)) wasRefused(entry, refusal.value, Clock.monotonic(fiber))
        else if (!Exit.isInterrupted(sent)) inFlight.resolve(entry, Effect.failCause(sent.cause))
      }
      let cancel = constVoid
      entry.giveUp = () => {
        if (isOver) return
        end()
        cancel()
      }
      sendingFirst++
      cancel = entry.transmission.start(caller, onEnd) ?? forkFirst(entry, caller, onEnd)
    },
    isSendingFirst: () => sendingFirst > 0,
    firstSent,
    allSent,
    sendDue: Effect.flatMap(Clock.monotonicMillis, (now) =>
      Effect.forEach(
        inFlight.filter((entry) => isDue(entry, now)),
        sendAgain,
        { concurrency: CONCURRENCY, discard: true }
      )
    )
  }
}
