/**
 * @since 0.1.0
 */
import type { Address, Signature } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { RpcError } from "../../RpcTransport.js"
import * as Journal from "../Journal.js"
import type { Receipt } from "../Model.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import { TransactionError } from "../TransactionError.js"

/**
 * Deliveries that are written down while their outcome is not known.
 *
 * @internal
 */
export interface Recorded {
  /** Written down before it starts, struck out when the outcome is known, and left where it is not. */
  readonly deliver: (
    signed: SignedTransaction,
    creates: ReadonlyArray<Address>,
    delivery: Effect.Effect<Receipt, RpcError | TransactionError>
  ) => Effect.Effect<Receipt, RpcError | TransactionError>
  /** What is written down and not under way in this process. */
  readonly left: Effect.Effect<ReadonlyArray<Journal.JournalEntry>>
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

/** An interruption or a defect says as little of the outcome as a deadline does. */
const isKnown = <A>(exit: Exit.Exit<A, RpcError | TransactionError>): boolean =>
  Exit.match(exit, {
    onFailure: (cause) => Option.exists(Cause.failureOption(cause), ({ reason }) => reason !== "Unconfirmed"),
    onSuccess: () => true
  })

/**
 * What is left where nothing is written down.
 *
 * @internal
 */
export const NOTHING_LEFT: Recorded["left"] = Effect.succeed([])

/** @internal */
export const make: Effect.Effect<Recorded> = Effect.map(
  Effect.serviceOption(Journal.Journal),
  Option.match({
    onNone: (): Recorded => ({ deliver: (_, __, delivery) => delivery, left: NOTHING_LEFT }),
    onSome: (journal): Recorded => {
      const underWay = new Map<Signature, number>()
      const count = (signature: Signature, by: number) =>
        Effect.sync(() => {
          const now = (underWay.get(signature) ?? 0) + by
          if (now === 0) underWay.delete(signature)
          else underWay.set(signature, now)
        })
      return {
        deliver: (signed, creates, delivery) => {
          const { signature } = signed
          // A leftover that cannot be struck out now is found again, with the same outcome.
          const forget = Effect.catchAll(journal.forget(signature), (error) =>
            Effect.logWarning("a finished transaction is still in the journal", error)
          )
          return Effect.acquireUseRelease(
            count(signature, 1),
            () =>
              journal.record(Journal.JournalEntry.make({ signed, creates }, { disableValidation: true })).pipe(
                Effect.mapError((error) => unrecorded(signed, error)),
                Effect.zipRight(delivery),
                Effect.onExit((exit) => (isKnown(exit) ? forget : Effect.void))
              ),
            () => count(signature, -1)
          )
        },
        left: Effect.map(journal.pending, (entries) => entries.filter(({ signed }) => !underWay.has(signed.signature)))
      }
    }
  })
)
