/**
 * Bytes that share an allocation with others, each at a place of its own: with one to itself a short array takes twice the
 * memory, is twice as long in the making, and is as dear again to collect.
 */

/** Bytes in an allocation: an array that is kept for long keeps no more than these. */
const SLAB = 4096

/** Longer ones have an allocation to themselves. */
const MAX_SHARED = 512

let slab = new DataView(new ArrayBuffer(SLAB))

let used = 0

const WORD = 4

/** Takes so many bytes, and says where they begin in `slab`. */
const take = (size: number): number => {
  // An allocation that somebody has transferred to another thread has no bytes left.
  if (used + size > slab.buffer.byteLength) {
    slab = new DataView(new ArrayBuffer(SLAB))
    used = 0
  }
  const start = used
  used += (size + WORD - 1) & -WORD
  return start
}

/** A copy of the first bytes. */
export const copy = (bytes: Uint8Array, size = bytes.length): Uint8Array => {
  if (size > MAX_SHARED) return bytes.slice(0, size)
  const start = take(size)
  const copied = new Uint8Array(slab.buffer, start, size)
  copied.set(size === bytes.length ? bytes : bytes.subarray(0, size))
  return copied
}

/** A copy of so many words of four bytes, from `from` on. The caller has checked that they are there. */
export const copyWords = (view: DataView, from: number, words: number): Uint8Array => {
  const size = words * WORD
  const start = take(size)
  for (let at = 0; at < size; at += WORD) slab.setUint32(start + at, view.getUint32(from + at))
  return new Uint8Array(slab.buffer, start, size)
}
