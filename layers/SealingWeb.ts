/**
 * Sealing in browsers, Deno and edge workers, which lack `node:crypto`. X25519 comes from WebCrypto, or from the
 * optional package `@noble/curves` 2.4.0 if WebCrypto lacks it. ChaCha20-Poly1305 comes from the optional package
 * `@noble/ciphers` 2.4.0. All platforms open each other's payloads.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SecretKey from "../services/internal/secretKey.js"
import { type SealedError, Sealing, type Service } from "../services/Sealing.js"
import * as Wallet from "../services/Wallet.js"
import * as WalletSecret from "../src/internal/walletSecret.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Shared from "./internal/sealing.js"
import * as X25519Web from "./internal/X25519Web.js"

/**
 * ChaCha20-Poly1305 with a key and a nonce.
 *
 * @since 0.1.0
 * @category models
 */
export type Cipher = X25519Web.Cipher

/**
 * Functions that the platform lacks, for bundled applications: a bundler does not include a package that is imported by
 * a variable name.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The function of this name in `@noble/ciphers/chacha.js`. Default: imported at run time. */
  readonly chacha20poly1305?: Cipher | undefined
}

const hpke = ({ chacha20poly1305 }: Options) =>
  Effect.zipWith(
    X25519Web.exchange,
    chacha20poly1305 === undefined ? X25519Web.cipher : Effect.succeed(chacha20poly1305),
    X25519Web.make
  )

/**
 * Loads the packages that the platform needs. `SealedError` with reason `MissingPackage` names a package that is not
 * installed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, SealedError> =>
  Effect.map(hpke(options), ({ decrypt, encrypt, seal }) =>
    Shared.make({
      hmac: X25519Web.hmac,
      encrypt,
      decrypt,
      sealTo: (key, info, bytes, ikm) => Effect.promise(() => seal(key, info, bytes, ikm))
    })
  )

/**
 * {@link make} as a layer. Provide it to `Message.layer`.
 *
 * @example
 * ```ts
 * import { Message, SealingWeb } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const MessageLive = Message.layer.pipe(Layer.provide(SealingWeb.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Sealing, SealedError> => Layer.effect(Sealing, make(options))

/**
 * As `Wallet.fromSecretKey`, but the wallet can also open sealed payloads and seal with an `id`. Its seed stays in the
 * memory of the page as long as the wallet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const walletFromSecretKey = (
  secretKey: Redacted.Redacted<Uint8Array>,
  options: Options = {}
): Effect.Effect<Wallet.Service, InvalidInput | SealedError | Wallet.WalletError> =>
  Effect.gen(function* () {
    const { open } = yield* hpke(options)
    const signer = yield* Wallet.fromSecretKey(secretKey)
    const seed = Redacted.make(Redacted.value(secretKey).slice(0, SecretKey.SEED_SIZE))
    return {
      ...signer,
      unseal: (sealed, info) =>
        Effect.map(
          Effect.promise(() => open(X25519Web.secretOf(Redacted.value(seed)), sealed, info)),
          Option.fromNullable
        ),
      derive: (context) =>
        Effect.sync(() => Redacted.make(WalletSecret.derive(X25519Web.hmac, Redacted.value(seed), context)))
    } satisfies Wallet.Service
  })

/**
 * Generates the secret of a key to publish: 32 random bytes. Keep it: only this secret opens payloads that were sealed
 * to the key.
 *
 * @since 0.1.0
 * @category published keys
 */
export const generateKey: Effect.Effect<Redacted.Redacted<Uint8Array>> = Shared.generateKey

/**
 * The X25519 key of a secret, 32 bytes. Publish it by `SealingKey.toUri` or in the agent's metadata document.
 *
 * @since 0.1.0
 * @category published keys
 */
export const publicKey = (
  secret: Redacted.Redacted<Uint8Array>,
  options: Options = {}
): Effect.Effect<Uint8Array, InvalidInput | SealedError> =>
  Effect.flatMap(Effect.all([Shared.secretBytes("secret", secret), hpke(options)]), ([bytes, { publicKey }]) =>
    Effect.promise(() => publicKey(bytes))
  )

/**
 * Adds the secrets of published keys to a wallet, so that it opens payloads sealed to these keys. It is for wallets
 * that only sign, such as browser wallets. Pass 1 to 16 secrets, the newest first, and keep old ones as long as
 * messages are sealed to them.
 *
 * @since 0.1.0
 * @category published keys
 */
export const withKeys = (
  wallet: Wallet.Service,
  secrets: ReadonlyArray<Redacted.Redacted<Uint8Array>>,
  options: Options = {}
): Effect.Effect<Wallet.Service, InvalidInput | SealedError> =>
  Effect.flatMap(hpke(options), ({ open }) =>
    Shared.withKeys(wallet, secrets, (secret) => (sealed, info) => Effect.promise(() => open(secret, sealed, info)))
  )
