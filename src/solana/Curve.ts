/**
 * Tests whether bytes are a point of the Ed25519 curve. Public keys are on the curve; program-derived addresses are
 * not.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import { BoundedCache } from "../internal/BoundedCache.js"
import * as Addresses from "./Address.js"
import { kernel } from "./internal/kernel.js"
import { fromEd25519 } from "./internal/montgomery.js"

/** Results in one generation of the cache. An agent writes mostly to the same recipients. */
const CACHED_ANSWERS = 4096

const answers = new BoundedCache<Address, boolean>(CACHED_ANSWERS)

/**
 * Whether the 32 bytes decompress to a point of the Ed25519 curve by the rules of Solana's runtime. The runtime reduces
 * the coordinate modulo the field's prime, and ignores the sign bit if x is zero. A program-derived address must not be
 * on the curve.
 *
 * For encodings of x = 0 with the sign bit set, Kit returns false; the runtime and this function return true. No known
 * hash is such an encoding.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isOnCurve = (bytes: Uint8Array): boolean => bytes.length === 32 && kernel().isOnCurve(bytes)

/**
 * As {@link isOnCurve}, for an address: true for a wallet, false for a program-derived address. A cache keeps the
 * results.
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

const montgomery = new BoundedCache<Address, Uint8Array | null>(CACHED_ANSWERS)

/**
 * The X25519 public key (32 bytes) of a wallet's address, for sealing to it. `undefined` if the address is not a point of
 * the large prime order. Such addresses are program-derived addresses, the System program, and points with a component
 * of small order. A cache keeps the results.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toX25519 = (address: Address): Uint8Array | undefined => {
  const known = montgomery.get(address)
  if (known !== undefined) return known ?? undefined
  const key = fromEd25519(Addresses.toBytes(address))
  montgomery.set(address, key ?? null)
  return key
}
