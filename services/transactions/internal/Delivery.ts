/**
 * @since 0.1.0
 */
import type { Blockhash, Commitment } from "@solana/kit"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Metrics from "../../Metrics.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import * as ConfirmationTracker from "./ConfirmationTracker.js"
import * as Failure from "./Failure.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import type { TransactionError } from "../TransactionError.js"

/** @internal */
export interface DeliveryOptions {
  readonly commitment: Commitment
  readonly preflight: boolean
  /** From the caller, who is answered then even if the node's answer to the request is still to come. */
  readonly timeout: Duration.DurationInput | undefined
  /** Nobody has these bytes yet: what a node refuses to forward cannot have landed. */
  readonly firstTime: boolean
}

const outcomes = {
  confirmed: Metric.tagged(Metrics.transactions, "outcome", "confirmed"),
  Expired: Metric.tagged(Metrics.transactions, "outcome", "Expired"),
  Rejected: Metric.tagged(Metrics.transactions, "outcome", "Rejected"),
  Simulation: Metric.tagged(Metrics.transactions, "outcome", "Simulation"),
  Unconfirmed: Metric.tagged(Metrics.transactions, "outcome", "Unconfirmed")
}

/**
 * Sends signed bytes and waits for what becomes of them.
 *
 * @internal
 */
export const make = (
  pool: Pick<RpcPool, "getSignatureStatuses" | "getTransaction" | "sendTransaction">,
  tracker: ConfirmationTracker.ConfirmationTracker,
  options: {
    readonly report: (failed: Failure.Failed) => TransactionError
    readonly invalidate: (blockhash: Blockhash) => Effect.Effect<void>
    /** Where the caller names none. A request without an answer is then left to the transport's own timeout. */
    readonly timeout: Duration.DurationInput
  }
) => {
  const { invalidate, report, timeout: defaultTimeout } = options

  /** Succeeds where the transaction may land, even if sending it failed: then it is the tracker that knows. */
  const sendOnce = (
    signed: SignedTransaction,
    { commitment, firstTime, preflight }: DeliveryOptions
  ): Effect.Effect<void, RpcError | TransactionError> => {
    const refused = (error: RpcError, { err, logs }: Failure.Preflight): Effect.Effect<void, TransactionError> => {
      if (err === "AlreadyProcessed") return Effect.void
      const failed = report({ reason: "Simulation", err, logs, wire: signed.wire, signed, cause: error })
      if (err !== "BlockhashNotFound") return failed
      return Effect.zipRight(invalidate(signed.lifetime.blockhash), firstTime ? failed : Effect.void)
    }
    const unanswered = (error: RpcError): Effect.Effect<void, RpcError | TransactionError> =>
      Failure.mayHaveBeenSent(error)
        ? pool.getSignatureStatuses([signed.signature], { searchTransactionHistory: true }).pipe(
            Effect.mapError(() => ConfirmationTracker.unconfirmed(signed, error)),
            Effect.asVoid
          )
        : Effect.fail(error)
    return pool
      .sendTransaction(signed.wire, {
        skipPreflight: !preflight,
        // The blockhash is a confirmed one: a finalized bank does not know it yet.
        preflightCommitment: commitment === "processed" ? "processed" : "confirmed",
        maxRetries: 0,
        minContextSlot: signed.minContextSlot
      })
      .pipe(
        Effect.matchEffect({
          onFailure: (error) =>
            Option.match(Failure.preflight(error), {
              onNone: () => unanswered(error),
              onSome: (preflight) => refused(error, preflight)
            }),
          onSuccess: () => Effect.void
        })
      )
  }

  /** Without its logs, if the node does not give them: the answer itself is known. */
  const rejected = (signed: SignedTransaction, { err, slot }: ConfirmationTracker.Landed) =>
    pool.getTransaction(signed.signature, { commitment: "confirmed" }).pipe(
      Effect.map(Option.flatMap(({ meta }) => meta)),
      Effect.orElseSucceed(() => Option.none()),
      Effect.flatMap((meta) => {
        const logs = Option.match(meta, { onNone: () => [], onSome: ({ logs }) => logs })
        return report({ reason: "Rejected", err, logs, slot, wire: signed.wire, signed })
      })
    )

  return Effect.fnUntraced(
    function* (signed: SignedTransaction, options: DeliveryOptions) {
      const { commitment, timeout } = options
      const start = yield* Clock.currentTimeMillis
      const once = sendOnce(signed, options)
      yield* timeout === undefined
        ? once
        : Effect.timeoutFail(once, { duration: timeout, onTimeout: () => ConfirmationTracker.unconfirmed(signed) })
      const deadline = start + Duration.toMillis(timeout ?? defaultTimeout)
      const landed = yield* tracker.wait(signed, { commitment, deadline })
      if (!Failure.succeeded(landed.err)) return yield* rejected(signed, landed)
      const end = yield* Clock.currentTimeMillis
      yield* Metric.update(Metrics.confirmationDuration, (end - start) / 1000)
      yield* Metric.increment(outcomes.confirmed)
      return { signature: signed.signature, slot: landed.slot, fee: signed.fee }
    },
    Effect.tapErrorTag("TransactionError", ({ reason }) => Metric.increment(outcomes[reason]))
  )
}
