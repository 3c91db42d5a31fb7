/**
 * Submits transactions, and keeps each in the journal while its outcome is unknown.
 *
 * - A transaction is sent only after its entry is on the disk. The entry stays until the outcome is known. A refused
 *   preflight is not an outcome: the node may have forwarded the bytes.
 * - An entry has its cluster and program. With another cluster or program, it is neither sent, nor judged, nor removed:
 *   a finalized block of another cluster proves nothing about it.
 * - A transaction that is interrupted while its entry is written was never sent. Its entry is removed.
 * - Concurrent deliveries of the same bytes share one entry. The last delivery to end removes it if one of them has
 *   learned the outcome, or if no node can have the bytes.
 */
import type { Address, Blockhash, Signature } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Deadline from "../../Deadline.js"
import { endBy, type Limit } from "../../internal/endBy.js"
import * as Journal from "../../Journal.js"
import * as Metrics from "../../Metrics.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import { about, unconfirmed } from "../confirm/outcomes.js"
import * as Failure from "../Failure.js"
import type { Receipt } from "../Model.js"
import type { TransactionError } from "../TransactionError.js"

/** An entry without a delivery in this process. */
export interface Leftover {
  readonly entry: Journal.JournalEntry
  /** Why this process cannot continue it; `undefined` if it can. */
  readonly refusal: RpcError | TransactionError | undefined
}

type Delivery = Effect.Effect<Receipt, RpcError | TransactionError>

export interface JournaledSubmit {
  /**
   * Writes the entry before the delivery starts, within the limit, and removes it when the outcome is known. If the
   * entry could not be written in time, or if the caller was interrupted before, nothing was sent, and the entry is
   * removed too. `mayBeSent`: whether the bytes may have been sent before.
   */
  readonly deliver: (
    signed: SignedTransaction,
    creates: ReadonlyArray<Address>,
    limit: Limit<RpcError>,
    delivery: Delivery,
    mayBeSent: boolean
  ) => Delivery
  /** As `deliver`, for bytes that are only watched: it writes no entry, so that no later recovery sends them. */
  readonly watch: (signed: SignedTransaction, delivery: Delivery) => Delivery
  /** Entries of this cluster and program without a delivery in this process. */
  readonly left: Effect.Effect<ReadonlyArray<Journal.JournalEntry>, RpcError>
  /** All entries without a delivery in this process. It asks the cluster again for its identity, within the limit. */
  readonly leftovers: (limit: Limit<RpcError>) => Effect.Effect<ReadonlyArray<Leftover>>
}

const unrecorded = (signed: SignedTransaction, cause: Journal.JournalError) =>
  about(signed, {
    reason: "Unrecorded",
    detail: `it was not sent, because the journal could not be written: ${cause.message}`,
    cause
  })

/** The error of bytes that are not sent, because the journal does not have them. They may have been sent before. */
const notRecorded = (signed: SignedTransaction, mayBeSent: boolean, error: Journal.JournalError) =>
  mayBeSent || error.reason === "Foreign" ? unconfirmed(signed, error, error.message) : unrecorded(signed, error)

/** The entries without a journal: none. */
export const NOTHING_LEFT: JournaledSubmit["left"] = Effect.succeed([])

const UNRECORDED: JournaledSubmit = {
  deliver: (_, __, ___, delivery) => delivery,
  watch: (_, delivery) => delivery,
  left: NOTHING_LEFT,
  leftovers: () => Effect.succeed([])
}

/** The deliveries of one signature in this process. */
interface UnderWay {
  deliveries: number
  /**
   * Whether an earlier process, or a delivery that has ended, may have sent the bytes. `undefined` before the journal was
   * read.
   */
  mayBeSent: boolean | undefined
  /** Whether a delivery has learned the outcome. */
  isOver: boolean
}

/**
 * Notes what a delivery has learned. An interruption, a defect, a deadline and a refusal by a node leave the outcome
 * open. Bytes that this delivery did not send may have been sent by another one.
 */
const learn = <A>(own: UnderWay, exit: Exit.Exit<A, RpcError | TransactionError>): void => {
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
  const reason = Exit.isSuccess(exit) ? "Rejected" : error?.reason
  if (reason === "Rejected" || reason === "Expired") own.isOver = true
  else if (error === undefined || Failure.mayHaveLanded(error)) own.mayBeSent = true
}

const over = (journal: Journal.Service, pool: Pick<RpcPool, "getGenesisHash">, program: Address): JournaledSubmit => {
  let known: Blockhash | undefined
  let asking: Fiber.RuntimeFiber<Blockhash, RpcError> | undefined
  const underWay = new Map<Signature, UnderWay>()

  const enter = (signature: Signature) =>
    Effect.sync(() => {
      const own = underWay.get(signature) ?? { deliveries: 0, mayBeSent: undefined, isOver: false }
      own.deliveries++
      underWay.set(signature, own)
      return own
    })

  const ask = Effect.tap(pool.getGenesisHash, (genesis) => Effect.sync(() => (known = genesis)))

  // The request belongs to the service: neither an interruption nor the deadline of a waiting caller ends it.
  const genesis = Effect.uninterruptibleMask((restore) => {
    if (known !== undefined) return Effect.succeed(known)
    if (asking !== undefined) return restore(Fiber.join(asking))
    return Effect.interruptible(ask).pipe(
      Effect.provideService(Deadline.Deadline, Infinity),
      Effect.ensuring(Effect.sync(() => (asking = undefined))),
      Effect.forkDaemon,
      Effect.flatMap((fiber) => {
        if (fiber.unsafePoll() === null) asking = fiber
        return restore(Fiber.join(fiber))
      })
    )
  })

  /** The error of an entry of another cluster or program; `undefined` for any other entry. */
  const refusalOf = (entry: Journal.JournalEntry, here: Blockhash): TransactionError | undefined => {
    const { signed } = entry
    if (entry.genesis === undefined) {
      return unconfirmed(
        signed,
        undefined,
        "its journal entry has no cluster. Resume it on the cluster that it was sent to"
      )
    }
    if (entry.genesis !== here) {
      return unconfirmed(
        signed,
        undefined,
        `it was sent to the cluster with genesis ${entry.genesis}, but this cluster has ${here}. Recover it there`
      )
    }
    return entry.program === program
      ? undefined
      : unconfirmed(
          signed,
          undefined,
          `it was sent for the program ${entry.program}, but this is ${program}. Recover it there`
        )
  }

  const idle = Effect.map(journal.pending, (entries) => entries.filter(({ signed }) => !underWay.has(signed.signature)))

  const record = (signed: SignedTransaction, creates: ReadonlyArray<Address>, mayBeSent: boolean) =>
    Effect.flatMap(genesis, (genesis) =>
      Effect.catchAll(
        journal.record(Journal.JournalEntry.make({ signed, creates, genesis, program }, { disableValidation: true })),
        (error) => {
          const failure = notRecorded(signed, mayBeSent, error)
          return Effect.zipRight(Metric.increment(Metrics.transactionsOf(failure.reason)), failure)
        }
      )
    )

  // An entry that cannot be removed now is found again by recovery, with the same outcome.
  const forget = (signature: Signature) =>
    Effect.catchAll(journal.forget(signature), (error) =>
      Effect.logWarning("a finished transaction is still in the journal", error)
    )

  /** Ends a delivery. It counts until the removal of its entry has ended, so that no recovery finds the entry. */
  const leave = (signature: Signature, own: UnderWay): Effect.Effect<void> =>
    Effect.suspend(() => {
      const isLast = () => own.deliveries === 1
      const end = Effect.sync(() => {
        if (isLast()) underWay.delete(signature)
        own.deliveries--
      })
      if (!isLast() || (!own.isOver && own.mayBeSent !== false)) return end
      const remove = Effect.ensuring(
        Effect.suspend(() => (isLast() ? forget(signature) : Effect.void)),
        end
      )
      // The caller of an unsent transaction does not wait for the store.
      return own.isOver ? remove : Effect.forkDaemon(remove)
    })

  const whileUnderWay = (signature: Signature, use: (own: UnderWay) => Delivery): Delivery =>
    Effect.acquireUseRelease(enter(signature), use, (own) => leave(signature, own))

  const noted = (own: UnderWay, delivery: Delivery): Delivery =>
    Effect.onExit(delivery, (exit) => Effect.sync(() => learn(own, exit)))

  return {
    deliver: (signed, creates, limit, delivery, mayBeSent) =>
      whileUnderWay(signed.signature, (own) => {
        const recording = Effect.flatMap(journal.pending, (entries) => {
          own.mayBeSent ??= entries.some((entry) => entry.signed.signature === signed.signature)
          return record(signed, creates, mayBeSent)
        })
        return Effect.zipRight(endBy(limit, "it was written down")(recording), noted(own, delivery))
      }),
    watch: ({ signature }, delivery) =>
      Effect.flatMap(journal.pending, (entries) => {
        const entry = entries.find(({ signed }) => signed.signature === signature)
        // The outcome on another cluster does not end the entry.
        const isHere = entry !== undefined && known !== undefined && refusalOf(entry, known) === undefined
        return isHere ? whileUnderWay(signature, (own) => noted(own, delivery)) : delivery
      }),
    left: Effect.flatMap(idle, (entries) =>
      entries.length === 0
        ? NOTHING_LEFT
        : Effect.map(genesis, (here) => entries.filter((entry) => refusalOf(entry, here) === undefined))
    ),
    leftovers: (limit) =>
      Effect.flatMap(idle, (entries) =>
        entries.length === 0
          ? Effect.succeed([])
          : Effect.match(endBy(limit, "the cluster said which one it is")(ask), {
              onFailure: (refusal) => entries.map((entry) => ({ entry, refusal })),
              onSuccess: (here) => entries.map((entry) => ({ entry, refusal: refusalOf(entry, here) }))
            })
      )
  }
}

export const make = (pool: Pick<RpcPool, "getGenesisHash">, program: Address): Effect.Effect<JournaledSubmit> =>
  Effect.map(
    Effect.serviceOption(Journal.Journal),
    Option.match({ onNone: () => UNRECORDED, onSome: (journal) => over(journal, pool, program) })
  )
