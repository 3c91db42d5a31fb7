/**
 * HKDF-SHA256 with an output of 32 bytes, which is one block. The caller passes HMAC, so that each platform uses its
 * own implementation.
 */

/** HMAC-SHA-256 of one text. */
export type Hmac = (key: Uint8Array, text: Uint8Array) => Uint8Array

export const derive = (hmac: Hmac, salt: Uint8Array, secret: Uint8Array, info: Uint8Array): Uint8Array => {
  const text = new Uint8Array(info.length + 1)
  text.set(info)
  text[info.length] = 1
  return hmac(hmac(salt, secret), text)
}
