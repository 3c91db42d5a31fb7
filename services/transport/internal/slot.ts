/**
 * Slots in replies and parameters.
 */
import type { Slot } from "@solana/kit"

/** A slot as JSON carries it. */
export const slotFrom = (value: unknown): Slot | undefined => {
  if (typeof value === "bigint") return value
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined
}
