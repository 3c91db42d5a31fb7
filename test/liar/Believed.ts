/**
 * The facts that one endpoint decides by design. A second opinion on each would double the calls of every confirmation
 * and every read.
 */
import type { Lie } from "./Lies.js"

interface Told {
  readonly lie: Lie
  readonly endpoints: number
}

const about =
  (...starts: ReadonlyArray<string>) =>
  ({ lie: { name } }: Told): boolean =>
    starts.some((start) => name.startsWith(start))

/** A successful status is the receipt, from any endpoint. */
export const success = about("getSignatureStatuses")

const failed = about("getSignatureStatuses.value.*.err", "getSignatureStatuses=present and failed")
const absent = about("getSignatureStatuses.value")

/** A status that reports a landed and failed transaction; and a missing status, if there is no other endpoint. */
export const failure = (told: Told): boolean => failed(told) || (told.endpoints === 1 && absent(told))

/** The slot and the fee of a receipt come from the status, or from the transaction of an earlier process. */
export const receipt = about("getSignatureStatuses", "getTransaction", "getSignaturesForAddress")

/** The result of a read comes from one endpoint. */
export const read = about(
  "getAccountInfo",
  "getMultipleAccounts",
  "getProgramAccounts",
  "getTransaction",
  "programNotification"
)
