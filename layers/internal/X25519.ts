/**
 * HPKE over `node:crypto`: ephemeral keys, X25519, HMAC-SHA-256 and ChaCha20-Poly1305. A secret stays in a `KeyObject`.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject
} from "node:crypto"
import { BoundedCache } from "../../src/internal/BoundedCache.js"
import type { Hmac } from "../../src/internal/hkdf.js"
import * as Hpke from "../../src/internal/hpke.js"
import { type Sealed, TAG_SIZE } from "../../src/protocol/Sealed.js"

const CIPHER = "chacha20-poly1305"
const SIZE = 32

/** The bytes before the 32 bytes of an X25519 secret in PKCS #8 (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex")

export const hmac: Hmac = (key, text) => createHmac("sha256", key).update(text).digest()

/** Reading a JWK takes an eighth of the time of SPKI, and writing it a fiftieth. */
const fromJwk = (x: string): KeyObject => createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" })

const base64 = ({ buffer, byteLength, byteOffset }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64url")

const publicKeyOf = (bytes: Uint8Array): KeyObject => fromJwk(base64(bytes))

const KEPT_RECIPIENTS = 512

/** A sender seals mostly to the same recipients. */
const recipients = new BoundedCache<string, KeyObject>(KEPT_RECIPIENTS)

const recipientOf = (bytes: Uint8Array): KeyObject => {
  const x = base64(bytes)
  const known = recipients.get(x)
  if (known !== undefined) return known
  const key = fromJwk(x)
  recipients.set(x, key)
  return key
}

const privateKeyOf = (secret: Uint8Array): KeyObject => {
  const key = Buffer.concat([PKCS8, secret])
  const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" })
  key.fill(0)
  return privateKey
}

const bytesOfJwk = (jwk: unknown): Uint8Array => {
  const x = typeof jwk === "object" && jwk !== null && "x" in jwk && typeof jwk.x === "string" ? jwk.x : ""
  return new Uint8Array(Buffer.from(x, "base64url"))
}

/** The bytes of a key that was not generated: see {@link newPair}. */
const bytesOf = (key: KeyObject): Uint8Array => bytesOfJwk(key.export({ format: "jwk" }))

/** The ciphertext and its tag. */
export const encrypt = (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array): Uint8Array => {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE })
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
}

/** Throws if the tag is wrong or missing. */
const decryptOrThrow = (key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array): Uint8Array => {
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_SIZE })
  const end = ciphertext.length - TAG_SIZE
  decipher.setAuthTag(ciphertext.subarray(end))
  const bytes = decipher.update(ciphertext.subarray(0, end))
  decipher.final()
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The result of a decryption; `undefined` if it throws. */
export const attempt = (decrypt: () => Uint8Array): Uint8Array | undefined => {
  try {
    return decrypt()
  } catch {
    return undefined
  }
}

/** The plaintext; `undefined` if the tag is wrong or missing. */
export const decrypt = (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array): Uint8Array | undefined =>
  attempt(() => decryptOrThrow(key, nonce, bytes))

/** A key that opens payloads sealed to it. */
export interface Opener {
  /** The X25519 key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** The bytes; `undefined` if they do not open. */
  readonly open: (sealed: Sealed, info: Uint8Array) => Uint8Array | undefined
}

const opened = (privateKey: KeyObject, recipientKey: Uint8Array, { ciphertext, enc }: Sealed, info: Uint8Array) => {
  const dh = diffieHellman({ privateKey, publicKey: publicKeyOf(enc) })
  const { key, nonce } = Hpke.keys(hmac, { dh, enc, recipientKey, info })
  return decryptOrThrow(key, nonce, ciphertext)
}

/** The key of 32 secret bytes of X25519. */
export const fromSecret = (secret: Uint8Array): Opener => {
  const privateKey = privateKeyOf(secret)
  const recipientKey = bytesOf(createPublicKey(privateKey))
  return {
    publicKey: recipientKey,
    open: (sealed, info) =>
      sealed.ciphertext.length < TAG_SIZE ? undefined : attempt(() => opened(privateKey, recipientKey, sealed, info))
  }
}

/** The key of an Ed25519 seed: the first half of its SHA-512 is the secret of both curves. */
export const fromSeed = (seed: Uint8Array): Opener => {
  const hash = createHash("sha512").update(seed).digest()
  const opener = fromSecret(hash.subarray(0, SIZE))
  hash.fill(0)
  return opener
}

/** An ephemeral key. */
export interface Pair {
  readonly privateKey: KeyObject
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

const AS_JWK = { publicKeyEncoding: { format: "jwk" } }

/**
 * A new pair, whose public key is written while it is generated. `KeyObject.export` could block the thread for ever: Node
 * keeps a key locked while it writes a JWK, and a garbage collection at that moment waits for the same lock, to free the
 * job that generated the key.
 */
const newPair = (): Pair => {
  // The types lack the format.
  const made: { privateKey: KeyObject; publicKey: unknown } = generateKeyPairSync("x25519", AS_JWK)
  return { privateKey: made.privateKey, publicKey: bytesOfJwk(made.publicKey) }
}

/** The pair that HPKE derives from 32 secret bytes. */
export const pairFrom = (ikm: Uint8Array): Pair => {
  const secret = Hpke.deriveSecret(hmac, ikm)
  const privateKey = privateKeyOf(secret)
  secret.fill(0)
  return { privateKey, publicKey: bytesOf(createPublicKey(privateKey)) }
}

/** Encrypts to an X25519 key with an ephemeral key. */
export const seal = (
  recipientKey: Uint8Array,
  info: Uint8Array,
  bytes: Uint8Array,
  { privateKey, publicKey: enc }: Pair = newPair()
): Sealed => {
  const dh = diffieHellman({ privateKey, publicKey: recipientOf(recipientKey) })
  const { key, nonce } = Hpke.keys(hmac, { dh, enc, recipientKey, info })
  return { enc, ciphertext: encrypt(key, nonce, bytes) }
}
