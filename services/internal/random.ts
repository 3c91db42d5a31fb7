/** Unpredictable numbers from WebCrypto. Effect's `Random` may have the same seed in two processes. */
import * as Effect from "effect/Effect"

/** Bytes drawn in advance, because a call to WebCrypto costs more than its bytes. Each byte is used once. */
const drawn = new Uint8Array(4096)
let used = drawn.length

/** `length` random bytes, at most 4096. */
export const unsafeBytes = (length: number): Uint8Array => {
  if (used + length > drawn.length) {
    globalThis.crypto.getRandomValues(drawn)
    used = 0
  }
  const bytes = drawn.slice(used, used + length)
  drawn.fill(0, used, used + length)
  used += length
  return bytes
}

/** A random u64. */
export const u64: Effect.Effect<bigint> = Effect.sync(() => new DataView(unsafeBytes(8).buffer).getBigUint64(0))
