import type { Blockhash, Commitment, Signature } from "@solana/kit"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { InvalidInput } from "../../../src/InvalidInput.js"
import type * as Direct from "../../internal/direct.js"
import * as Measured from "../../internal/measured.js"
import * as Metrics from "../../Metrics.js"
import type { SendOptions, Service as RpcPool } from "../../RpcPool.js"
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
  readonly send: RpcPool["sendTransaction"]
  /** As `send`, without a fiber, where the pool can. */
  readonly startSend:
    | Direct.Start<Parameters<RpcPool["sendTransaction"]>, Signature, InvalidInput | RpcError>
    | undefined
  readonly report: (failed: Failure.Failed) => TransactionError
  readonly invalidate: (blockhash: Blockhash) => void
  readonly blockhashCommitment: Commitment
}

/** What a sending said: how long the endpoint wants to be left alone, or a refusal. */
export type Sent = Exit.Exit<Duration.Duration, TransactionError>

const AT_ONCE: Sent = Exit.succeed(Duration.zero)

/** What was known of the bytes before a sending. */
interface Before {
  readonly mayHaveArrived: boolean
  readonly wasHandedOver: boolean
}

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
    const sending = this.needs.send(this.signed.wire, this.#options())
    const before = this.#begin(fiber)
    return Effect.matchEffect(sending, {
      onFailure: (error) => this.#failed(error, before),
      onSuccess: () => this.#accepted()
    })
  }

  /** As {@link attempt}, at once and without a fiber, if the pool can do that now. */
  start(caller: Direct.Caller, onEnd: (sent: Sent) => void): (() => void) | undefined {
    const { startSend } = this.needs
    if (startSend === undefined || this.#watchOnly) return undefined
    const before = this.#known()
    const ended = (exit: Exit.Exit<Signature, InvalidInput | RpcError>): Sent =>
      Exit.isSuccess(exit)
        ? this.#accepted()
        : Either.match(Cause.failureOrCause(exit.cause), {
            onLeft: (error) => this.#failed(error, before),
            onRight: Exit.failCause
          })
    const cancel = startSend(caller, (exit) => onEnd(ended(exit)), this.signed.wire, this.#options())
    if (cancel !== undefined) this.#begin(caller.fiber)
    return cancel
  }

  #options(): SendOptions {
    return {
      skipPreflight: this.#skipPreflight,
      preflightCommitment: this.#preflightCommitment,
      maxRetries: 0,
      minContextSlot: this.signed.minContextSlot
    }
  }

  #known(): Before {
    return { mayHaveArrived: this.#mayHaveArrived, wasHandedOver: this.#wasHandedOver }
  }

  #begin<A, E>(fiber: Fiber.RuntimeFiber<A, E>): Before {
    this.attempts++
    if (this.#wasSent) {
      this.rebroadcasts++
      Measured.update(fiber, Metrics.rebroadcasts, 1)
    }
    this.#wasSent = true
    const before = this.#known()
    // Interrupted, the request may have left.
    this.#mayHaveArrived = this.#wasHandedOver = true
    return before
  }

  #accepted(): Sent {
    this.#skipPreflight = true
    this.lastError = undefined
    return AT_ONCE
  }

  #failed(error: InvalidInput | RpcError, before: Before): Sent {
    if (error._tag === "InvalidInput") return Exit.die(error)
    this.#mayHaveArrived = before.mayHaveArrived
    if (Failure.wasNotSent(error)) this.#wasHandedOver = before.wasHandedOver
    this.lastError = error
    const refusal = this.#refusal(error)
    if (refusal !== undefined) return Exit.fail(refusal)
    return Exit.succeed(error.reason === "PoolClosed" ? Duration.infinity : (error.retryAfter ?? Duration.zero))
  }

  /** The refusal that the failure of a sending is, if it is one. */
  #refusal(error: RpcError): TransactionError | undefined {
    const answer = Failure.preflight(error)
    if (Option.isSome(answer)) return this.#preflightRefusal(error, answer.value)
    if (Failure.mayHaveBeenSent(error)) this.#mayHaveArrived = true
    return this.#mayHaveArrived || error.isRetryable || error.reason === "PoolClosed"
      ? undefined
      : Failure.refused(this.signed, error)
  }

  #preflightRefusal(error: RpcError, { err, logs }: Failure.Preflight): TransactionError | undefined {
    const { needs, signed } = this
    if (err === "AlreadyProcessed") {
      this.#mayHaveArrived = this.#skipPreflight = true
      return undefined
    }
    if (err === "BlockhashNotFound") {
      if (!("nonce" in signed.lifetime)) needs.invalidate(signed.lifetime.blockhash)
      return undefined
    }
    return this.#mayHaveArrived
      ? undefined
      : needs.report({ reason: "Simulation", err, logs, wire: signed.wire, signed, cause: error })
  }
}
