/**
 * HPKE on platforms without `node:crypto`. X25519 comes from WebCrypto, or from `@noble/curves` if WebCrypto lacks it.
 * ChaCha20-Poly1305, which WebCrypto always lacks, comes from `@noble/ciphers`.
 */
import { hmac as nobleHmac } from "@noble/hashes/hmac.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "../../services/internal/random.js"
import { SealedError } from "../../services/Sealing.js"
import type { Hmac } from "../../src/internal/hkdf.js"
import * as Hpke from "../../src/internal/hpke.js"
import { type Sealed, TAG_SIZE } from "../../src/protocol/Sealed.js"

const SIZE = 32

/** The base point: X25519 of a secret and the base point is the public key. */
const BASE = Uint8Array.of(9, ...new Uint8Array(SIZE - 1))

/** The bytes before the 32 bytes of an X25519 secret in PKCS #8 (RFC 8410). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20)

const X25519 = { name: "X25519" } as const

export const hmac: Hmac = (key, text) => nobleHmac(sha256, key, text)

/** X25519 of a secret and a public key. Rejects for a key of small order. */
export type Exchange = (secret: Uint8Array, publicKey: Uint8Array) => Promise<Uint8Array>

/** ChaCha20-Poly1305 with a key and a nonce, the interface of `@noble/ciphers`. */
export type Cipher = (
  key: Uint8Array,
  nonce: Uint8Array
) => {
  readonly encrypt: (bytes: Uint8Array) => Uint8Array
  readonly decrypt: (bytes: Uint8Array) => Uint8Array
}

interface Ciphers {
  readonly chacha20poly1305: Cipher
}

const isCiphers = (module: unknown): module is Ciphers =>
  Predicate.hasProperty(module, "chacha20poly1305") && typeof module.chacha20poly1305 === "function"

/** Typed as `string`, so that bundlers do not follow the import of a package that may not be installed. */
const CIPHERS: string = "@noble/ciphers/chacha.js"

export interface Hpke25519 {
  readonly seal: (key: Uint8Array, info: Uint8Array, bytes: Uint8Array, ikm?: Uint8Array) => Promise<Sealed>
  /** The bytes; `undefined` if they do not open. */
  readonly open: (secret: Uint8Array, sealed: Sealed, info: Uint8Array) => Promise<Uint8Array | undefined>
  /** The X25519 key of a secret. */
  readonly publicKey: (secret: Uint8Array) => Promise<Uint8Array>
  readonly encrypt: (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array) => Uint8Array
  /** `undefined` if the tag is wrong. */
  readonly decrypt: (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array) => Uint8Array | undefined
}

const webExchange: Exchange = async (secret, publicKey) => {
  const { subtle } = globalThis.crypto
  const pkcs8 = Uint8Array.of(...PKCS8, ...secret)
  const [own, other] = await Promise.all([
    subtle.importKey("pkcs8", pkcs8, X25519, false, ["deriveBits"]),
    subtle.importKey("raw", Uint8Array.from(publicKey), X25519, false, [])
  ])
  pkcs8.fill(0)
  return new Uint8Array(await subtle.deriveBits({ ...X25519, public: other }, own, SIZE * 8))
}

const missing = (detail: string) => (cause: unknown) => new SealedError({ reason: "MissingPackage", detail, cause })

/** X25519 by `@noble/curves`. */
export const nobleExchange: Effect.Effect<Exchange, SealedError> = Effect.tryPromise({
  try: () => import("@noble/curves/ed25519.js"),
  catch: missing("@noble/curves 2.4.0")
}).pipe(
  Effect.map(
    ({ x25519 }): Exchange =>
      (secret, publicKey) =>
        Promise.resolve().then(() => x25519.getSharedSecret(secret, publicKey))
  )
)

/** X25519 by WebCrypto if a trial succeeds, else by `@noble/curves`. */
export const exchange: Effect.Effect<Exchange, SealedError> = Effect.tryPromise(() => webExchange(BASE, BASE)).pipe(
  Effect.as(webExchange),
  Effect.orElse(() => nobleExchange)
)

/** ChaCha20-Poly1305 of the optional package. */
export const cipher: Effect.Effect<Cipher, SealedError> = Effect.tryPromise({
  try: (): Promise<unknown> => import(CIPHERS),
  catch: missing("@noble/ciphers 2.4.0")
}).pipe(
  Effect.filterOrFail(isCiphers, () => missing("@noble/ciphers 2.4.0")(undefined)),
  Effect.map(({ chacha20poly1305 }) => chacha20poly1305)
)

export const make = (exchange: Exchange, cipher: Cipher): Hpke25519 => ({
  publicKey: (secret) => exchange(secret, BASE),
  encrypt: (key, nonce, bytes) => cipher(key, nonce).encrypt(bytes),
  decrypt: (key, nonce, bytes) => {
    try {
      return cipher(key, nonce).decrypt(bytes)
    } catch {
      return undefined
    }
  },
  seal: async (recipientKey, info, bytes, ikm) => {
    const secret = ikm === undefined ? Random.unsafeBytes(SIZE) : Hpke.deriveSecret(hmac, ikm)
    const [enc, dh] = await Promise.all([exchange(secret, BASE), exchange(secret, recipientKey)])
    secret.fill(0)
    const { key, nonce } = Hpke.keys(hmac, { dh, enc, recipientKey, info })
    return { enc, ciphertext: cipher(key, nonce).encrypt(bytes) }
  },
  open: async (secret, { ciphertext, enc }, info) => {
    if (ciphertext.length < TAG_SIZE) return undefined
    try {
      const [recipientKey, dh] = await Promise.all([exchange(secret, BASE), exchange(secret, enc)])
      const { key, nonce } = Hpke.keys(hmac, { dh, enc, recipientKey, info })
      return cipher(key, nonce).decrypt(ciphertext)
    } catch {
      return undefined
    }
  }
})

/** The X25519 secret of an Ed25519 seed. */
export const secretOf = (seed: Uint8Array): Uint8Array => sha512(seed).subarray(0, SIZE)
