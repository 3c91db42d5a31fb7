/**
 * Deliveries that are written down while their outcome is not known.
 *
 * - Nothing is sent before its entry is on the disk, and an entry stays until the outcome is known. A preflight's refusal
 *   is not an outcome: the node may have forwarded the bytes.
 * - An entry names the cluster and the program. Elsewhere it is neither sent, nor judged, nor removed: there, a finalized
 *   block says nothing of it.
 * - What is interrupted while it is written down was never sent, and is struck out.
 * - The same bytes delivered twice have one entry, which goes with the last delivery.
 */
import type { Address, Blockhash, Signature } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { endBy, type Limit } from "../../internal/endBy.js"
import * as Journal from "../../Journal.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import * as Failure from "../Failure.js"
import type { Receipt } from "../Model.js"
import { TransactionError } from "../TransactionError.js"

/** An entry that no delivery of this process is about. */
export interface Leftover {
  readonly entry: Journal.JournalEntry
  /** Why it cannot be gone on with here. */
  readonly refusal: RpcError | TransactionError | undefined
}

type Delivery = Effect.Effect<Receipt, RpcError | TransactionError>

export interface JournaledSubmit {
  /**
   * Written down before it starts, by the limit; struck out when the outcome is known, and left where it is not. What was
   * not written down in time, or whose caller was interrupted before, was not sent: its entry is struck out too.
   */
  readonly deliver: (
    signed: SignedTransaction,
    creates: ReadonlyArray<Address>,
    limit: Limit<RpcError>,
    delivery: Delivery
  ) => Delivery
  /** As `deliver`, for bytes that are not sent: nothing is written down, so that nothing sends them later. */
  readonly watch: (signed: SignedTransaction, delivery: Delivery) => Delivery
  /** Entries of this cluster and program that are not under way in this process. */
  readonly left: Effect.Effect<ReadonlyArray<Journal.JournalEntry>, RpcError>
  /** All entries that are not under way in this process. Asks the cluster anew which one it is, until the limit. */
  readonly leftovers: (limit: Limit<RpcError>) => Effect.Effect<ReadonlyArray<Leftover>>
}

const unrecorded = (signed: SignedTransaction, cause: Journal.JournalError) =>
  new TransactionError({
    reason: "Unrecorded",
    detail: `it was not sent, since it could not be written down: ${cause.message}`,
    signature: signed.signature,
    logs: [],
    signed,
    cause
  })

const foreign = (signed: SignedTransaction, detail: string) =>
  new TransactionError({ reason: "Unconfirmed", detail, signature: signed.signature, logs: [], signed })

const notRecorded = (signed: SignedTransaction, error: Journal.JournalError) =>
  error.reason === "Foreign" ? foreign(signed, error.message) : unrecorded(signed, error)

/** An interruption, a defect and a node's refusal say as little of the outcome as a deadline does. */
const isKnown = <A>(exit: Exit.Exit<A, RpcError | TransactionError>): boolean =>
  Exit.match(exit, {
    onFailure: (cause) => Option.exists(Cause.failureOption(cause), (error) => !Failure.mayHaveLanded(error)),
    onSuccess: () => true
  })

/** What is left where nothing is written down. */
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
  /** Whether its bytes may have been sent, now or before there was an entry of this process. Unknown until it is looked up. */
  mayBeSent: boolean | undefined
}

const over = (journal: Journal.Service, pool: Pick<RpcPool, "getGenesisHash">, program: Address): JournaledSubmit => {
  let known: Blockhash | undefined
  let asking: Fiber.RuntimeFiber<Blockhash, RpcError> | undefined
  const underWay = new Map<Signature, UnderWay>()

  const enter = (signature: Signature) =>
    Effect.sync(() => {
      const own = underWay.get(signature) ?? { deliveries: 0, mayBeSent: undefined }
      own.deliveries++
      underWay.set(signature, own)
      return own
    })

  const leave = (signature: Signature, own: UnderWay) =>
    Effect.sync(() => {
      own.deliveries--
      if (own.deliveries === 0) underWay.delete(signature)
    })

  const ask = Effect.tap(pool.getGenesisHash, (genesis) => Effect.sync(() => (known = genesis)))

  // The question belongs to the service: those that wait for its answer may be interrupted.
  const genesis = Effect.uninterruptibleMask((restore) => {
    if (known !== undefined) return Effect.succeed(known)
    if (asking !== undefined) return restore(Fiber.join(asking))
    return Effect.interruptible(ask).pipe(
      Effect.ensuring(Effect.sync(() => (asking = undefined))),
      Effect.forkDaemon,
      Effect.flatMap((fiber) => {
        if (fiber.unsafePoll() === null) asking = fiber
        return restore(Fiber.join(fiber))
      })
    )
  })

  /** Why the entry is not for this cluster and program, if it is not. */
  const refusalOf = (entry: Journal.JournalEntry, here: Blockhash): TransactionError | undefined => {
    const { signed } = entry
    if (entry.genesis === undefined) {
      return foreign(signed, "its journal entry names no cluster. Resume it on the cluster that it was sent to")
    }
    if (entry.genesis !== here) {
      return foreign(
        signed,
        `it was sent to the cluster with genesis ${entry.genesis}, and this one has ${here}. Recover it there`
      )
    }
    return entry.program === program
      ? undefined
      : foreign(signed, `it was sent for the program ${entry.program}, and this is ${program}. Recover it there`)
  }

  const idle = Effect.map(journal.pending, (entries) => entries.filter(({ signed }) => !underWay.has(signed.signature)))

  const record = (signed: SignedTransaction, creates: ReadonlyArray<Address>) =>
    Effect.flatMap(genesis, (genesis) =>
      Effect.mapError(
        journal.record(Journal.JournalEntry.make({ signed, creates, genesis, program }, { disableValidation: true })),
        (error) => notRecorded(signed, error)
      )
    )

  // A leftover that cannot be struck out now is found again, with the same outcome.
  const forget = (signature: Signature) =>
    Effect.catchAll(journal.forget(signature), (error) =>
      Effect.logWarning("a finished transaction is still in the journal", error)
    )

  /** Strikes the entry out when the outcome is known, unless another delivery of it goes on. */
  const concluded = (signature: Signature, own: UnderWay, delivery: Delivery) =>
    Effect.onExit(delivery, (exit) =>
      Effect.suspend(() => (isKnown(exit) && own.deliveries === 1 ? forget(signature) : Effect.void))
    )

  const whileUnderWay = (signature: Signature, use: (own: UnderWay) => Delivery): Delivery =>
    Effect.acquireUseRelease(enter(signature), use, (own, exit) =>
      Effect.zipRight(
        leave(signature, own),
        // The caller is not kept until the store answers.
        Exit.isFailure(exit) && own.mayBeSent === false
          ? Effect.forkDaemon(Effect.suspend(() => (underWay.has(signature) ? Effect.void : forget(signature))))
          : Effect.void
      )
    )

  return {
    deliver: (signed, creates, limit, delivery) =>
      whileUnderWay(signed.signature, (own) => {
        const recording = Effect.flatMap(journal.pending, (entries) => {
          own.mayBeSent ??= entries.some((entry) => entry.signed.signature === signed.signature)
          return record(signed, creates)
        })
        const begin = Effect.suspend(() => {
          own.mayBeSent = true
          return concluded(signed.signature, own, delivery)
        })
        return Effect.zipRight(endBy(limit, "it was written down")(recording), begin)
      }),
    watch: ({ signature }, delivery) =>
      Effect.flatMap(journal.pending, (entries) => {
        const entry = entries.find(({ signed }) => signed.signature === signature)
        // Another cluster's outcome ends no entry.
        const isHere = entry !== undefined && known !== undefined && refusalOf(entry, known) === undefined
        return isHere ? whileUnderWay(signature, (own) => concluded(signature, own, delivery)) : delivery
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
