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

/** The first attempt is given up after that: it may simulate, on a connection that is still to be made. */
const FIRST_ATTEMPT = Duration.seconds(10)

const outcomes = {
  confirmed: Metric.tagged(Metrics.transactions, "outcome", "confirmed"),
  Expired: Metric.tagged(Metrics.transactions, "outcome", "Expired"),
  Rejected: Metric.tagged(Metrics.transactions, "outcome", "Rejected"),
  Simulation: Metric.tagged(Metrics.transactions, "outcome", "Simulation"),
  Unconfirmed: Metric.tagged(Metrics.transactions, "outcome", "Unconfirmed"),
  Unrecorded: Metric.tagged(Metrics.transactions, "outcome", "Unrecorded")
}

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
    readonly rebroadcastInterval: Duration.Duration
  }
) => {
  const { rebroadcastInterval, report } = options
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

  return Effect.fnUntraced(
    function* (signed: SignedTransaction, options: DeliveryOptions) {
      const start = yield* Clock.currentTimeMillis
      const deadline = start + Duration.toMillis(options.timeout)
      const { attempt: rebroadcast, lastError } = broadcast(signed, options)
      const wait = yield* Effect.timeoutTo(rebroadcast, {
        duration: Duration.min(FIRST_ATTEMPT, options.timeout),
        onSuccess: (wait) => wait,
        onTimeout: () => Duration.zero
      })
      const rebroadcastAt =
        (yield* Clock.currentTimeMillis) + Duration.toMillis(Duration.max(wait, rebroadcastInterval))
      const landed = yield* tracker.wait(signed, {
        commitment: options.commitment,
        deadline,
        rebroadcast,
        rebroadcastAt,
        lastError
      })
      if (!Failure.succeeded(landed.err)) return yield* rejected(signed, landed)
      const end = yield* Clock.currentTimeMillis
      yield* Metric.update(Metrics.confirmationDuration, (end - start) / 1000)
      yield* Metric.increment(outcomes.confirmed)
      return { signature: signed.signature, slot: landed.slot, fee: signed.fee }
    },
    Effect.tapErrorTag("TransactionError", ({ reason }) => Metric.increment(outcomes[reason]))
  )
}
