/**
 * Sends the bytes of transactions in flight: at once, and again while no node has processed them.
 *
 * - The first sending is a call of its own, since it may hang where the caller may not wait. It needs no fiber, where
 *   nothing unusual is to be done ({@link Direct}). Otherwise it has one, which runs as the caller would, spans and all. In
 *   either way it goes without the transport's retries: they would hide whether an earlier one of them may have arrived. A
 *   signature is looked up when its first sending has ended, or was given up.
 * - A transaction is due again when the interval is over, or the longer rest that its endpoint asked for. The first
 *   sending is given up when its transaction is due before it ends. So each has one sending under way at most.
 * - Each sending has the deadline of its transaction. What is held back beyond that, before any node may have it, is
 *   answered at once.
 * - Failures say nothing of the outcome, but a refusal may ({@link Transmission}): it is kept in the entry until the next
 *   look-up, which is asked for at once. A later sending that is not refused takes it back.
 *
 * Two races are harmless: a sending that ends after its transaction was answered changes an entry that nobody reads any
 * more, and a transaction that is answered while it waits for its turn to be sent again is passed over.
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

/** Sendings at a time, which is enough for 1024 in flight where one takes 30 ms. */
const CONCURRENCY = 16

/** An endpoint that hangs must not hold up the bytes of others. */
const TIMEOUT = Duration.seconds(5)

/** An endpoint that wants to be left alone for longer gets the bytes all the same: they live about that long. */
const MAX_REST = Duration.minutes(1)

/** Milliseconds: no limit that is believed holds a call back for longer, so a deadline beyond that decides nothing. */
const LONGEST_LIMIT = 60_000

export interface Rebroadcaster {
  readonly sendFirst: (entry: Entry, caller: Fiber.RuntimeFiber<unknown, unknown>) => void
  /** Whether a first sending is under way. */
  readonly isSendingFirst: () => boolean
  /** Rings when a first sending has ended, or was given up. */
  readonly firstSent: Signal.Signal
  /** Rings when no first sending is under way any more. */
  readonly allSent: Signal.Signal
  /** Sends again what is due. */
  readonly sendDue: Effect.Effect<void>
}

/** Whether it is to be sent again; `now` is on the monotonic clock. */
export const isDue = ({ rebroadcastAt, seen }: Entry, now: number): boolean => !seen && rebroadcastAt <= now

export const make = (
  inFlight: InFlight,
  options: {
    readonly interval: Duration.Duration
    readonly runtimeFlags: Runtime.Runtime<never>["runtimeFlags"]
    /** Has the refused be looked up at once. */
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

  /** The first sending in a fiber of its own. */
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
