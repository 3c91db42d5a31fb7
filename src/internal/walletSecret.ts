/** HKDF-SHA256 of the seed of a wallet. Each source of a wallet must give the same bytes for the same context. */
import type { Hmac } from "./hpke.js"

/** Apart from the other uses of a seed: signing and X25519 take its SHA-512. */
const SALT = new TextEncoder().encode("PoD wallet secret 1")

/** 32 secret bytes: one block of HKDF-Expand. */
export const derive = (hmac: Hmac, seed: Uint8Array, context: Uint8Array): Uint8Array =>
  hmac(hmac(SALT, seed), Uint8Array.of(...context, 1))
