/** Unpredictable numbers from WebCrypto. Effect's `Random` may have the same seed in two processes. */
import * as Effect from "effect/Effect"
import * as Hex from "./hex.js"

/** Bytes drawn in advance, because a call to WebCrypto costs more than its bytes. Each byte is used once. */
const drawn = new Uint8Array(4096)
let used = drawn.length

/** Reserves bytes, at most 4096, and returns their position. The caller reads and clears them. */
const reserve = (length: number): number => {
  if (used + length > drawn.length) {
    globalThis.crypto.getRandomValues(drawn)
    used = 0
  }
  used += length
  return used - length
}

/** `length` random bytes, at most 4096. */
export const unsafeBytes = (length: number): Uint8Array<ArrayBuffer> => {
  const start = reserve(length)
  const bytes = drawn.slice(start, used)
  drawn.fill(0, start, used)
  return bytes
}

/** `length` random bytes in hexadecimal, at most 4096. */
export const unsafeHex = (length: number): string => {
  const start = reserve(length)
  const text = Hex.encode(drawn.subarray(start, used))
  drawn.fill(0, start, used)
  return text
}

const view = new DataView(drawn.buffer)

/** A random number from 0 to 1, without 1, in steps of 2^-32. */
export const unsafeShare = (): number => {
  const start = reserve(4)
  const share = view.getUint32(start) / 2 ** 32
  view.setUint32(start, 0)
  return share
}

/** A random u64. */
export const u64: Effect.Effect<bigint> = Effect.sync(() => new DataView(unsafeBytes(8).buffer).getBigUint64(0))
