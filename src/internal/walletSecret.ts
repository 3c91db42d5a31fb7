/**
 * Derives secrets from a wallet's seed. Every implementation of a wallet must give the same bytes for the same context.
 */
import * as Hkdf from "./hkdf.js"

/** Separates these secrets from the other uses of a seed: signing and X25519 use its SHA-512. */
const SALT = new TextEncoder().encode("PoD wallet secret 1")

/** 32 secret bytes. */
export const derive = (hmac: Hkdf.Hmac, seed: Uint8Array, context: Uint8Array): Uint8Array =>
  Hkdf.derive(hmac, SALT, seed, context)
