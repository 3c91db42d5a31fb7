/**
 * Shared code of the layers of `Sealing`: checks the recipient's key, derives the keying material of the ephemeral key,
 * and encrypts with shared keys.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Random from "../../services/internal/random.js"
import type { Service } from "../../services/Sealing.js"
import type * as Wallet from "../../services/Wallet.js"
import * as Check from "../../src/internal/check.js"
import type { Hmac } from "../../src/internal/hkdf.js"
import * as SharedKey from "../../src/internal/sharedKey.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Sealed from "../../src/protocol/Sealed.js"
import * as SealingKey from "../../src/protocol/SealingKey.js"
import * as Curve from "../../src/solana/Curve.js"

const RULE = "must be a wallet's key of the large prime order: nobody could open a payload sealed to another address"

/** The cryptographic functions of a platform. */
export interface Primitives {
  readonly hmac: Hmac
  /**
   * Encrypts to an X25519 key. The ephemeral key is derived from the keying material `ikm`; without it, the key is
   * random.
   */
  readonly sealTo: (
    key: Uint8Array,
    info: Uint8Array,
    bytes: Uint8Array,
    ikm?: Uint8Array
  ) => Effect.Effect<Sealed.Sealed>
  /** ChaCha20-Poly1305: the ciphertext and its tag. */
  readonly encrypt: (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array) => Uint8Array
  /** The plaintext; `undefined` if the tag is wrong. */
  readonly decrypt: (key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array) => Uint8Array | undefined
}

const keyOf = (recipient: Parameters<Service["seal"]>[0]): Either.Either<Uint8Array, InvalidInput> => {
  if (typeof recipient !== "string") return SealingKey.check(recipient, "recipient")
  const key = Curve.toX25519(recipient)
  return key === undefined ? Either.left(new InvalidInput({ field: "recipient", rule: RULE })) : Either.right(key)
}

export const make = ({ decrypt, encrypt, hmac, sealTo }: Primitives): Service => ({
  seal: (recipient, info, bytes, derive) =>
    Effect.flatMap(
      Effect.suspend(() => keyOf(recipient)),
      (key) =>
        derive === undefined
          ? sealTo(key, info, bytes)
          : Effect.flatMap(derive(Sealed.ephemeralContext(key, info, bytes)), (ikm) =>
              sealTo(key, info, bytes, Redacted.value(ikm))
            )
    ),
  encrypt: (key, info, bytes) =>
    Effect.sync(() => {
      const nonce = Random.unsafeBytes(SharedKey.NONCE_SIZE)
      const ciphertext = encrypt(SharedKey.cipherKey(hmac, Redacted.value(key), info), nonce, bytes)
      const whole = new Uint8Array(nonce.length + ciphertext.length)
      whole.set(nonce)
      whole.set(ciphertext, nonce.length)
      return whole
    }),
  decrypt: (key, info, bytes) =>
    Effect.sync(() => {
      if (bytes.length < SharedKey.NONCE_SIZE + SharedKey.TAG_SIZE) return Option.none()
      const nonce = bytes.subarray(0, SharedKey.NONCE_SIZE)
      const cipherKey = SharedKey.cipherKey(hmac, Redacted.value(key), info)
      return Option.fromNullable(decrypt(cipherKey, nonce, bytes.subarray(SharedKey.NONCE_SIZE)))
    })
})

/** The secret of a key to publish. */
export const generateKey: Effect.Effect<Redacted.Redacted<Uint8Array>> = Effect.sync(() =>
  Redacted.make(Random.unsafeBytes(SealingKey.SIZE))
)

const MAX_KEYS = 16

/** The 32 bytes of a secret. */
export const secretBytes = (
  field: string,
  secret: Redacted.Redacted<Uint8Array>
): Either.Either<Uint8Array, InvalidInput> => {
  const bytes = Redacted.value(secret)
  return bytes instanceof Uint8Array && bytes.length === SealingKey.SIZE
    ? Either.right(bytes)
    : Either.left(new InvalidInput({ field, rule: `must be ${SealingKey.SIZE} bytes` }))
}

type Open = (sealed: Sealed.Sealed, info: Uint8Array) => Effect.Effect<Uint8Array | undefined>

/** Adds published keys to the wallet. It tries them in turn. */
export const withKeys = (
  wallet: Wallet.Service,
  secrets: ReadonlyArray<Redacted.Redacted<Uint8Array>>,
  opener: (secret: Uint8Array) => Open
): Effect.Effect<Wallet.Service, InvalidInput> =>
  Effect.gen(function* () {
    yield* Check.integer("secrets", secrets.length, 1, MAX_KEYS)
    const all = yield* Either.all(secrets.map((secret, index) => secretBytes(`secrets[${index}]`, secret)))
    const openers = all.map(opener)
    return {
      ...wallet,
      unsealPublished: (sealed, info) =>
        Effect.gen(function* () {
          for (const open of openers) {
            const bytes = yield* open(sealed, info)
            if (bytes !== undefined) return Option.some(bytes)
          }
          return Option.none()
        })
    }
  })
