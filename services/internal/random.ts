/**
 * Numbers that nobody else draws, from WebCrypto: Effect's `Random` may be seeded alike in two processes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/** So many random bytes. */
export const bytes = (length: number): Effect.Effect<Uint8Array> =>
  Effect.sync(() => globalThis.crypto.getRandomValues(new Uint8Array(length)))

/** A random u64. */
export const u64: Effect.Effect<bigint> = Effect.map(bytes(8), ({ buffer }) => new DataView(buffer).getBigUint64(0))
