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
import type { Receipt } from "../Model.js"
import * as Broadcast from "./Broadcast.js"
import type * as ConfirmationTracker from "./ConfirmationTracker.js"
import * as Failure from "./Failure.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import type { TransactionError } from "../TransactionError.js"

/** @internal */
export interface DeliveryOptions extends Broadcast.BroadcastOptions {
  /** From the caller, who is answered then even if the node's answer to the request is still to come. */
  readonly timeout: Duration.DurationInput
}

const outcomes = {
  confirmed: Metrics.transactionsOf("confirmed"),
  Expired: Metrics.transactionsOf("Expired"),
  Rejected: Metrics.transactionsOf("Rejected"),
  Simulation: Metrics.transactionsOf("Simulation"),
  Unconfirmed: Metrics.transactionsOf("Unconfirmed"),
  Unrecorded: Metrics.transactionsOf("Unrecorded")
}

const confirmed = (signed: SignedTransaction, slot: bigint, since: number): Effect.Effect<Receipt> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Metric.update(Metrics.confirmationDuration, (now - since) / 1000).pipe(
      Effect.zipRight(Metric.increment(outcomes.confirmed)),
      Effect.as({ signature: signed.signature, slot, fee: signed.fee })
    )
  )

/**
 * Sends signed bytes and waits for what becomes of them.
 *
 * @internal
 */
export const make = (
  pool: Pick<RpcPool, "getTransaction" | "sendTransaction">,
  tracker: ConfirmationTracker.ConfirmationTracker,
  options: {
    readonly report: (failed: Failure.Failed) => TransactionError
    readonly invalidate: (blockhash: Blockhash) => Effect.Effect<void>
    readonly blockhashCommitment: Commitment
  }
) => {
  const { report } = options
  const broadcast = Broadcast.make(pool, options)

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

  return (signed: SignedTransaction, options: DeliveryOptions): Effect.Effect<Receipt, RpcError | TransactionError> =>
    Effect.flatMap(Clock.currentTimeMillis, (since) => {
      const deadline = since + Duration.toMillis(options.timeout)
      const { attempt, lastError } = broadcast(signed, options)
      return tracker.deliver(signed, { commitment: options.commitment, deadline, broadcast: attempt, lastError }).pipe(
        Effect.flatMap((landed) =>
          Failure.succeeded(landed.err) ? confirmed(signed, landed.slot, since) : rejected(signed, landed)
        ),
        Effect.tapErrorTag("TransactionError", ({ reason }) => Metric.increment(outcomes[reason]))
      )
    })
}
