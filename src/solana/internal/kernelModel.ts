/** What a kernel of the heavy arithmetic computes. */

/** SHA-256, the curve test and the search that joins them. Not reentrant, as nothing in it waits. */
export interface Kernel {
  /** SHA-256 of the parts, one behind the other: less than 4 GiB in all. */
  readonly sha256: (parts: ReadonlyArray<Uint8Array>) => Uint8Array
  /** Whether 32 bytes decompress to a point of the Ed25519 curve. */
  readonly isOnCurve: (bytes: Uint8Array) => boolean
  /**
   * Tries bump seeds from 255 down to 1 and returns the first whose address is off the curve, or 0. The address is then
   * in `digest`. The caller has checked the seeds.
   */
  readonly findBump: (seeds: ReadonlyArray<Uint8Array>, program: Uint8Array) => number
  /** Result of the last `findBump`; the next call of the kernel overwrites it. */
  readonly digest: Uint8Array
}
