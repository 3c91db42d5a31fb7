/**
 * The errors of transactions that did not land, or whose outcome is unknown.
 */
import type { RpcError } from "../../RpcTransport.js"
import type { SignedTransaction } from "../../SignedTransaction.js"
import { TransactionError } from "../TransactionError.js"
import type { Transmission } from "./Transmission.js"

type Fields = Omit<ConstructorParameters<typeof TransactionError>[0], "logs" | "signature" | "signed">

/** An error with the signed transaction. */
export const about = (signed: SignedTransaction, fields: Fields) =>
  new TransactionError({ ...fields, signature: signed.signature, logs: [], signed })

/** The transaction did not land and can no longer land. */
export const expired = (signed: SignedTransaction, cause: RpcError | undefined) =>
  about(signed, {
    reason: "Expired",
    detail:
      "nonce" in signed.lifetime
        ? `it did not land before the nonce of ${signed.lifetime.account} was used; sign it again`
        : `it did not land until block height ${signed.lifetime.lastValidBlockHeight}; sign it again`,
    cause
  })

/** The outcome is unknown. */
export const unconfirmed = (
  signed: SignedTransaction,
  cause?: Error | undefined,
  detail = "its outcome is unknown; resume the same signed transaction to continue"
) => about(signed, { reason: "Unconfirmed", detail, mayHaveLanded: true, cause })

/** The caller's deadline passed, or nothing can be sent before it. If no node got the bytes, they were not sent. */
export const late = (
  { lastError, signed, wasHandedOver }: Pick<Transmission, "lastError" | "signed" | "wasHandedOver">,
  cause: RpcError | undefined
): RpcError | TransactionError =>
  !wasHandedOver && lastError !== undefined ? lastError : unconfirmed(signed, cause ?? lastError)

/** The statuses of an endpoint lack the transaction, but its ledger contains it. */
export const contradicted = (signed: SignedTransaction) =>
  unconfirmed(
    signed,
    undefined,
    "the endpoint's statuses lack it, but the endpoint's ledger contains it; resume it over another endpoint"
  )

/** The transaction is older than the searched ledger, which begins at that slot. */
export const forgotten = (signed: SignedTransaction, firstSlot: bigint) =>
  unconfirmed(
    signed,
    undefined,
    `it can no longer land, but may have landed before slot ${firstSlot}, where the ledger of the node begins; resume it over a node that has the whole ledger`
  )

/** The tracker was closed before it sent the transaction. The bytes may have been sent before. */
export const closed = ({ mayHaveArrived, signed }: Pick<Transmission, "mayHaveArrived" | "signed">) =>
  mayHaveArrived
    ? unconfirmed(signed)
    : about(signed, {
        reason: "Unsent",
        detail: "it was not sent, because the service is closed; send it with an open service"
      })
