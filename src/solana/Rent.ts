/**
 * What an account has to hold to stay: two years of rent, by the figures that every public cluster has.
 *
 * @since 0.1.0
 */

/** Bytes that an account takes besides its data. */
const OVERHEAD_BYTES = 128n

/** Two years at 3480 lamports a byte and year. */
const LAMPORTS_PER_BYTE = 6960n

/**
 * Lamports that an account of so many bytes of data has to hold: (128 + bytes) × 6960.
 *
 * @since 0.1.0
 * @category conversions
 */
export const minimum = (bytes: number | bigint): bigint => (OVERHEAD_BYTES + BigInt(bytes)) * LAMPORTS_PER_BYTE
