/** The interface of a kernel: SHA-256, the curve test, and the search for program-derived addresses. */

/**
 * A kernel reuses its memory between calls. This is safe because every function is synchronous and none calls back into
 * the caller.
 */
export interface Kernel {
  /** SHA-256 of the concatenated parts, less than 4 GiB in total. */
  readonly sha256: (parts: ReadonlyArray<Uint8Array>) => Uint8Array
  /** Whether 32 bytes decompress to a point of the Ed25519 curve. */
  readonly isOnCurve: (bytes: Uint8Array) => boolean
  /**
   * Tries bump seeds from 255 down to 1. Returns the first bump whose address is off the curve, or 0. The address is
   * then in `digest`. The caller has checked the seeds.
   */
  readonly findBump: (seeds: ReadonlyArray<Uint8Array>, program: Uint8Array) => number
  /** The result of the last `findBump`. The next call of the kernel overwrites it. */
  readonly digest: Uint8Array
}
