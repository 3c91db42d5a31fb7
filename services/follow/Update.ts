/** What those hear who follow a part of the chain through lost subscriptions. */
import type { Address, Slot } from "@solana/kit"
import { model } from "../../src/internal/jsonable.js"

/**
 * What a follower is told.
 *
 * - `Value`: as it is at the slot.
 * - `Gone`: the account was closed, or its data no longer passes the filters.
 * - `Gap`: the subscription was lost after `from` and stands again at `to`, or a notification between them was lost. The
 *   state at `to` follows; versions in between may have been passed over. Of logs, those between that could not be read are
 *   missing.
 *
 * Of one account they come in the order of slots; one whose notification was lost comes late, after those of others.
 */
export type Update<A> =
  | { readonly _tag: "Value"; readonly slot: Slot; readonly value: A }
  | { readonly _tag: "Gone"; readonly slot: Slot; readonly address: Address }
  | { readonly _tag: "Gap"; readonly from: Slot; readonly to: Slot }

export const value = <A>(slot: Slot, value: A): Update<A> => model({ _tag: "Value", slot, value })

export const gone = (slot: Slot, address: Address): Update<never> => model({ _tag: "Gone", slot, address })

export const gap = (from: Slot, to: Slot): Update<never> => model({ _tag: "Gap", from, to })
