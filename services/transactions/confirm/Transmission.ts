import type { Blockhash, Commitment } from "@solana/kit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Measured from "../../internal/measured.js"
import * as Metrics from "../../Metrics.js"
import type { Service as RpcPool } from "../../RpcPool.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import * as Failure from "../Failure.js"
import type { TransactionError } from "../TransactionError.js"

export interface TransmissionOptions {
  readonly commitment: Commitment
  readonly preflight: boolean
  /** Nobody has these bytes yet. */
  readonly firstTime: boolean
  /** Whether the bytes are only watched, and not sent. Default false. */
  readonly watchOnly?: boolean
}

/** What all broadcasts need. */
export interface Needs {
  readonly pool: Pick<RpcPool, "sendTransaction">
  readonly report: (failed: Failure.Failed) => TransactionError
  readonly invalidate: (blockhash: Blockhash) => Effect.Effect<void>
  readonly blockhashCommitment: Commitment
}

const AT_ONCE = Effect.succeed(Duration.zero)

/**
 * One transaction on its way to the leaders.
 *
 * Sends the same bytes as often as it is asked to. The preflight is repeated until it has passed once. A refusal is told
 * only while no attempt may have arrived by what nodes say: after that it may be the refusal of a node that lags, or that
 * has seen what the bytes did. That a node does not know the blockhash is never told: it may lag, or another have the
 * bytes, so they are sent again until they land or cannot land any more.
 */
export class Transmission {
  /** Why the last attempt failed, where it did. */
  lastError: RpcError | undefined
  /** How often the bytes were handed to a node. */
  attempts = 0
  /** How often of these they were sent before, by this process or an earlier one. */
  rebroadcasts = 0
  #skipPreflight: boolean
  #mayHaveArrived: boolean
  #wasSent: boolean
  #wasHandedOver: boolean
  readonly #preflightCommitment: Commitment
  readonly #watchOnly: boolean

  constructor(
    readonly signed: SignedTransaction,
    { commitment, firstTime, preflight, watchOnly = false }: TransmissionOptions,
    readonly needs: Needs
  ) {
    this.lastError = undefined
    this.#watchOnly = watchOnly
    this.#skipPreflight = !preflight
    // Who asks for a preflight says that the bytes were not sent before.
    this.#mayHaveArrived = !firstTime && !preflight
    this.#wasSent = !firstTime
    this.#wasHandedOver = !firstTime
    // A finalized bank may not know the blockhash yet, nor a confirmed one that of a processed bank.
    this.#preflightCommitment =
      commitment === "processed" || needs.blockhashCommitment === "processed" ? "processed" : "confirmed"
  }

  /** Whether some node has the bytes, by what nodes say. */
  get mayHaveArrived(): boolean {
    return this.#mayHaveArrived
  }

  /** Whether any node got the bytes, whatever it said of them. */
  get wasHandedOver(): boolean {
    return this.#wasHandedOver
  }

  /**
   * Hands the bytes to a node, once, when the effect that it gives is run in that fiber. Fails only with a refusal that is
   * the outcome unless a look-up finds the bytes. Whatever else goes wrong says nothing of the transaction. Gives how long
   * the endpoint wants to be left alone.
   */
  attempt<A, E>(fiber: Fiber.RuntimeFiber<A, E>): Effect.Effect<Duration.Duration, TransactionError> {
    if (this.#watchOnly) return AT_ONCE
    this.attempts++
    if (this.#wasSent) {
      this.rebroadcasts++
      Measured.update(fiber, Metrics.rebroadcasts, 1)
    }
    this.#wasSent = true
    const mayHaveArrivedBefore = this.#mayHaveArrived
    const wasHandedOverBefore = this.#wasHandedOver
    // Interrupted, the request may have left.
    this.#mayHaveArrived = this.#wasHandedOver = true
    const { minContextSlot, wire } = this.signed
    return Effect.matchEffect(
      this.needs.pool.sendTransaction(wire, {
        skipPreflight: this.#skipPreflight,
        preflightCommitment: this.#preflightCommitment,
        maxRetries: 0,
        minContextSlot
      }),
      {
        onFailure: (error) => {
          if (error._tag === "InvalidInput") return Effect.die(error)
          this.#mayHaveArrived = mayHaveArrivedBefore
          if (Failure.wasNotSent(error)) this.#wasHandedOver = wasHandedOverBefore
          const rest = error.reason === "PoolClosed" ? Duration.infinity : (error.retryAfter ?? Duration.zero)
          return Effect.as(this.#failed(error), rest)
        },
        onSuccess: () => {
          this.#skipPreflight = true
          this.lastError = undefined
          return AT_ONCE
        }
      }
    )
  }

  #failed(error: RpcError): Effect.Effect<void, TransactionError> {
    this.lastError = error
    const answer = Failure.preflight(error)
    if (Option.isSome(answer)) return this.#refused(error, answer.value)
    if (Failure.mayHaveBeenSent(error)) this.#mayHaveArrived = true
    return this.#mayHaveArrived || error.isRetryable || error.reason === "PoolClosed"
      ? Effect.void
      : Effect.fail(Failure.refused(this.signed, error))
  }

  #refused(error: RpcError, { err, logs }: Failure.Preflight): Effect.Effect<void, TransactionError> {
    const { needs, signed } = this
    if (err === "AlreadyProcessed") {
      this.#mayHaveArrived = this.#skipPreflight = true
      return Effect.void
    }
    if (err === "BlockhashNotFound") {
      const { lifetime } = signed
      return "nonce" in lifetime ? Effect.void : needs.invalidate(lifetime.blockhash)
    }
    return this.#mayHaveArrived
      ? Effect.void
      : needs.report({ reason: "Simulation", err, logs, wire: signed.wire, signed, cause: error })
  }
}
