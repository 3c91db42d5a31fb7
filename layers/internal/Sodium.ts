/**
 * Ed25519 and HPKE by libsodium, if the package `sodium-native` is installed. It signs in two thirds of the time of
 * `node:crypto`.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as WalletSecret from "../../src/internal/walletSecret.js"
import * as Signature from "../../src/solana/Signature.js"
import type { SigningKey } from "./SigningKey.js"
import * as SodiumHpke from "./SodiumHpke.js"
import * as X25519 from "./X25519.js"

/** Typed as `string`, so that bundlers do not follow the import: they cannot bundle the native part. */
const PACKAGE: string = "sodium-native"

/** The functions of `sodium-native` in use. */
interface Native extends SodiumHpke.Native {
  /** Zeroed memory between guard pages. It is never swapped out, and is wiped on garbage collection. */
  readonly sodium_malloc: (size: number) => Buffer
  readonly sodium_mprotect_readonly: (memory: Buffer) => void
  readonly sodium_mprotect_readwrite: (memory: Buffer) => void
  readonly crypto_sign_keypair: (publicKey: Uint8Array, secretKey: Uint8Array) => void
  readonly crypto_sign_seed_keypair: (publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array) => void
  readonly crypto_sign_ed25519_sk_to_curve25519: (secret: Uint8Array, secretKey: Uint8Array) => void
  readonly crypto_sign_detached: (signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array) => void
}

const SECRET_KEY_SIZE = 64

/** The seed is the first half of a secret key. */
const SEED_SIZE = 32

const X25519_SIZE = 32

/** Keys in one page of 4096 bytes. A process has about ten thousand mappings, too few for one page per key. */
const KEYS_PER_PAGE = 64

/** Creates keys with a secret half that never leaves protected memory. */
export interface Sodium {
  readonly generate: () => SigningKey
  readonly fromSeed: (seed: Uint8Array) => SigningKey
  readonly hpke: SodiumHpke.SodiumHpke
  /** As `SodiumHpke.opener`, with a copy of the secret in protected memory. */
  readonly opener: (secret: Uint8Array) => X25519.Opener
}

const make = (native: Native): Sodium => {
  const hpke = SodiumHpke.make(native)
  let page: Buffer = Buffer.alloc(0)
  let used = KEYS_PER_PAGE

  /** Lets `write` write a secret into memory, then makes the memory read-only. */
  const protect = (write: (slot: Buffer) => void): Buffer => {
    if (used === KEYS_PER_PAGE) {
      page = native.sodium_malloc(KEYS_PER_PAGE * SECRET_KEY_SIZE)
      used = 0
    } else native.sodium_mprotect_readwrite(page)
    const slot = page.subarray(used * SECRET_KEY_SIZE, ++used * SECRET_KEY_SIZE)
    write(slot)
    native.sodium_mprotect_readonly(page)
    return slot
  }

  const openerOf = (write: (secret: Buffer) => void): X25519.Opener =>
    hpke.opener(protect((slot) => write(slot.subarray(0, X25519_SIZE))).subarray(0, X25519_SIZE))

  /** Makes a signing key of the pair that `write` writes. */
  const seal = (write: (publicKey: Uint8Array, secretKey: Uint8Array) => void): SigningKey => {
    const publicKey = new Uint8Array(32)
    const secretKey = protect((slot) => write(publicKey, slot))
    return {
      publicKey,
      sign: (message) => {
        const signature = new Uint8Array(Signature.SIZE)
        native.crypto_sign_detached(signature, message, secretKey)
        return Signature.bytes(signature)
      },
      opener: () => openerOf((secret) => native.crypto_sign_ed25519_sk_to_curve25519(secret, secretKey)),
      derive: (context) => WalletSecret.derive(X25519.hmac, secretKey.subarray(0, SEED_SIZE), context)
    }
  }

  return {
    hpke,
    opener: (bytes) => openerOf((secret) => secret.set(bytes)),
    generate: () => seal(native.crypto_sign_keypair),
    fromSeed: (seed) => seal((publicKey, secretKey) => native.crypto_sign_seed_keypair(publicKey, secretKey, seed))
  }
}

const tryLoad = (): Promise<Option.Option<Sodium>> =>
  import(PACKAGE).then(
    ({ default: native }: { readonly default: Native }) => Option.some(make(native)),
    () => Option.none()
  )

let loading: ReturnType<typeof tryLoad> | undefined

/** Loads libsodium; `None` if the package is not installed or has no build for this machine. */
export const load: Effect.Effect<Option.Option<Sodium>> = Effect.promise(() => (loading ??= tryLoad()))
