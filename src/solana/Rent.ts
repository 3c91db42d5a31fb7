/**
 * The rent-exempt minimum: two years of rent at the rates of every public cluster.
 *
 * @since 0.1.0
 */

/** Bytes that an account occupies besides its data. */
const OVERHEAD_BYTES = 128n

/** Two years at 3480 lamports per byte-year. */
const LAMPORTS_PER_BYTE = 6960n

/**
 * The rent-exempt minimum in lamports for `bytes` bytes of data: (128 + bytes) × 6960.
 *
 * @since 0.1.0
 * @category conversions
 */
export const minimum = (bytes: number | bigint): bigint => (OVERHEAD_BYTES + BigInt(bytes)) * LAMPORTS_PER_BYTE
