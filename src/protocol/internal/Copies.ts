/**
 * Copies of a few bytes. Many share an allocation, each at a place of its own: a copy with one to itself takes twice the
 * memory, and is as dear again to collect.
 */

/** Bytes in an allocation: a copy that is kept for long keeps no more than these. */
const SLAB = 4096

let slab = new DataView(new ArrayBuffer(SLAB))

let used = 0

const WORD = 4

/** A copy of so many words of four bytes, from `from` on. The caller has checked that they are there. */
export const ofWords = (view: DataView, from: number, words: number): Uint8Array => {
  const size = words * WORD
  if (used + size > SLAB) {
    slab = new DataView(new ArrayBuffer(SLAB))
    used = 0
  }
  const start = used
  used += size
  for (let at = 0; at < size; at += WORD) slab.setUint32(start + at, view.getUint32(from + at))
  return new Uint8Array(slab.buffer, start, size)
}
