import type { Blockhash, Commitment, Signature } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Deadline from "../../Deadline.js"
import * as Clock from "../../internal/clock.js"
import * as Turns from "../../internal/eventLoop.js"
import * as Opinion from "../../internal/Opinion.js"
import * as RetryPolicy from "../../RetryPolicy.js"
import type { Contextual, SignatureStatus } from "../../RpcPool.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import * as Expiry from "../lifetime/Expiry.js"
import type { TransactionError } from "../TransactionError.js"
import { Entry, type Landed, type WaitOptions } from "./Entry.js"
import { IndexedSet } from "./IndexedSet.js"
import * as outcomes from "./outcomes.js"
import * as Signal from "./Signal.js"
import * as StatusHistory from "./StatusHistory.js"
import type { Transmission } from "./Transmission.js"

/** The most that a node answers in one `getSignatureStatuses`. */
const SIGNATURES_PER_CALL = 256

/**
 * A node holds the statuses of the last 300 rooted slots in memory, whatever its ledger has. For transactions
 * signed at most 256 slots ago, "not found" is conclusive.
 */
const REMEMBERED_SLOTS = 256n

const RANK: Readonly<Record<Commitment, number>> = { processed: 0, confirmed: 1, finalized: 2 }

export interface Options {
  /** Between two look-ups while something was sent of late. */
  readonly pollInterval: Duration.Duration
  /** Between two sendings of the same bytes. */
  readonly rebroadcastInterval: Duration.Duration
  /** Whether a subscription may have a signature looked up before its turn. */
  readonly hints: boolean
  /** When a blockhash was fetched, on the monotonic clock, if it was here. */
  readonly fetchedAt: (blockhash: Blockhash) => number | undefined
}

/**
 * Sends, and watches all signatures in flight with a few fibers, which live only while there are some.
 *
 * - The first sending has a fiber of its own, since it may hang where the caller may not wait. A signature is looked up
 *   when that has ended, or was given up.
 * - A signature that comes while nothing is in flight is looked up at once, together with those whose sending ends within
 *   a turn; later ones wait for the next turn, or less while turns bear fruit. A turn asks 256 signatures a call. Turns
 *   become rarer while nothing new is in flight: the wait is an eighth of the youngest one's age, up to five times the
 *   interval.
 * - The same bytes are sent again while no node has processed them and their blockhash or nonce lives.
 * - A status that disappears (its fork was left) is waited for again, and the bytes are sent again.
 * - A failed look-up says nothing: the next turn asks again, until the caller's deadline.
 *
 * A transaction is `Expired` when it cannot land any more and did not. One endpoint must say all of this:
 * 1. its lifetime is over in a **finalized** bank and in the newest, by all the rules of {@link Expiry.Expiry}.
 * 2. a look-up after that, with history, does not find it,
 * 3. in a bank that is not older than that finalized one, nor than the first look-up, nor than the bank in which it was
 *    signed: a node that lags, or answers from a cache, does not count,
 * 4. on a node whose ledger reaches back to where it could have landed. That is asked of what was signed long ago, or
 *    nobody knows when. Where it does not, what became of the transaction is not known, and waiting does not help.
 *
 * Where the pool has several hosts, another one that reads must then say all of it too ({@link Opinion.Opinion}), whether
 * it answers just now or not. So a host that lies, or is of another cluster, can hold `Expired` back until the deadline,
 * which is `Unconfirmed`, and cannot bring it about alone. A host that is the only one is believed where its answers
 * agree with each other, with the clock and with the rules of the chain.
 *
 * A refusal to forward the bytes is the outcome only while no attempt may have arrived, and after one look-up that does
 * not find them, in a bank that is not older than the one in which they were signed. It is one node's word about bytes
 * that another may have, so its error says `mayHaveLanded`.
 */
export interface ConfirmationTracker {
  /**
   * Fails with `Expired`, `Unconfirmed`, `Unsent` or what the transmission fails with, which is run without the transport's
   * own retries: they would hide whether an earlier one of them may have arrived. Interruption leaves nothing behind.
   */
  readonly deliver: (transmission: Transmission, options: WaitOptions) => Effect.Effect<Landed, TransactionError>
}

type Statuses = Contextual<ReadonlyArray<Option.Option<SignatureStatus>>>

/** Sendings at a time, which is enough for 1024 in flight where one takes 30 ms. */
const REBROADCASTS = 16

/** An endpoint that hangs must not hold up the bytes of others. */
const REBROADCAST_TIMEOUT = Duration.seconds(5)

/** A host that hangs must not hold back what others say. */
const OPINION_TIMEOUT = Duration.seconds(10)

/** An endpoint that wants to be left alone for longer gets the bytes all the same: they live about that long. */
const MAX_REST = Duration.minutes(1)

/** What a look-up after a stall may take. */
const LAST_LOOK = 5000

/** Upper bound of the poll back-off, as a multiple of the interval. */
const MAX_SLOWDOWN = 5
const AGE_PER_WAIT = 8

/** Nodes before 1.7 say `confirmations: null` for what is finalized, and no level. */
const levelOf = (status: SignatureStatus): Commitment =>
  Option.getOrElse(status.confirmationStatus, () => (Option.isNone(status.confirmations) ? "finalized" : "processed"))

const isDue = ({ rebroadcastAt, seen }: Entry, now: number): boolean => !seen && rebroadcastAt <= now

/** Whether any node knows what became of it. */
const isRecent = ({ signed: { minContextSlot } }: Entry, slot: bigint): boolean =>
  minContextSlot !== undefined && slot - minContextSlot <= REMEMBERED_SLOTS

export const make = Effect.fnUntraced(function* (
  pool: Pick<
    RpcPool,
    | "batch"
    | "getEpochInfo"
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
  const expiry = Expiry.make(pool, fetchedAt)
  const history = StatusHistory.make(pool)
  const entries = new IndexedSet<Entry>()
  const arrivals = Signal.make()
  const hinted = Signal.make()
  const allSent = Signal.make()
  const ticks = Signal.make()
  /** What runs while something is in flight. */
  let parts = new Set<Fiber.RuntimeFiber<void>>()
  let lastError: RpcError | undefined
  let resolved = 0
  /** Rounds of look-ups begun so far. */
  let turn = 0
  let sending = 0
  let isRebroadcasting = false
  let isExpiring = false
  let isClosed = false

  const remove = (entry: Entry) => {
    entries.delete(entry)
    entry.hint?.unsafeInterruptAsFork(FiberId.none)
    entry.first?.unsafeInterruptAsFork(FiberId.none)
  }

  const resolve = (entry: Entry, outcome: Effect.Effect<Landed, TransactionError>) => {
    if (!entries.has(entry)) return
    resolved++
    remove(entry)
    entry.resume(outcome)
  }

  const tooLate = ({ transmission, signed }: Entry) =>
    Effect.fail(outcomes.unconfirmed(signed, lastError ?? transmission.lastError))

  const statuses = (signatures: ReadonlyArray<Signature>, searchTransactionHistory: boolean) =>
    pool
      .getSignatureStatuses(signatures, { searchTransactionHistory })
      .pipe(Effect.catchTag("InvalidInput", Effect.die))

  /** Resolves what has reached its commitment; gives back what the node does not know, and its answer. */
  const lookUp = Effect.fnUntraced(function* <A extends Statuses>(
    batch: ReadonlyArray<Entry>,
    ask: (signatures: ReadonlyArray<Signature>) => Effect.Effect<A, RpcError>
  ) {
    const answer = yield* ask(batch.map(({ signed }) => signed.signature))
    const unknown: Array<Entry> = []
    for (let index = 0; index < batch.length; index++) {
      const entry = batch[index]
      if (entry === undefined) continue
      entry.firstSlot ??= answer.slot
      const status = Option.getOrUndefined(answer.value[index] ?? Option.none())
      entry.seen = status !== undefined
      if (status !== undefined) entry.refusal = undefined
      if (status === undefined) unknown.push(entry)
      else if (RANK[levelOf(status)] >= RANK[entry.commitment]) {
        resolve(entry, Effect.succeed({ slot: status.slot, err: status.err }))
      }
    }
    return { answer, unknown }
  })

  const inMemory = (signatures: ReadonlyArray<Signature>) => statuses(signatures, false)
  const withHistory = (signatures: ReadonlyArray<Signature>) => statuses(signatures, true)

  /** What became of those that no block can take any more, as one endpoint says, unless it knows that they landed. */
  const verdict = Effect.fnUntraced(function* (slot: bigint, unknown: ReadonlyArray<Entry>) {
    const { late, since } = yield* expiry.late(slot, unknown)
    const [old, recent] = Arr.partition(late, (entry) => isRecent(entry, since))
    const found: Array<readonly [Entry, TransactionError]> = []
    for (const batch of Arr.chunksOf(recent, SIGNATURES_PER_CALL)) {
      const { answer, unknown } = yield* lookUp(batch, withHistory)
      for (const entry of unknown) {
        if (Expiry.isCovered(entry, since, answer.slot))
          found.push([entry, outcomes.expired(entry.signed, entry.transmission.lastError)])
      }
    }
    for (const batch of Arr.chunksOf(old, SIGNATURES_PER_CALL)) {
      const { answer, unknown } = yield* lookUp(batch, history)
      for (const entry of unknown) {
        if (!Expiry.isCovered(entry, since, answer.slot)) continue
        const reachesBack = answer.firstSlot <= (entry.signed.minContextSlot ?? 0n)
        found.push([
          entry,
          reachesBack
            ? outcomes.expired(entry.signed, entry.transmission.lastError)
            : outcomes.forgotten(entry.signed, answer.firstSlot)
        ])
      }
    }
    return found
  })

  /** Ends what no block can take any more, where two hosts say so, or the only one. */
  const expire = Effect.fnUntraced(function* (slot: bigint, unknown: ReadonlyArray<Entry>) {
    const one = Opinion.first()
    const told = yield* Opinion.by(one)(verdict(slot, unknown))
    if (told.length === 0) return
    const agreed =
      one.hosts === 1
        ? told
        : yield* Opinion.by(Opinion.after(one))(
            verdict(
              slot,
              told.map(([entry]) => entry)
            )
          )
    for (const [entry, outcome] of agreed) resolve(entry, Effect.fail(outcome))
  })

  /** Beside the look-ups, which a host that hangs here must not hold up. */
  const expireBeside = (slot: bigint, unknown: ReadonlyArray<Entry>) => {
    const waiting = unknown.filter((entry) => entries.has(entry))
    if (isExpiring || !expiry.mayBeLate(slot, waiting)) return
    isExpiring = true
    run(
      expire(slot, waiting).pipe(
        Deadline.within(OPINION_TIMEOUT),
        Effect.catchAll((error) => Effect.sync(() => (lastError = error))),
        Effect.ensuring(Effect.sync(() => (isExpiring = false)))
      )
    )
  }

  /** Tells the refusals of those that a bank does not know which is not older than their own. */
  const refuse = (slot: bigint, unknown: ReadonlyArray<Entry>) => {
    for (const entry of unknown) {
      if (entry.refusal === undefined || slot < (entry.signed.minContextSlot ?? 0n)) continue
      resolve(entry, Effect.fail(entry.refusal))
    }
  }

  const lookUpAll = Effect.fnUntraced(function* (batch: ReadonlyArray<Entry>) {
    let newest = 0n
    const missing: Array<Entry> = []
    for (const part of Arr.chunksOf(batch, SIGNATURES_PER_CALL)) {
      const found = yield* Effect.either(lookUp(part, inMemory))
      if (Either.isLeft(found)) {
        lastError = found.left
        continue
      }
      lastError = undefined
      const { answer, unknown } = found.right
      if (unknown.length === 0) continue
      refuse(answer.slot, unknown)
      missing.push(...unknown)
      if (answer.slot > newest) newest = answer.slot
    }
    if (missing.length > 0) expireBeside(newest, missing)
  })

  const pause = Effect.gen(function* () {
    if (yield* Signal.sleep(interval, hinted)) return
    const now = yield* Clock.monotonicMillis
    const youngest = entries.list().reduce((youngest, { since }) => Math.max(youngest, since), 0)
    const wait = Math.min(interval * MAX_SLOWDOWN, (now - youngest) / AGE_PER_WAIT)
    if (wait > interval) yield* Signal.sleep(wait - interval, hinted, arrivals)
  })

  const sent = () => entries.filter(({ first }) => first === undefined)

  const poll = Effect.gen(function* () {
    do {
      while (entries.size > 0) {
        let batch = sent()
        if (batch.length === 0) {
          yield* Signal.wait(arrivals)
          // What is being sent meanwhile is looked up together with it.
          if (sending > 0) yield* Signal.wait(allSent, hinted, ticks)
          batch = sent()
        }
        while (batch.length > 0) {
          const before = resolved
          const own = ++turn
          yield* lookUpAll(batch)
          for (const entry of batch) if (entry.lastTurn <= own) resolve(entry, tooLate(entry))
          batch = resolved > before ? sent().filter((entry) => entry.firstSlot === undefined) : []
        }
        if (sent().length > 0) yield* pause
      }
      // Who was answered may have more to send.
      yield* Turns.next
    } while (entries.size > 0)
    rest()
  })

  const wasSent = (entry: Entry, wait: Duration.Duration, now: number) => {
    entry.refusal = undefined
    entry.rebroadcastAt = now + Duration.toMillis(Duration.max(Duration.min(wait, MAX_REST), rebroadcastInterval))
    if (entry.first === undefined) return
    entry.first = undefined
    arrivals.ring()
  }

  /** A refusal is told when the next look-up does not find it. */
  const wasRefused = (entry: Entry, refusal: TransactionError, now: number) => {
    wasSent(entry, Duration.zero, now)
    entry.refusal = refusal
    hinted.ring()
  }

  /** Sends as the caller would, spans and all. */
  const sendFirst = (entry: Entry, caller: Fiber.RuntimeFiber<unknown, unknown>) => {
    const context = RetryPolicy.withoutRetries(caller.currentContext)
    const { runtimeFlags } = runtime
    const asCaller = Runtime.make({ context, runtimeFlags, fiberRefs: caller.getFiberRefs() })
    sending++
    const first = Runtime.runFork(asCaller)(entry.transmission.attempt(caller))
    entry.first = first
    first.addObserver((exit) => {
      sending--
      if (sending === 0) allSent.ring()
      if (Exit.isSuccess(exit)) return wasSent(entry, exit.value, Clock.monotonic(caller))
      const refusal = Cause.failureOption(exit.cause)
      if (Option.isSome(refusal)) wasRefused(entry, refusal.value, Clock.monotonic(caller))
      else if (!Exit.isInterrupted(exit)) resolve(entry, Effect.failCause(exit.cause))
    })
  }

  const sendAgain = (entry: Entry) =>
    entries.has(entry)
      ? Effect.withFiberRuntime<Duration.Duration, TransactionError>((fiber) => {
          entry.first?.unsafeInterruptAsFork(FiberId.none)
          return RetryPolicy.never(entry.transmission.attempt(fiber))
        }).pipe(
          Effect.timeoutTo({
            duration: REBROADCAST_TIMEOUT,
            onSuccess: (wait) => wait,
            onTimeout: () => Duration.zero
          }),
          Effect.either,
          Effect.zipWith(Clock.monotonicMillis, (attempt, now) =>
            Either.match(attempt, {
              onLeft: (refusal) => wasRefused(entry, refusal, now),
              onRight: (wait) => wasSent(entry, wait, now)
            })
          )
        )
      : Effect.void

  const rebroadcast = Effect.gen(function* () {
    const now = yield* Clock.monotonicMillis
    const due = entries.filter((entry) => isDue(entry, now))
    yield* Effect.forEach(due, sendAgain, { concurrency: REBROADCASTS, discard: true })
    isRebroadcasting = false
  })

  /**
   * Answers those whose time is over, and sends again what is due. A process that stood still for a while looks once
   * more before it says that nothing is known: all may have landed meanwhile.
   */
  const tend = Effect.gen(function* () {
    let expected = Infinity
    while (entries.size > 0) {
      const now = yield* Clock.monotonicMillis
      const stoodStill = now - expected >= interval
      let nearest = now + interval
      for (const entry of entries.list()) {
        if (entry.deadline <= now && stoodStill && entry.lastTurn === Infinity) {
          entry.lastTurn = turn + 1
          entry.deadline = now + LAST_LOOK
          hinted.ring()
        }
        if (entry.deadline <= now) {
          resolve(entry, tooLate(entry))
        } else {
          nearest = Math.min(nearest, entry.deadline)
          if (isDue(entry, now) && !isRebroadcasting) {
            isRebroadcasting = true
            run(rebroadcast)
          }
        }
      }
      ticks.ring()
      expected = nearest
      if (entries.size > 0) yield* Effect.sleep(nearest - now)
    }
    rest()
  })

  const failAll = (cause: Cause.Cause<never>) => {
    for (const entry of entries.list()) resolve(entry, Effect.failCause(cause))
  }

  /** Ends the parts, which may go on for a step. */
  const rest = () => {
    const running = parts
    parts = new Set()
    for (const part of running) part.unsafeInterruptAsFork(FiberId.none)
  }

  /** Runs a part until nothing is in flight. If its fiber dies or is interrupted, every waiter fails. */
  const run = (part: Effect.Effect<void>) => {
    const own = parts
    // Not at once: signatures of the same turn of the event loop share the first look-up.
    const fiber = runFork(part, { immediate: false })
    own.add(fiber)
    fiber.addObserver((exit) => {
      own.delete(fiber)
      if (parts !== own || Exit.isSuccess(exit)) return
      rest()
      failAll(exit.cause)
    })
  }

  const start = () => {
    isRebroadcasting = false
    isExpiring = false
    run(poll)
    run(tend)
  }

  const stop = Effect.suspend(() => {
    const running = parts
    parts = new Set()
    return Fiber.interruptAll(running)
  })

  yield* Effect.addFinalizer(() =>
    Effect.flatMap(Effect.fiberId, (id) =>
      Effect.zipRight(
        stop,
        Effect.sync(() => {
          isClosed = true
          failAll(Cause.interrupt(id))
        })
      )
    )
  )

  const subscribe = ({ commitment, signed }: Entry) =>
    pool.signatureSubscribe(signed.signature, { commitment }).pipe(
      Stream.runForEach(() => Effect.sync(hinted.ring)),
      Effect.ignore
    )

  const deliver = (
    caller: Fiber.RuntimeFiber<Landed, TransactionError>,
    transmission: Transmission,
    options: WaitOptions
  ): Effect.Effect<Landed, TransactionError> =>
    Effect.uninterruptibleMask((restore) => {
      if (isClosed) return Effect.fail(outcomes.unsent(transmission.signed))
      let entry: Entry | undefined
      return Effect.matchCauseEffect(
        restore(
          Effect.async<Landed, TransactionError>((resume) => {
            entry = new Entry(transmission, options, resume)
            entries.add(entry)
            sendFirst(entry, caller)
            if (hints) entry.hint = runFork(subscribe(entry))
            if (parts.size === 0) start()
          })
        ),
        {
          onFailure: (cause) => {
            if (entry !== undefined && entries.has(entry)) {
              remove(entry)
              if (entries.size === 0) return Effect.zipRight(stop, Effect.failCause(cause))
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
