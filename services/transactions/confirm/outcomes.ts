/**
 * What becomes of a transaction that does not land, as far as it is known.
 */
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import { TransactionError } from "../TransactionError.js"
import type { Transmission } from "./Transmission.js"

/** It cannot land any more and did not. */
export const expired = (signed: SignedTransaction, cause: RpcError | undefined) =>
  new TransactionError({
    reason: "Expired",
    detail:
      "nonce" in signed.lifetime
        ? `it did not land before the nonce of ${signed.lifetime.account} was used; sign anew`
        : `it did not land until block height ${signed.lifetime.lastValidBlockHeight}; sign anew`,
    signature: signed.signature,
    logs: [],
    signed,
    cause
  })

/** Nobody knows yet. */
export const unconfirmed = (
  signed: SignedTransaction,
  cause: Error | undefined,
  detail = "its outcome is not known yet; resume the same signed transaction to go on"
) =>
  new TransactionError({
    reason: "Unconfirmed",
    detail,
    signature: signed.signature,
    logs: [],
    mayHaveLanded: true,
    signed,
    cause
  })

/** The caller's deadline came first, or nothing can be sent before it. What no node got was not sent. */
export const late = (
  { lastError, signed, wasHandedOver }: Pick<Transmission, "lastError" | "signed" | "wasHandedOver">,
  cause: RpcError | undefined
): RpcError | TransactionError =>
  !wasHandedOver && lastError !== undefined ? lastError : unconfirmed(signed, cause ?? lastError)

/** No status names it, yet the ledger of the same endpoint holds it. */
export const contradicted = (signed: SignedTransaction) =>
  unconfirmed(
    signed,
    undefined,
    "its endpoint's statuses deny it, but its endpoint's ledger holds it; resume it over another endpoint"
  )

/** It is older than the ledger in which it was looked up, which begins at that slot. */
export const forgotten = (signed: SignedTransaction, firstSlot: bigint) =>
  unconfirmed(
    signed,
    undefined,
    `it cannot land any more, but may have landed before slot ${firstSlot}, where the ledger of the node begins; resume it over a node that has the whole ledger`
  )

/** The tracker was closed before it was handed over. */
export const unsent = (signed: SignedTransaction) =>
  new TransactionError({
    reason: "Unsent",
    detail: "it was not sent, since the service is closed; send it with one that is open",
    signature: signed.signature,
    logs: [],
    signed
  })
