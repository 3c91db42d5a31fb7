/**
 * The question that separates keys from program-derived addresses: is it a point of the Ed25519 curve?
 *
 * @since 0.1.0
 */
import { kernel } from "./internal/kernel.js"

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
