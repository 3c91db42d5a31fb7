/**
 * What is one endpoint's word by design. A second opinion on each would double the calls of every confirmation and every
 * read.
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

/** A status that says success is the receipt, whichever endpoint gives it. */
export const success = about("getSignatureStatuses")

const failed = about("getSignatureStatuses.value.*.err", "getSignatureStatuses=present and failed")
const absent = about("getSignatureStatuses.value")

/** A status that says that it landed and failed; and that there is none, where no other endpoint can be asked. */
export const failure = (told: Told): boolean => failed(told) || (told.endpoints === 1 && absent(told))

/** Slot and fee of a receipt are the status's, or of what was sent by an earlier process the transaction's. */
export const receipt = about("getSignatureStatuses", "getTransaction", "getSignaturesForAddress")

/** What a read gives is what the endpoint has. */
export const read = about(
  "getAccountInfo",
  "getMultipleAccounts",
  "getProgramAccounts",
  "getTransaction",
  "programNotification"
)
