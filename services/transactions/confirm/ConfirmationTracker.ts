/**
 * @since 0.1.0
 */
import type { Commitment, Signature } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Clock from "../../internal/clock.js"
import * as Turns from "../../internal/eventLoop.js"
import type { Contextual, SignatureStatus } from "../../rpc/Reply.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import * as RetryPolicy from "../../RetryPolicy.js"
import { TransactionError } from "../TransactionError.js"
import * as Bell from "./Signal.js"
import type { Broadcast } from "./Submission.js"
import { Crowd } from "./IndexedSet.js"
import type { Member } from "./IndexedSet.js"
import * as Expiry from "../lifetime/Expiry.js"
import * as History from "./StatusHistory.js"

/** The most that a node answers in one `getSignatureStatuses`. */
const SIGNATURES_PER_CALL = 256

/**
 * A node holds the statuses of the last 300 rooted slots in memory, whatever its ledger has: of what was signed within
 * so many slots, a look-up that finds nothing is an answer.
 */
const REMEMBERED_SLOTS = 256n

const RANK: Readonly<Record<Commitment, number>> = { processed: 0, confirmed: 1, finalized: 2 }

/**
 * A transaction that reached its commitment.
 *
 * @internal
 */
export interface Landed {
  readonly slot: bigint
  /** Agave's transaction error, `null` where it succeeded. */
  readonly err: unknown
}

/** @internal */
export interface WaitOptions {
  readonly commitment: Commitment
  /** Milliseconds of the monotonic clock. */
  readonly deadline: number
}

/** @internal */
export interface Options {
  /** Between two look-ups while something was sent of late. */
  readonly pollInterval: Duration.Duration
  /** Between two sendings of the same bytes. */
  readonly rebroadcastInterval: Duration.Duration
  /** Whether a subscription may have a signature looked up before its turn. */
  readonly hints: boolean
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
 * A transaction is `Expired` when it cannot land any more and did not. Four answers say so together:
 * 1. its lifetime is over in a **finalized** bank ({@link Expiry.Expiry}). A confirmed one would not do: the node that
 *    looks it up may stand on a fork that the others left, and not see where it landed. No node that lives leaves a
 *    finalized block.
 * 2. a look-up after that, with history, does not find it,
 * 3. in a bank that is not older than that finalized one: a node that lags, or answers from a cache, does not count,
 * 4. on a node whose ledger reaches back to where it could have landed. That is asked of what was signed long ago, or
 *    nobody knows when. Where it does not, what became of the transaction is not known, and waiting does not help.
 *
 * A reply that is only late is harmless: heights grow and nonces do not come back, so an old one expires nothing. An
 * endpoint of another cluster, or one that makes heights up, is outvoted by any honest one that answers the look-up with
 * a lower slot; one that answers both falsely is believed.
 *
 * @internal
 */
export interface ConfirmationTracker {
  /**
   * Fails with `Expired`, `Unconfirmed` or what the broadcast fails with, which is run without the transport's own
   * retries: they would hide whether an earlier one of them may have arrived. Interruption leaves nothing behind.
   */
  readonly deliver: (broadcast: Broadcast, options: WaitOptions) => Effect.Effect<Landed, RpcError | TransactionError>
}

type Statuses = Contextual<ReadonlyArray<Option.Option<SignatureStatus>>>

/** One that waits. Thousands of them may, so it is an object of few fields and has no closures of its own. */
class Entry implements Member {
  place = -1
  readonly signed: SignedTransaction
  readonly commitment: Commitment
  readonly deadline: number
  rebroadcastAt: number
  /** The slot of its first look-up. */
  firstSlot: bigint | undefined = undefined
  /** The last look-up found it, below its commitment. */
  seen = false
  hint: Fiber.RuntimeFiber<void, unknown> | undefined = undefined
  /** The first sending, while it is under way. */
  first: Fiber.RuntimeFiber<Duration.Duration, RpcError | TransactionError> | undefined = undefined

  constructor(
    readonly broadcast: Broadcast,
    { commitment, deadline }: WaitOptions,
    /** When it came. */
    readonly since: number,
    readonly resume: (outcome: Effect.Effect<Landed, RpcError | TransactionError>) => void
  ) {
    this.signed = broadcast.signed
    this.commitment = commitment
    this.deadline = deadline
    this.rebroadcastAt = since + FIRST_SENDING
  }
}

/** Milliseconds after which the first sending is given up: it may simulate, on a connection that is still to be made. */
const FIRST_SENDING = 10_000

/** Sendings at a time, which is enough for 1024 in flight where one takes 30 ms. */
const REBROADCASTS = 16

/** An endpoint that hangs must not hold up the bytes of others. */
const REBROADCAST_TIMEOUT = Duration.seconds(5)

/** By how much turns become rarer. */
const MAX_SLOWDOWN = 5
const AGE_PER_WAIT = 8

/** Nodes before 1.7 say `confirmations: null` for what is finalized, and no level. */
const levelOf = (status: SignatureStatus): Commitment =>
  Option.getOrElse(status.confirmationStatus, () => (Option.isNone(status.confirmations) ? "finalized" : "processed"))

const expired = ({ broadcast, signed }: Entry) =>
  new TransactionError({
    reason: "Expired",
    detail:
      "nonce" in signed.lifetime
        ? `it did not land before the nonce of ${signed.lifetime.account} was used; sign anew`
        : `it did not land until block height ${signed.lifetime.lastValidBlockHeight}; sign anew`,
    signature: signed.signature,
    logs: [],
    signed,
    cause: broadcast.lastError
  })

const unconfirmed = (
  signed: SignedTransaction,
  cause: RpcError | undefined,
  detail = "its outcome is not known yet; resume the same signed transaction to go on"
) => new TransactionError({ reason: "Unconfirmed", detail, signature: signed.signature, logs: [], signed, cause })

const forgotten = (signed: SignedTransaction, firstSlot: bigint) =>
  unconfirmed(
    signed,
    undefined,
    `it cannot land any more, but may have landed before slot ${firstSlot}, where the ledger of the node begins; resume it over a node that has the whole ledger`
  )

/** Whether any node knows what became of it. */
const isRecent = ({ signed: { minContextSlot } }: Entry, slot: bigint): boolean =>
  minContextSlot !== undefined && slot - minContextSlot <= REMEMBERED_SLOTS

/** @internal */
export const make = Effect.fnUntraced(function* (
  pool: Pick<RpcPool, "batch" | "getEpochInfo" | "getMultipleAccounts" | "getSignatureStatuses" | "signatureSubscribe">,
  { hints, pollInterval, rebroadcastInterval }: Options
): Effect.fn.Return<ConfirmationTracker, never, Scope.Scope> {
  const runtime = yield* Effect.runtime()
  const runFork = Runtime.runFork(runtime)
  const interval = Duration.toMillis(pollInterval)
  const expiry = Expiry.make(pool)
  const history = History.make(pool)
  const entries = new Crowd<Entry>()
  const arrivals = Bell.make()
  const hinted = Bell.make()
  const allSent = Bell.make()
  const ticks = Bell.make()
  /** What runs while something is in flight. */
  let parts = new Set<Fiber.RuntimeFiber<void>>()
  let lastError: RpcError | undefined
  let resolved = 0
  let sending = 0
  let isRebroadcasting = false

  const remove = (entry: Entry) => {
    entries.delete(entry)
    entry.hint?.unsafeInterruptAsFork(FiberId.none)
    entry.first?.unsafeInterruptAsFork(FiberId.none)
  }

  const resolve = (entry: Entry, outcome: Effect.Effect<Landed, RpcError | TransactionError>) => {
    if (!entries.has(entry)) return
    resolved++
    remove(entry)
    entry.resume(outcome)
  }

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
      if (status === undefined) unknown.push(entry)
      else if (RANK[levelOf(status)] >= RANK[entry.commitment]) {
        resolve(entry, Effect.succeed({ slot: status.slot, err: status.err }))
      }
    }
    return { answer, unknown }
  })

  const inMemory = (signatures: ReadonlyArray<Signature>) => statuses(signatures, false)
  const withHistory = (signatures: ReadonlyArray<Signature>) => statuses(signatures, true)

  /** Expires what the node did not know in that slot, where no block can take it any more. */
  const expire = Effect.fnUntraced(function* (slot: bigint, unknown: ReadonlyArray<Entry>) {
    const { late, since } = yield* expiry.late(slot, unknown)
    const [old, recent] = Arr.partition(late, (entry) => isRecent(entry, since))
    if (recent.length > 0) {
      const { answer, unknown } = yield* lookUp(recent, withHistory)
      if (answer.slot >= since) for (const entry of unknown) resolve(entry, Effect.fail(expired(entry)))
    }
    if (old.length > 0) {
      const { answer, unknown } = yield* lookUp(old, history)
      if (answer.slot < since) return
      for (const entry of unknown) {
        const isCovered = answer.firstSlot <= (entry.signed.minContextSlot ?? 0n)
        resolve(entry, Effect.fail(isCovered ? expired(entry) : forgotten(entry.signed, answer.firstSlot)))
      }
    }
  })

  const lookUpAndExpire = Effect.fnUntraced(
    function* (batch: ReadonlyArray<Entry>) {
      const { answer, unknown } = yield* lookUp(batch, inMemory)
      if (unknown.length > 0) yield* expire(answer.slot, unknown)
      lastError = undefined
    },
    Effect.catchAll((error) =>
      Effect.sync(() => {
        lastError = error
      })
    )
  )

  const pause = Effect.gen(function* () {
    if (yield* Bell.sleep(interval, hinted)) return
    const now = yield* Clock.monotonicMillis
    const youngest = entries.list().reduce((youngest, { since }) => Math.max(youngest, since), 0)
    const wait = Math.min(interval * MAX_SLOWDOWN, (now - youngest) / AGE_PER_WAIT)
    if (wait > interval) yield* Bell.sleep(wait - interval, hinted, arrivals)
  })

  const sent = () => entries.filter(({ first }) => first === undefined)

  const poll = Effect.gen(function* () {
    do {
      while (entries.size > 0) {
        let batch = sent()
        if (batch.length === 0) {
          yield* Bell.wait(arrivals)
          // What is being sent meanwhile is looked up together with it.
          if (sending > 0) yield* Bell.wait(allSent, hinted, ticks)
          batch = sent()
        }
        while (batch.length > 0) {
          const before = resolved
          yield* Effect.forEach(Arr.chunksOf(batch, SIGNATURES_PER_CALL), lookUpAndExpire, { discard: true })
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
    entry.rebroadcastAt = now + Duration.toMillis(Duration.max(wait, rebroadcastInterval))
    if (entry.first === undefined) return
    entry.first = undefined
    arrivals.ring()
  }

  /** Sends as the caller would, spans and all. */
  const sendFirst = (entry: Entry, caller: Fiber.RuntimeFiber<unknown, unknown>) => {
    const context = RetryPolicy.withoutRetries(caller.currentContext)
    const { runtimeFlags } = runtime
    const asCaller = Runtime.make({ context, runtimeFlags, fiberRefs: caller.getFiberRefs() })
    sending++
    const first = Runtime.runFork(asCaller)(entry.broadcast.attempt(caller))
    entry.first = first
    first.addObserver((exit) => {
      sending--
      if (sending === 0) allSent.ring()
      if (Exit.isSuccess(exit)) wasSent(entry, exit.value, Clock.monotonic(caller))
      else if (!Exit.isInterrupted(exit)) resolve(entry, Effect.failCause(exit.cause))
    })
  }

  const sendAgain = (entry: Entry) =>
    entries.has(entry)
      ? Effect.withFiberRuntime<Duration.Duration, RpcError | TransactionError>((fiber) => {
          entry.first?.unsafeInterruptAsFork(FiberId.none)
          return RetryPolicy.never(entry.broadcast.attempt(fiber))
        }).pipe(
          Effect.timeoutTo({
            duration: REBROADCAST_TIMEOUT,
            onSuccess: (wait) => wait,
            onTimeout: () => Duration.zero
          }),
          Effect.zip(Clock.monotonicMillis),
          Effect.match({
            onFailure: (error) => resolve(entry, Effect.fail(error)),
            onSuccess: ([wait, now]) => wasSent(entry, wait, now)
          })
        )
      : Effect.void

  const isDue = ({ rebroadcastAt, seen }: Entry, now: number) => !seen && rebroadcastAt <= now

  const rebroadcast = Effect.gen(function* () {
    const now = yield* Clock.monotonicMillis
    const due = entries.filter((entry) => isDue(entry, now))
    yield* Effect.forEach(due, sendAgain, { concurrency: REBROADCASTS, discard: true })
    isRebroadcasting = false
  })

  /** Answers those whose time is over, and sends again what is due. */
  const tend = Effect.gen(function* () {
    while (entries.size > 0) {
      const now = yield* Clock.monotonicMillis
      let nearest = now + interval
      for (const entry of entries.list()) {
        if (entry.deadline <= now) {
          resolve(entry, Effect.fail(unconfirmed(entry.signed, lastError ?? entry.broadcast.lastError)))
        } else {
          nearest = Math.min(nearest, entry.deadline)
          if (isDue(entry, now) && !isRebroadcasting) {
            isRebroadcasting = true
            run(rebroadcast)
          }
        }
      }
      ticks.ring()
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

  /** Runs a part, until nothing is in flight. Whatever else ends it but its own end, ends all waiters. */
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
        Effect.sync(() => failAll(Cause.interrupt(id)))
      )
    )
  )

  const subscribe = ({ commitment, signed }: Entry) =>
    pool.signatureSubscribe(signed.signature, { commitment }).pipe(
      Stream.runForEach(() => Effect.sync(hinted.ring)),
      Effect.ignore
    )

  const deliver = (
    caller: Fiber.RuntimeFiber<Landed, RpcError | TransactionError>,
    broadcast: Broadcast,
    options: WaitOptions
  ): Effect.Effect<Landed, RpcError | TransactionError> =>
    Effect.uninterruptibleMask((restore) => {
      let entry: Entry | undefined
      return Effect.matchCauseEffect(
        restore(
          Effect.async<Landed, RpcError | TransactionError>((resume) => {
            entry = new Entry(broadcast, options, Clock.monotonic(caller), resume)
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
    deliver: (broadcast, options) => Effect.withFiberRuntime((caller) => deliver(caller, broadcast, options))
  }
})
