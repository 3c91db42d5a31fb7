/**
 * HPKE with X25519 and ChaCha20-Poly1305 of libsodium, whose keys are bytes: the key objects of `node:crypto` cost as
 * much as its arithmetic. The ephemeral secret and the result of X25519 are in ordinary memory, and are wiped after
 * use.
 */
import * as Hpke from "../../src/internal/hpke.js"
import { type Sealed, TAG_SIZE } from "../../src/protocol/Sealed.js"
import type { Primitives } from "./sealing.js"
import * as X25519 from "./X25519.js"

/**
 * The functions of `sodium-native` in use. `crypto_scalarmult` throws for a point of small order, decryption for a
 * wrong tag.
 */
export interface Native {
  readonly randombytes_buf: (bytes: Uint8Array) => void
  readonly crypto_scalarmult_base: (publicKey: Uint8Array, secret: Uint8Array) => void
  readonly crypto_scalarmult: (shared: Uint8Array, secret: Uint8Array, publicKey: Uint8Array) => void
  readonly crypto_aead_chacha20poly1305_ietf_encrypt: (
    ciphertext: Uint8Array,
    bytes: Uint8Array,
    associated: null,
    secretNonce: null,
    nonce: Uint8Array,
    key: Uint8Array
  ) => void
  readonly crypto_aead_chacha20poly1305_ietf_decrypt: (
    bytes: Uint8Array,
    secretNonce: null,
    ciphertext: Uint8Array,
    associated: null,
    nonce: Uint8Array,
    key: Uint8Array
  ) => void
}

const SIZE = 32

export interface SodiumHpke extends Pick<Primitives, "decrypt" | "encrypt" | "hmac"> {
  readonly seal: (key: Uint8Array, info: Uint8Array, bytes: Uint8Array, ikm?: Uint8Array) => Sealed
  /** The opener of an X25519 secret. It reads the secret at each use. */
  readonly opener: (secret: Uint8Array) => X25519.Opener
}

export const make = (native: Native): SodiumHpke => {
  const encrypt: SodiumHpke["encrypt"] = (key, nonce, bytes) => {
    const ciphertext = new Uint8Array(bytes.length + TAG_SIZE)
    native.crypto_aead_chacha20poly1305_ietf_encrypt(ciphertext, bytes, null, null, nonce, key)
    return ciphertext
  }
  const decryptOrThrow = (key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array) => {
    const bytes = new Uint8Array(ciphertext.length - TAG_SIZE)
    native.crypto_aead_chacha20poly1305_ietf_decrypt(bytes, null, ciphertext, null, nonce, key)
    return bytes
  }
  const publicKeyOf = (secret: Uint8Array) => {
    const key = new Uint8Array(SIZE)
    native.crypto_scalarmult_base(key, secret)
    return key
  }
  /** The keys of a message. It computes X25519 and wipes the result. */
  const keysOf = (secret: Uint8Array, other: Uint8Array, of: Omit<Hpke.Exchange, "dh">) => {
    const dh = new Uint8Array(SIZE)
    native.crypto_scalarmult(dh, secret, other)
    const keys = Hpke.keys(X25519.hmac, { ...of, dh })
    dh.fill(0)
    return keys
  }
  return {
    hmac: X25519.hmac,
    encrypt,
    decrypt: (key, nonce, bytes) => X25519.attempt(() => decryptOrThrow(key, nonce, bytes)),
    seal: (recipientKey, info, bytes, ikm) => {
      const secret = ikm === undefined ? new Uint8Array(SIZE) : Hpke.deriveSecret(X25519.hmac, ikm)
      if (ikm === undefined) native.randombytes_buf(secret)
      const enc = publicKeyOf(secret)
      const { key, nonce } = keysOf(secret, recipientKey, { enc, recipientKey, info })
      secret.fill(0)
      return { enc, ciphertext: encrypt(key, nonce, bytes) }
    },
    opener: (secret) => {
      const recipientKey = publicKeyOf(secret)
      return {
        publicKey: recipientKey,
        open: ({ ciphertext, enc }, info) =>
          X25519.attempt(() => {
            const { key, nonce } = keysOf(secret, enc, { enc, recipientKey, info })
            return decryptOrThrow(key, nonce, ciphertext)
          })
      }
    }
  }
}
