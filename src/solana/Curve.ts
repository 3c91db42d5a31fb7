/**
 * The question that separates keys from program-derived addresses: is it a point of the Ed25519 curve?
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Addresses from "./Address.js"
import { BoundedCache } from "../internal/BoundedCache.js"
import { kernel } from "./internal/kernel.js"

/** Answers in a generation of the cache: those whom an agent writes to are mostly the same. */
const CACHED_ANSWERS = 4096

const answers = new BoundedCache<Address, boolean>(CACHED_ANSWERS)

/**
 * Whether the 32 bytes decompress to a point of the Ed25519 curve, as Solana's runtime decides it: the coordinate is
 * taken modulo the field's prime, and the sign bit is not looked at where x is zero. A program-derived address must
 * not be one.
 *
 * Kit says no for the encodings of x = 0 with the sign bit set; the runtime, and so this function, says yes. No hash
 * is known to meet them.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isOnCurve = (bytes: Uint8Array): boolean => bytes.length === 32 && kernel().isOnCurve(bytes)

/**
 * As {@link isOnCurve}, of an address: true for a wallet's, false for a program-derived one. Answers are remembered, so
 * that the second for the same address is a look-up.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isKey = (address: Address): boolean => {
  const known = answers.get(address)
  if (known !== undefined) return known
  const answer = isOnCurve(Addresses.toBytes(address))
  answers.set(address, answer)
  return answer
}
