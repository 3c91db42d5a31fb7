/**
 * @since 0.1.0
 */
import type { Blockhash, Commitment } from "@solana/kit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Measured from "../../internal/measured.js"
import * as Metrics from "../../Metrics.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../SignedTransaction.js"
import type { TransactionError } from "../TransactionError.js"
import * as Failure from "./Failure.js"

/** @internal */
export interface BroadcastOptions {
  readonly commitment: Commitment
  readonly preflight: boolean
  /** Nobody has these bytes yet: what a node refuses to forward cannot have landed. */
  readonly firstTime: boolean
}

/**
 * One transaction on its way to the leaders.
 *
 * @internal
 */
export interface Broadcast {
  /**
   * Hands the bytes to a node, once. Fails only with what is the outcome: nobody has the bytes and no node will take
   * them. Whatever else goes wrong says nothing of the transaction. Gives how long the endpoint wants to be left alone.
   */
  readonly attempt: Effect.Effect<Duration.Duration, RpcError | TransactionError>
  /** Why the last attempt failed, where it did. */
  readonly lastError: () => RpcError | undefined
}

/**
 * Sends the same bytes as often as it is asked to. The preflight is repeated until it has passed once, and its refusal
 * is believed only while no attempt may have arrived: after that it may be the refusal of a node that lags.
 *
 * @internal
 */
export const make =
  (
    pool: Pick<RpcPool, "sendTransaction">,
    {
      blockhashCommitment,
      invalidate,
      report
    }: {
      readonly report: (failed: Failure.Failed) => TransactionError
      readonly invalidate: (blockhash: Blockhash) => Effect.Effect<void>
      readonly blockhashCommitment: Commitment
    }
  ) =>
  (signed: SignedTransaction, { commitment, firstTime, preflight }: BroadcastOptions): Broadcast => {
    let skipPreflight = !preflight
    // Who asks for a preflight says that the bytes were not sent before.
    let mayHaveArrived = !firstTime && skipPreflight
    let wasSent = !firstTime
    let lastError: RpcError | undefined

    const refused = (error: RpcError, { err, logs }: Failure.Preflight): Effect.Effect<void, TransactionError> => {
      if (err === "AlreadyProcessed") {
        mayHaveArrived = skipPreflight = true
        return Effect.void
      }
      const failed = mayHaveArrived
        ? Effect.void
        : report({ reason: "Simulation", err, logs, wire: signed.wire, signed, cause: error })
      if (err !== "BlockhashNotFound") return failed
      // Bytes that were signed long ago may have landed long ago: the tracker knows.
      const { lifetime } = signed
      const otherwise = firstTime ? failed : Effect.void
      return "nonce" in lifetime ? otherwise : Effect.zipRight(invalidate(lifetime.blockhash), otherwise)
    }

    const failed = (error: RpcError): Effect.Effect<void, RpcError | TransactionError> => {
      lastError = error
      const answer = Failure.preflight(error)
      if (Option.isSome(answer)) return refused(error, answer.value)
      if (Failure.mayHaveBeenSent(error)) mayHaveArrived = true
      return mayHaveArrived || error.isRetryable ? Effect.void : Effect.fail(error)
    }

    const attempt = Effect.withFiberRuntime<Duration.Duration, RpcError | TransactionError>((fiber) => {
      if (wasSent) Measured.update(fiber, Metrics.rebroadcasts, 1)
      wasSent = true
      const mayHaveArrivedBefore = mayHaveArrived
      // Interrupted, the request may have left.
      mayHaveArrived = true
      return pool
        .sendTransaction(signed.wire, {
          skipPreflight,
          // A finalized bank may not know the blockhash yet, nor a confirmed one that of a processed bank.
          preflightCommitment: [commitment, blockhashCommitment].includes("processed") ? "processed" : "confirmed",
          maxRetries: 0,
          minContextSlot: signed.minContextSlot
        })
        .pipe(
          Effect.matchEffect({
            onFailure: (error) => {
              mayHaveArrived = mayHaveArrivedBefore
              return Effect.as(failed(error), error.retryAfter ?? Duration.zero)
            },
            onSuccess: () => {
              skipPreflight = true
              lastError = undefined
              return Effect.succeed(Duration.zero)
            }
          })
        )
    })

    return { attempt, lastError: () => lastError }
  }
