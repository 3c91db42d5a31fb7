/**
 * Sends transactions and determines their outcomes. All share a few fibers, which run only while transactions are in
 * flight.
 *
 * The parts, each in its own file:
 * - {@link Rebroadcaster} sends the bytes, at once and again.
 * - {@link StatusLookup} looks up statuses and evaluates them.
 * - {@link Expirer} ends transactions that can no longer land.
 * - {@link InFlight} holds the waiting transactions, and answers each once.
 *
 * This file contains the two loops over them.
 *
 * **Polling.** The first signature after an idle time is looked up at once, together with others whose first sending
 * ends within a tick. Later ones wait for the next round; the wait is shorter while rounds bring outcomes. A round
 * looks up 256 signatures per call. Rounds become rarer while no new signature arrives: the wait is an eighth of the
 * youngest one's age, up to five times the interval. A failed look-up proves nothing: the next round looks up again,
 * until the deadline.
 *
 * **Deadlines.** A transaction at its deadline is `Unconfirmed`. After a stall of the process, one more look-up comes
 * first, because all transactions may have landed in the meantime. Only a round that began after the stall counts,
 * because the answer to an earlier one may be as old as the stall.
 *
 * Races that are excluded:
 * - The last transaction is answered and another arrives in the same turn. A loop tests the set and ends in one step,
 *   and an arrival starts every loop that is not running.
 * - The caller is interrupted in the turn in which it is answered. The first of the two removes the entry from the set,
 *   and the other finds none. The last interrupted caller waits until the fibers have ended.
 * - A transaction arrives while the service is being closed. Closing refuses arrivals before it ends the fibers, so no
 *   transaction waits without a fiber.
 */
import type { Blockhash } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Clock from "../../internal/clock.js"
import * as Turns from "../../internal/eventLoop.js"
import { serving, traceOf } from "../../internal/traced.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { TransactionError } from "../TransactionError.js"
import { Entry, type Landed, type WaitOptions } from "./Entry.js"
import * as Expirer from "./Expirer.js"
import { InFlight } from "./InFlight.js"
import * as outcomes from "./outcomes.js"
import * as Rebroadcaster from "./Rebroadcaster.js"
import * as Signal from "./Signal.js"
import * as StatusLookup from "./StatusLookup.js"
import type { Transmission } from "./Transmission.js"
import { Workers } from "./Workers.js"

export interface Options {
  /** Time between two look-ups while a transaction was sent recently. */
  readonly pollInterval: Duration.Duration
  /** Time between two sendings of the same bytes. */
  readonly rebroadcastInterval: Duration.Duration
  /** Whether a subscription may trigger an early look-up of a signature. */
  readonly hints: boolean
  /** The time at which a blockhash was fetched, on the monotonic clock, if this service fetched it. */
  readonly fetchedAt: (blockhash: Blockhash) => number | undefined
}

export interface ConfirmationTracker {
  /**
   * Sends a transaction and returns its outcome. Fails with `Expired`, `Unconfirmed`, `Unsent` or a node's refusal, and
   * with an `RpcError` if no node got the bytes. An interruption releases everything.
   */
  readonly deliver: (
    transmission: Transmission,
    options: WaitOptions
  ) => Effect.Effect<Landed, RpcError | TransactionError>
}

/** Maximum milliseconds of the look-up after a stall. */
const LAST_LOOK_UP = 5000

/** Upper bound of the poll back-off, as a multiple of the interval. */
const MAX_SLOWDOWN = 5
const AGE_PER_WAIT = 8

export const make = Effect.fnUntraced(function* (
  pool: Pick<
    RpcPool,
    | "getEpochInfo"
    | "getLedgerStatuses"
    | "getMultipleAccounts"
    | "getSignatureStatuses"
    | "isBlockhashValid"
    | "signatureSubscribe"
  >,
  { fetchedAt, hints, pollInterval, rebroadcastInterval }: Options
): Effect.fn.Return<ConfirmationTracker, never, Scope.Scope> {
  const runtime = yield* Effect.runtime()
  const runFork = Runtime.runFork(runtime)
  const interval = Duration.toMillis(pollInterval)
  const inFlight = new InFlight()
  /** Rings if a look-up is needed before the next round. */
  const urgent = Signal.make()
  /** Rings after each check of the deadlines. */
  const ticks = Signal.make()
  const lookup = StatusLookup.make(pool, inFlight)
  const { expire, mayExpire } = Expirer.make(pool, fetchedAt, lookup, inFlight)
  const { allSent, firstSent, isSendingFirst, sendDue, sendFirst } = Rebroadcaster.make(inFlight, {
    interval: rebroadcastInterval,
    runtimeFlags: runtime.runtimeFlags,
    lookUpNow: urgent.ring
  })
  /** The failure of the last look-up, if it failed. */
  let lastError: RpcError | undefined
  /** The number of rounds so far. */
  let round = 0
  let isClosed = false

  const failAll = (cause: Cause.Cause<never>) => {
    for (const entry of inFlight.list()) inFlight.resolve(entry, Effect.failCause(cause))
  }

  const workers = new Workers<"poll" | "deadlines" | "rebroadcast" | "expire">(runFork, failAll)

  const tooLate = (entry: Entry) => inFlight.fail(entry, outcomes.late(entry.transmission, lastError))

  /** Runs beside the polling, which a host that hangs must not delay. */
  const expireBeside = (slot: bigint, unknown: ReadonlyArray<Entry>) => {
    if (workers.isRunning("expire")) return
    const waiting = unknown.filter((entry) => inFlight.has(entry))
    if (!mayExpire(slot, waiting)) return
    workers.run(
      "expire",
      expire(slot, waiting).pipe(
        serving(waiting),
        Effect.catchAll((error) => Effect.sync(() => (lastError = error)))
      )
    )
  }

  const lookUpAll = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>) {
    let newest = 0n
    const missing: Array<Entry> = []
    for (const batch of Arr.chunksOf(entries, StatusLookup.MAX_SIGNATURES)) {
      const found = yield* Effect.either(lookup.inMemory(batch))
      if (Either.isLeft(found)) {
        lastError = found.left
        continue
      }
      lastError = undefined
      const { right: unknown } = found
      if (unknown.entries.length === 0) continue
      lookup.refuse(unknown)
      missing.push(...unknown.entries)
      if (unknown.slot > newest) newest = unknown.slot
    }
    if (missing.length > 0) expireBeside(newest, missing)
  })

  const pause = Effect.gen(function* () {
    if (yield* Signal.sleep(interval, urgent)) return
    const now = yield* Clock.monotonicMillis
    const youngest = inFlight.list().reduce((youngest, { since }) => Math.max(youngest, since), 0)
    const wait = Math.min(interval * MAX_SLOWDOWN, (now - youngest) / AGE_PER_WAIT)
    if (wait > interval) yield* Signal.sleep(wait - interval, urgent, firstSent)
  })

  const sent = () => inFlight.filter(({ giveUp }) => giveUp === undefined)

  const poll = Effect.gen(function* () {
    do {
      while (inFlight.size > 0) {
        let batch = sent()
        if (batch.length === 0) {
          yield* Signal.wait(firstSent)
          // Waits for first sendings in progress, to look them up together.
          if (isSendingFirst()) yield* Signal.wait(allSent, urgent, ticks)
          batch = sent()
        }
        while (batch.length > 0) {
          const before = inFlight.answered
          const own = ++round
          yield* lookUpAll(batch)
          for (const entry of batch) if (entry.lastRound <= own) tooLate(entry)
          batch = inFlight.answered > before ? sent().filter(({ firstSlot }) => firstSlot === undefined) : []
        }
        if (sent().length > 0) yield* pause
      }
      // Answered callers may send more now.
      yield* Turns.next
    } while (inFlight.size > 0)
    workers.release()
  })

  const watchDeadlines = Effect.gen(function* () {
    let expected = Infinity
    while (inFlight.size > 0) {
      const now = yield* Clock.monotonicMillis
      const stoodStill = now - expected >= interval
      let nearest = now + interval
      for (const entry of inFlight.list()) {
        if (entry.deadline <= now && stoodStill && entry.lastRound === Infinity) {
          entry.lastRound = round + 1
          entry.deadline = now + LAST_LOOK_UP
          urgent.ring()
        }
        if (entry.deadline <= now) {
          tooLate(entry)
        } else {
          nearest = Math.min(nearest, entry.deadline)
          if (Rebroadcaster.isDue(entry, now)) workers.run("rebroadcast", sendDue)
        }
      }
      ticks.ring()
      expected = nearest
      if (inFlight.size > 0) yield* Effect.sleep(nearest - now)
    }
    workers.release()
  })

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      isClosed = true
      yield* workers.stop
      failAll(Cause.interrupt(yield* Effect.fiberId))
    })
  )

  /** Subscribes to a signature, to look it up as soon as its node notifies it. */
  const subscribe = ({ commitment, signed }: Entry) =>
    pool.signatureSubscribe(signed.signature, { commitment }).pipe(
      Stream.runForEach(() => Effect.sync(urgent.ring)),
      Effect.ignore
    )

  const deliver = (
    caller: Fiber.RuntimeFiber<Landed, RpcError | TransactionError>,
    transmission: Transmission,
    options: WaitOptions
  ): Effect.Effect<Landed, RpcError | TransactionError> =>
    Effect.uninterruptibleMask((restore) => {
      if (isClosed) return Effect.fail(outcomes.closed(transmission))
      let entry: Entry | undefined
      return Effect.matchCauseEffect(
        restore(
          Effect.async<Landed, RpcError | TransactionError>((resume) => {
            entry = new Entry(transmission, options, traceOf(caller), resume)
            inFlight.add(entry)
            sendFirst(entry, caller)
            if (hints) entry.hint = runFork(subscribe(entry))
            workers.run("poll", poll)
            workers.run("deadlines", watchDeadlines)
          })
        ),
        {
          onFailure: (cause) => {
            if (entry !== undefined && inFlight.has(entry)) {
              inFlight.remove(entry)
              if (inFlight.size === 0) return Effect.zipRight(workers.stop, Effect.failCause(cause))
            }
            return Effect.failCause(cause)
          },
          onSuccess: Effect.succeed
        }
      )
    })

  return {
    deliver: (transmission, options) => Effect.withFiberRuntime((caller) => deliver(caller, transmission, options))
  }
})
