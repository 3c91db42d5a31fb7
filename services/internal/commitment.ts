/** Compares the status of a transaction with a commitment. */
import type { Commitment } from "@solana/kit"
import * as Option from "effect/Option"

const RANK: { readonly [C in Commitment]: number } = { processed: 0, confirmed: 1, finalized: 2 }

/** The status of a signature in a reply. */
interface Status {
  readonly confirmationStatus: Option.Option<Commitment>
  readonly confirmations: Option.Option<unknown>
}

/** Nodes before 1.7 report no commitment. Their `confirmations` are null once a transaction is finalized. */
const commitmentOf = ({ confirmationStatus, confirmations }: Status): Commitment =>
  Option.getOrElse(confirmationStatus, () => (Option.isNone(confirmations) ? "finalized" : "processed"))

/** Whether a status is at the commitment or above it. */
export const reached = (status: Status, commitment: Commitment): boolean =>
  RANK[commitmentOf(status)] >= RANK[commitment]
