/** Derives cipher keys from a shared secret. Every platform must derive the same keys. */
import * as Hkdf from "./hkdf.js"

/** Bytes of the random nonce before a ciphertext, and of the tag at its end. */
export const NONCE_SIZE = 12
export const TAG_SIZE = 16

const SALT = new TextEncoder().encode("PoD shared key 1")

/** The cipher key for one `info`, 32 bytes. */
export const cipherKey = (hmac: Hkdf.Hmac, secret: Uint8Array, info: Uint8Array): Uint8Array =>
  Hkdf.derive(hmac, SALT, secret, info)
