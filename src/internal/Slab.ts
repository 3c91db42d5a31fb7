/**
 * Allocates short byte arrays in shared 4 KiB buffers. A short array with a buffer of its own costs twice the memory,
 * twice the allocation time and twice the garbage-collection time.
 *
 * Invariants: two arrays never overlap; an array keeps at most one 4 KiB buffer alive; after a transfer of a buffer to
 * another thread, the next allocation starts a new one.
 */

/** Bytes of a shared buffer: the most that a long-lived short array keeps alive. */
const SLAB = 4096

/** Longer arrays get a buffer of their own. */
const MAX_SHARED = 512

let slab = new DataView(new ArrayBuffer(SLAB))

let used = 0

const WORD = 4

/** Reserves `size` bytes and returns their offset in `slab`. */
const take = (size: number): number => {
  // A buffer that was transferred to another thread has length 0.
  if (used + size > slab.buffer.byteLength) {
    slab = new DataView(new ArrayBuffer(SLAB))
    used = 0
  }
  const start = used
  used += (size + WORD - 1) & -WORD
  return start
}

/** Returns a copy of the first `size` bytes. */
export const copy = (bytes: Uint8Array, size = bytes.length): Uint8Array => {
  if (size > MAX_SHARED) return bytes.slice(0, size)
  const start = take(size)
  const copied = new Uint8Array(slab.buffer, start, size)
  copied.set(size === bytes.length ? bytes : bytes.subarray(0, size))
  return copied
}

/** Returns a copy of `words` 32-bit words from offset `from`. The caller has checked that the view holds them. */
export const copyWords = (view: DataView, from: number, words: number): Uint8Array => {
  const size = words * WORD
  const start = take(size)
  for (let at = 0; at < size; at += WORD) slab.setUint32(start + at, view.getUint32(from + at))
  return new Uint8Array(slab.buffer, start, size)
}
