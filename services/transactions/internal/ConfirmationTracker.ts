/**
 * @since 0.1.0
 */
import type { Commitment } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { SignatureStatus } from "../../rpc/Reply.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import { TransactionError } from "../TransactionError.js"

/** The most that a node answers in one `getSignatureStatuses`. */
const SIGNATURES_PER_CALL = 256

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
  /** Milliseconds since 1970. */
  readonly deadline: number
}

/**
 * Watches all signatures in flight with one fiber, which lives only while there are some.
 *
 * - A signature that comes while nothing is in flight is looked up at once; later ones wait for the next turn, or less
 *   while turns bear fruit. A turn asks 256 signatures a call.
 * - A status that disappears (its fork was left) is waited for again.
 * - A transaction is `Expired` only when the block height is past its lifetime and a look-up made after that, with
 *   history, does not find it. Blocks are not more than slots, so the height is asked for only when the slot of the
 *   last statuses leaves room for an expiry.
 * - A failed look-up says nothing: the next turn asks again, until the caller's deadline.
 *
 * @internal
 */
export interface ConfirmationTracker {
  /** Fails with `Expired` or `Unconfirmed`. Interruption leaves nothing behind. */
  readonly wait: (signed: SignedTransaction, options: WaitOptions) => Effect.Effect<Landed, TransactionError>
}

interface Entry extends WaitOptions {
  readonly signed: SignedTransaction
  readonly resume: (outcome: Effect.Effect<Landed, TransactionError>) => void
  lookedUp: boolean
}

/** Nodes before 1.7 say `confirmations: null` for what is finalized, and no level. */
const levelOf = (status: SignatureStatus): Commitment =>
  Option.getOrElse(status.confirmationStatus, () => (Option.isNone(status.confirmations) ? "finalized" : "processed"))

const expired = (signed: SignedTransaction, blockHeight: bigint) =>
  new TransactionError({
    reason: "Expired",
    detail: `it did not land until block height ${signed.lifetime.lastValidBlockHeight} (now ${blockHeight}); sign anew`,
    signature: signed.signature,
    logs: [],
    signed
  })

/** @internal */
export const unconfirmed = (signed: SignedTransaction, cause?: RpcError) =>
  new TransactionError({
    reason: "Unconfirmed",
    detail: "its outcome is not known yet; submit the same signed transaction, without preflight, to go on",
    signature: signed.signature,
    logs: [],
    signed,
    cause
  })

/** @internal */
export const make = Effect.fnUntraced(function* (
  pool: Pick<RpcPool, "getEpochInfo" | "getSignatureStatuses">,
  interval: Duration.Duration
): Effect.fn.Return<ConfirmationTracker, never, Scope.Scope> {
  const runFork = Runtime.runFork(yield* Effect.runtime())
  const entries = new Set<Entry>()
  let fiber: Fiber.RuntimeFiber<void> | undefined
  let height: { readonly slot: bigint; readonly blockHeight: bigint } | undefined
  let lastError: RpcError | undefined
  let resolved = 0

  const resolve = (entry: Entry, outcome: Effect.Effect<Landed, TransactionError>) => {
    resolved++
    entries.delete(entry)
    entry.resume(outcome)
  }

  /** Resolves what has reached its commitment; gives back what the node does not know, and the slot of its answer. */
  const lookUp = Effect.fnUntraced(function* (batch: ReadonlyArray<Entry>, searchTransactionHistory: boolean) {
    const signatures = batch.map(({ signed }) => signed.signature)
    const { slot, value } = yield* pool
      .getSignatureStatuses(signatures, { searchTransactionHistory })
      .pipe(Effect.catchTag("InvalidInput", Effect.die))
    const unknown: Array<Entry> = []
    for (const [index, entry] of batch.entries()) {
      entry.lookedUp = true
      const status = Option.getOrUndefined(value[index] ?? Option.none())
      if (status === undefined) unknown.push(entry)
      else if (RANK[levelOf(status)] >= RANK[entry.commitment]) {
        resolve(entry, Effect.succeed({ slot: status.slot, err: status.err }))
      }
    }
    return { slot, unknown }
  })

  /** Expires what the node did not know in that slot, where no block can take it any more. */
  const expire = Effect.fnUntraced(function* (slot: bigint, unknown: ReadonlyArray<Entry>) {
    const highest = height === undefined ? undefined : height.blockHeight + (slot - height.slot)
    if (highest !== undefined && unknown.every(({ signed }) => highest <= signed.lifetime.lastValidBlockHeight)) return
    const { absoluteSlot, blockHeight } = yield* pool.getEpochInfo({ commitment: "confirmed" })
    height = { slot: absoluteSlot, blockHeight }
    const late = unknown.filter(({ signed }) => blockHeight > signed.lifetime.lastValidBlockHeight)
    if (late.length === 0) return
    const last = yield* lookUp(late, true)
    if (last.slot < absoluteSlot) return
    for (const entry of last.unknown) resolve(entry, Effect.fail(expired(entry.signed, blockHeight)))
  })

  const lookUpAndExpire = Effect.fnUntraced(
    function* (batch: ReadonlyArray<Entry>) {
      const { slot, unknown } = yield* lookUp(batch, false)
      if (unknown.length > 0) yield* expire(slot, unknown)
      lastError = undefined
    },
    Effect.catchAll((error) =>
      Effect.sync(() => {
        lastError = error
      })
    )
  )

  const poll = Effect.gen(function* () {
    while (entries.size > 0) {
      let batch = Array.from(entries)
      while (batch.length > 0) {
        const before = resolved
        yield* Effect.forEach(Arr.chunksOf(batch, SIGNATURES_PER_CALL), lookUpAndExpire, { discard: true })
        batch = resolved > before ? Array.from(entries).filter((entry) => !entry.lookedUp) : []
      }
      if (entries.size > 0) yield* Effect.sleep(interval)
    }
    fiber = undefined
  })

  const giveUp = Effect.gen(function* () {
    while (entries.size > 0) {
      const now = yield* Clock.currentTimeMillis
      let nearest = now + Duration.toMillis(interval)
      for (const entry of entries) {
        if (entry.deadline <= now) resolve(entry, Effect.fail(unconfirmed(entry.signed, lastError)))
        else nearest = Math.min(nearest, entry.deadline)
      }
      if (entries.size > 0) yield* Effect.sleep(nearest - now)
    }
    fiber = undefined
  })

  const failAll = (cause: Cause.Cause<never>) =>
    Effect.sync(() => {
      for (const entry of entries) resolve(entry, Effect.failCause(cause))
      fiber = undefined
    })

  /** Either half ends when nothing is in flight. Whatever else ends it, but `stop`, ends all waiters. */
  const loop = Effect.raceFirst(poll, giveUp).pipe(
    Effect.onError((cause) =>
      Effect.withFiberRuntime<void>((self) => (self.id() === fiber?.id() ? failAll(cause) : Effect.void))
    )
  )

  const stop = Effect.suspend(() => {
    const running = fiber
    fiber = undefined
    return running === undefined ? Effect.void : Fiber.interrupt(running)
  })

  yield* Effect.addFinalizer(() =>
    Effect.flatMap(Effect.fiberId, (id) => Effect.zipRight(stop, failAll(Cause.interrupt(id))))
  )

  return {
    wait: (signed, options) =>
      Effect.async((resume) => {
        const entry: Entry = { ...options, signed, resume, lookedUp: false }
        entries.add(entry)
        // Not at once: signatures of the same turn of the event loop share the first look-up.
        fiber ??= runFork(loop, { immediate: false })
        return Effect.suspend(() => {
          entries.delete(entry)
          return entries.size === 0 ? stop : Effect.void
        })
      })
  }
})
