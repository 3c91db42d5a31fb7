/** Forms of an Ed25519 secret key: the 32 bytes of its seed, and PKCS #8. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { InvalidInput } from "../../src/InvalidInput.js"

/** The bytes before the 32 seed bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20
)

/** Bytes of the seed, which are the last ones of the PKCS #8 form. */
export const SEED_SIZE = 32

/** A secret key in the two forms that cryptographic libraries import. */
export interface KeyMaterial {
  /** The private half as PKCS #8. The caller must overwrite it after the import. */
  readonly pkcs8: Uint8Array<ArrayBuffer>
  readonly publicKey: Uint8Array<ArrayBuffer>
}

/** Splits Solana's 64 secret bytes: 32 of seed, then 32 of public key. */
export const split = (secretKey: Redacted.Redacted<Uint8Array>): Either.Either<KeyMaterial, InvalidInput> => {
  const bytes = Redacted.value(secretKey)
  if (bytes.length !== 64) {
    const rule = "must be 64 bytes: seed, then public key"
    return Either.left(new InvalidInput({ field: "secretKey", rule, size: bytes.length }))
  }
  const pkcs8 = new Uint8Array(PKCS8_PREFIX.length + SEED_SIZE)
  pkcs8.set(PKCS8_PREFIX)
  pkcs8.set(bytes.subarray(0, SEED_SIZE), PKCS8_PREFIX.length)
  return Either.right({ pkcs8, publicKey: Uint8Array.from(bytes.subarray(SEED_SIZE)) })
}

/** The error for two halves that belong to different keys. */
export const mismatch = (field: string): InvalidInput =>
  new InvalidInput({ field, rule: "its public half must be the public key of its private half" })
