/**
 * Submits one signed transaction and waits for its outcome.
 *
 * - The confirmation tracker resends the bytes and looks up their status, independent of the first submission.
 * - The caller is answered by its deadline, even if the HTTP request is still open.
 * - Each outcome is counted once, under its reason.
 */
import type { Blockhash, Commitment } from "@solana/kit"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Deadline from "../../Deadline.js"
import * as Clock from "../../internal/clock.js"
import * as Direct from "../../internal/direct.js"
import { endBy } from "../../internal/endBy.js"
import * as Measured from "../../internal/measured.js"
import * as Receipts from "../../internal/receipts.js"
import { spanned } from "../../internal/traced.js"
import * as Metrics from "../../Metrics.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import type * as ConfirmationTracker from "../confirm/ConfirmationTracker.js"
import type { Landed } from "../confirm/Entry.js"
import * as Outcomes from "../confirm/outcomes.js"
import * as Transmission from "../confirm/Transmission.js"
import * as Failure from "../Failure.js"
import type { Receipt } from "../Model.js"
import type { TransactionError } from "../TransactionError.js"

export interface Options extends Transmission.TransmissionOptions {
  /** Overall deadline for the caller, on the monotonic clock, independent of the HTTP request. */
  readonly deadline: number
}

/** Submits signed bytes, resends them, and waits for their outcome. */
export type SubmitAndConfirm = (
  signed: SignedTransaction,
  options: Options
) => Effect.Effect<Receipt, RpcError | TransactionError>

const outcomes = {
  confirmed: Metrics.transactionsOf("confirmed"),
  Expired: Metrics.transactionsOf("Expired"),
  Rejected: Metrics.transactionsOf("Rejected"),
  Simulation: Metrics.transactionsOf("Simulation"),
  Unconfirmed: Metrics.transactionsOf("Unconfirmed"),
  Unrecorded: Metrics.transactionsOf("Unrecorded"),
  Unsent: Metrics.transactionsOf("Unsent")
}

const counted = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, error: RpcError | TransactionError) => {
  Measured.update(fiber, outcomes[error._tag === "RpcError" ? "Unsent" : error.reason], 1)
  return Effect.fail(error)
}

/** Makes the function that submits signed bytes and waits for their outcome. */
export const make = (
  pool: Pick<RpcPool, "getTransaction" | "sendTransaction">,
  tracker: ConfirmationTracker.ConfirmationTracker,
  options: {
    readonly report: (failed: Failure.Failed) => TransactionError
    readonly invalidate: (blockhash: Blockhash) => void
    readonly blockhashCommitment: Commitment
  }
): SubmitAndConfirm => {
  const { report } = options
  const needs = { send: pool.sendTransaction, startSend: Direct.startOf(pool.sendTransaction), ...options }

  /** The error of a failed transaction. Its logs are missing if the node does not return them in time. */
  const rejected = (signed: SignedTransaction, { err, slot }: Landed, deadline: number) =>
    pool.getTransaction(signed.signature, { commitment: "confirmed" }).pipe(
      Deadline.at(deadline),
      endBy({ at: deadline, late: () => undefined }, "its logs"),
      Effect.map(Option.flatMap(({ meta }) => meta)),
      Effect.orElseSucceed(() => Option.none()),
      Effect.flatMap((meta) => {
        const logs = Option.match(meta, { onNone: () => [], onSome: ({ logs }) => logs })
        return report({ reason: "Rejected", err, logs, slot, wire: signed.wire, signed })
      })
    )

  /**
   * Checks an `Expired` against the node's ledger, because a caller signs again after it. A single endpoint may deny
   * the status of a transaction that its own ledger contains. A node without a ledger cannot contradict the status.
   */
  const uncontradicted = (signed: SignedTransaction, error: RpcError | TransactionError, deadline: number) =>
    error.reason !== "Expired"
      ? Effect.succeed(error)
      : pool.getTransaction(signed.signature, { commitment: "confirmed" }).pipe(
          Deadline.at(deadline),
          endBy({ at: deadline, late: () => undefined }, "its transaction"),
          Effect.map(Option.isSome),
          Effect.orElseSucceed(() => false),
          Effect.map((isInLedger) => (isInLedger ? Outcomes.contradicted(signed) : error))
        )

  return (signed, options) =>
    Effect.withFiberRuntime<Receipt, RpcError | TransactionError>((fiber) => {
      const since = Clock.monotonic(fiber)
      const { commitment, deadline } = options
      const transmission = new Transmission.Transmission(signed, options, needs)
      let slot: bigint | undefined
      const attributes = { "solana.signature": signed.signature, "solana.commitment": commitment }
      const found = () => ({
        "solana.attempts": transmission.attempts,
        "solana.rebroadcasts": transmission.rebroadcasts,
        ...(slot === undefined ? {} : { "solana.slot": Number(slot) })
      })
      const confirmed = () =>
        Effect.matchEffect(tracker.deliver(transmission, { commitment, deadline, since }), {
          onFailure: (error) =>
            Effect.flatMap(uncontradicted(signed, error, deadline), (error) => counted(fiber, error)),
          onSuccess: (landed) => {
            slot = landed.slot
            if (!Failure.succeeded(landed.err)) {
              return Effect.catchAll(rejected(signed, landed, deadline), (error) => counted(fiber, error))
            }
            Measured.update(fiber, Metrics.confirmationDuration, (Clock.monotonic(fiber) - since) / 1000)
            Measured.update(fiber, outcomes.confirmed, 1)
            return Effect.succeed(new Receipts.Receipt(signed.signature, landed.slot, signed.fee))
          }
        })
      return spanned(fiber, "Transactions.confirm", attributes, confirmed, found)
    })
}
