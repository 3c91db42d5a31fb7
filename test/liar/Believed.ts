/**
 * What is one endpoint's word by design, whichever endpoint is asked: a second opinion on each would double the calls of
 * every confirmation and every read.
 */
import type { Lie } from "./Lies.js"

const about =
  (...starts: ReadonlyArray<string>) =>
  ({ name }: Lie): boolean =>
    starts.some((start) => name.startsWith(start))

/** A status that says success is the receipt. */
export const success = about("getSignatureStatuses")

/** A status that says that the transaction landed and failed. */
export const failure = about("getSignatureStatuses.value.*.err", "getSignatureStatuses=present and failed")

/** The slot of a receipt is the status's. */
export const receipt = about("getSignatureStatuses")

/** What a read gives is what the endpoint has. */
export const read = about(
  "getAccountInfo",
  "getProgramAccounts",
  "getTransaction",
  "getMultipleAccounts",
  "programNotification"
)
