/** Converts slots from replies and for parameters. */
import type { Slot } from "@solana/kit"

/** Reads a slot from a parsed JSON value; `undefined` for any other value. */
export const slotFrom = (value: unknown): Slot | undefined => {
  if (typeof value === "bigint") return value
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined
}

/** A slot as a number if that is exact. JSON with a bigint takes twice as long to write. */
export const slotParam = (slot: Slot | undefined): Slot | number | undefined =>
  slot === undefined || slot > Number.MAX_SAFE_INTEGER ? slot : Number(slot)
