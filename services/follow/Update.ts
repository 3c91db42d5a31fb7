/** The updates that a follower emits, across reconnections. */
import type { Address, Slot } from "@solana/kit"
import { model } from "../../src/internal/jsonable.js"

/**
 * An update that a follower emits.
 *
 * - `Value`: the account or the logs at the slot.
 * - `Gone`: the account was closed, or its data no longer passes the filters.
 * - `Gap`: updates between the slots `from` and `to` may be missing, because the subscription was lost or a notification
 *   did not arrive. The accounts as of `to` follow. For logs, transactions that could not be read are missing.
 *
 * The updates of one account are in the order of slots. A change whose notification was lost is emitted late, after
 * updates of other accounts.
 *
 * @since 0.1.0
 * @category models
 */
export type Update<A> =
  | { readonly _tag: "Value"; readonly slot: Slot; readonly value: A }
  | { readonly _tag: "Gone"; readonly slot: Slot; readonly address: Address }
  | { readonly _tag: "Gap"; readonly from: Slot; readonly to: Slot }

export const value = <A>(slot: Slot, value: A): Update<A> => model({ _tag: "Value", slot, value })

export const gone = (slot: Slot, address: Address): Update<never> => model({ _tag: "Gone", slot, address })

export const gap = (from: Slot, to: Slot): Update<never> => model({ _tag: "Gap", from, to })
