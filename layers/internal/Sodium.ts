/**
 * Ed25519 by libsodium, where the application has installed `sodium-native`: the signatures of `node:crypto` in two
 * thirds of the time.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Signature from "../../src/solana/Signature.js"
import type { SigningKey } from "./SigningKey.js"

/** No literal, so that bundlers leave it alone: they could not take the native part along, and most have none to take. */
const PACKAGE: string = "sodium-native"

/** What is used of `sodium-native`. */
interface Native {
  /** Zeroed memory between guard pages, which is not swapped out, and is wiped when it is collected. */
  readonly sodium_malloc: (size: number) => Buffer
  readonly sodium_mprotect_readonly: (memory: Buffer) => void
  readonly sodium_mprotect_readwrite: (memory: Buffer) => void
  readonly crypto_sign_keypair: (publicKey: Uint8Array, secretKey: Uint8Array) => void
  readonly crypto_sign_seed_keypair: (publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array) => void
  readonly crypto_sign_detached: (signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array) => void
}

const SECRET_KEY_SIZE = 64

/** A page of 4096 bytes. A process has some ten thousand mappings, so a page for each key would not do. */
const KEYS_PER_PAGE = 64

/** Makes keys whose secret half never leaves protected memory. */
export interface Sodium {
  readonly generate: () => SigningKey
  readonly fromSeed: (seed: Uint8Array) => SigningKey
}

const make = (native: Native): Sodium => {
  let page: Buffer = Buffer.alloc(0)
  let used = KEYS_PER_PAGE

  /** The secret key that `write` writes, with a public key, into memory that is read-only from then on. */
  const seal = (write: (publicKey: Uint8Array, secretKey: Uint8Array) => void): SigningKey => {
    if (used === KEYS_PER_PAGE) {
      page = native.sodium_malloc(KEYS_PER_PAGE * SECRET_KEY_SIZE)
      used = 0
    } else native.sodium_mprotect_readwrite(page)
    const publicKey = new Uint8Array(32)
    const secretKey = page.subarray(used * SECRET_KEY_SIZE, ++used * SECRET_KEY_SIZE)
    write(publicKey, secretKey)
    native.sodium_mprotect_readonly(page)
    return {
      publicKey,
      sign: (message) => {
        const signature = new Uint8Array(Signature.SIZE)
        native.crypto_sign_detached(signature, message, secretKey)
        return Signature.bytes(signature)
      }
    }
  }

  return {
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

/** libsodium; `None` where the package is not installed, or has no build for this machine. */
export const load: Effect.Effect<Option.Option<Sodium>> = Effect.promise(() => (loading ??= tryLoad()))
