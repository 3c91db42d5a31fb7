/**
 * Submits signed transactions: writes them to the journal, sends them, waits for their outcome, and records the
 * resulting state of their nonce.
 *
 * - `submit` of bytes that may already be under way, by the same nonce, continues that transaction instead.
 * - `goOn` skips the preflight, because a node that has already processed the bytes may refuse it.
 * - `settle` sends nothing: it waits for the outcome of bytes that a node refused.
 */
import type { Address, Commitment } from "@solana/kit"
import type * as Effect from "effect/Effect"
import type { Limit } from "../../internal/endBy.js"
import { extend } from "../../internal/hot.js"
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import type { Nonces } from "../lifetime/Nonces.js"
import type { Receipt, RetryOptions, SubmitOptions } from "../Model.js"
import type { TransactionError } from "../TransactionError.js"
import type { JournaledSubmit } from "./JournaledSubmit.js"
import type { SubmitAndConfirm } from "./SubmitAndConfirm.js"

/** Options with the deadline of the caller's answer. */
export type Limited<O> = O & { readonly limit: Limit<RpcError> }

type Submit<O = SubmitOptions> = (
  signed: SignedTransaction,
  options: Limited<O>,
  creates: ReadonlyArray<Address>
) => Effect.Effect<Receipt, RpcError | TransactionError>

export interface Submission {
  /** Submits bytes that this layer has just signed. */
  readonly submitFirst: Submit<SubmitOptions & Pick<RetryOptions, "resend">>
  /** Submits bytes that may have been sent before. */
  readonly submit: Submit
  readonly goOn: Submit
  readonly settle: Submit
  readonly left: JournaledSubmit["left"]
  readonly leftovers: JournaledSubmit["leftovers"]
}

export const make = (
  { deliver, left, leftovers, watch }: JournaledSubmit,
  submitAndConfirm: SubmitAndConfirm,
  nonces: Pick<Nonces, "isUnderWay" | "learn">,
  defaultCommitment: Commitment
): Submission => {
  const hand = (
    signed: SignedTransaction,
    { commitment = defaultCommitment, limit, preflight = true }: Limited<SubmitOptions>,
    creates: ReadonlyArray<Address>,
    firstTime: boolean,
    watchOnly: boolean
  ) => {
    const submitted = submitAndConfirm(signed, { commitment, preflight, firstTime, watchOnly, deadline: limit.at })
    const delivery = watchOnly
      ? watch(signed, submitted)
      : deliver(signed, creates, limit, submitted, !firstTime && !preflight)
    return "nonce" in signed.lifetime ? nonces.learn(signed, signed.lifetime, commitment, delivery) : delivery
  }

  const goOn: Submit = (signed, options, creates) =>
    hand(signed, extend(options, { preflight: false }), creates, false, false)

  return {
    submitFirst: (signed, options, creates) =>
      "nonce" in signed.lifetime && (options.resend === true || nonces.isUnderWay(signed.signature))
        ? goOn(signed, options, creates)
        : hand(signed, options, creates, true, false),
    submit: (signed, options, creates) => hand(signed, options, creates, false, false),
    goOn,
    settle: (signed, options, creates) => hand(signed, extend(options, { preflight: false }), creates, false, true),
    left,
    leftovers
  }
}
