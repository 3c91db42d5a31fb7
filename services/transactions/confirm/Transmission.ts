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
  /** Whether no node can have these bytes yet. */
  readonly firstTime: boolean
  /** Whether the bytes are only watched and not sent. Default false. */
  readonly watchOnly?: boolean
}

/** The functions and options of all transmissions. */
export interface Needs {
  readonly send: RpcPool["sendTransaction"]
  /** As `send`, without a fiber, if the pool supports it. */
  readonly startSend:
    | Direct.Start<Parameters<RpcPool["sendTransaction"]>, Signature, InvalidInput | RpcError>
    | undefined
  readonly report: (failed: Failure.Failed) => TransactionError
  readonly invalidate: (blockhash: Blockhash) => void
  readonly blockhashCommitment: Commitment
}

/** The result of a sending: the pause that the endpoint asked for, or a refusal. */
export type Sent = Exit.Exit<Duration.Duration, TransactionError>

const AT_ONCE: Sent = Exit.succeed(Duration.zero)

/** The state of the bytes before a sending. */
interface Before {
  readonly mayHaveArrived: boolean
  readonly wasHandedOver: boolean
}

/**
 * The submission of one transaction.
 *
 * It sends the same bytes as often as requested. The preflight is repeated until it has passed once. A refusal is
 * reported only while no earlier attempt may have arrived: later, it may come from a node that lags, or that has
 * processed the bytes. An unknown blockhash is never reported: the node may lag, or another node may have the bytes. So
 * they are sent again until they land or can no longer land.
 */
export class Transmission {
  /** The failure of the last attempt, if it failed. */
  lastError: RpcError | undefined
  /** Attempts to submit the bytes to a node. */
  attempts = 0
  /** Attempts after the first one, in this process or after an earlier one. */
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
    // A caller that requests a preflight states that the bytes were not sent before.
    this.#mayHaveArrived = !firstTime && !preflight
    this.#wasSent = !firstTime
    this.#wasHandedOver = !firstTime
    // A finalized bank may lack the blockhash, and a confirmed bank may lack the blockhash of a processed one.
    this.#preflightCommitment =
      commitment === "processed" || needs.blockhashCommitment === "processed" ? "processed" : "confirmed"
  }

  /** Whether a node may have the bytes, according to the answers so far. */
  get mayHaveArrived(): boolean {
    return this.#mayHaveArrived
  }

  /** Whether a node received the bytes, whatever its answer was. */
  get wasHandedOver(): boolean {
    return this.#wasHandedOver
  }

  /**
   * Submits the bytes to a node, once, when the returned effect runs in that fiber. It fails only with a refusal, which
   * is the outcome unless a look-up finds the bytes. Any other failure proves nothing about the transaction. It returns
   * the pause that the endpoint asked for.
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

  /** As {@link attempt}, at once and without a fiber, if the pool supports it now. */
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
    // After an interruption, the request may have been sent.
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

  /** The refusal in the failure of a sending, if it is one. */
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
