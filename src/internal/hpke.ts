/**
 * The key schedule of HPKE (RFC 9180) in base mode for DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305: from
 * the Diffie-Hellman result to the key and nonce of the first message. The caller passes HMAC, so that each platform
 * uses its own implementation.
 */

import type { Hmac } from "./hkdf.js"

export interface Exchange {
  /** The result of X25519, 32 bytes. */
  readonly dh: Uint8Array
  /** The sender's ephemeral public key. */
  readonly enc: Uint8Array
  readonly recipientKey: Uint8Array
  readonly info: Uint8Array
}

export interface Keys {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 12 bytes. */
  readonly nonce: Uint8Array
}

const utf8 = new TextEncoder()
const EMPTY = new Uint8Array(0)
const VERSION = utf8.encode("HPKE-v1")
const KEM = Uint8Array.of(...utf8.encode("KEM"), 0x00, 0x20)
const SUITE = Uint8Array.of(...utf8.encode("HPKE"), 0x00, 0x20, 0x00, 0x01, 0x00, 0x03)
const BASE_MODE = Uint8Array.of(0)
const FIRST_BLOCK = Uint8Array.of(1)

const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const extract = (hmac: Hmac, suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array =>
  hmac(salt, concat(VERSION, suite, utf8.encode(label), ikm))

/** At most 32 bytes: one block of HKDF-Expand. */
const expand = (hmac: Hmac, suite: Uint8Array, secret: Uint8Array, label: string, info: Uint8Array, size: number) =>
  hmac(secret, concat(Uint8Array.of(0, size), VERSION, suite, utf8.encode(label), info, FIRST_BLOCK)).subarray(0, size)

/** `DeriveKeyPair`: the X25519 secret for 32 secret bytes. */
export const deriveSecret = (hmac: Hmac, ikm: Uint8Array): Uint8Array =>
  expand(hmac, KEM, extract(hmac, KEM, EMPTY, "dkp_prk", ikm), "sk", EMPTY, 32)

/** Base mode has no pre-shared key, so the hash of its empty id is constant. */
let noPskId: Uint8Array | undefined

/** The key and the nonce of a message. */
export const keys = (hmac: Hmac, { dh, enc, info, recipientKey }: Exchange): Keys => {
  const eae = extract(hmac, KEM, EMPTY, "eae_prk", dh)
  const shared = expand(hmac, KEM, eae, "shared_secret", concat(enc, recipientKey), 32)
  const context = concat(
    BASE_MODE,
    (noPskId ??= extract(hmac, SUITE, EMPTY, "psk_id_hash", EMPTY)),
    extract(hmac, SUITE, EMPTY, "info_hash", info)
  )
  const secret = extract(hmac, SUITE, shared, "secret", EMPTY)
  return {
    key: expand(hmac, SUITE, secret, "key", context, 32),
    nonce: expand(hmac, SUITE, secret, "base_nonce", context, 12)
  }
}
