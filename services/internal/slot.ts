/**
 * Slots in replies and parameters.
 */
import type { Slot } from "@solana/kit"

/** A slot as JSON carries it. */
export const slotFrom = (value: unknown): Slot | undefined => {
  if (typeof value === "bigint") return value
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined
}

/** A slot as a number where that is exact: a call that holds a bigint is written at half the speed. */
export const slotParam = (slot: Slot | undefined): Slot | number | undefined =>
  slot === undefined || slot > Number.MAX_SAFE_INTEGER ? slot : Number(slot)
