/**
 * Sealing on Node: HPKE (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305, by `node:crypto`, or faster by the
 * optional package `sodium-native`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { Sealing, type Service } from "../services/Sealing.js"
import type * as Wallet from "../services/Wallet.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Shared from "./internal/sealing.js"
import * as Sodium from "./internal/Sodium.js"
import * as X25519 from "./internal/X25519.js"

/**
 * Seals by `node:crypto`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Service = Shared.make({
  hmac: X25519.hmac,
  encrypt: X25519.encrypt,
  decrypt: X25519.decrypt,
  sealTo: (key, info, bytes, ikm) =>
    Effect.sync(() => X25519.seal(key, info, bytes, ikm === undefined ? undefined : X25519.pairFrom(ikm)))
})

/**
 * Seals by libsodium if the package `sodium-native` is installed, else as {@link make}. Both give the same bytes for
 * the same `id`. Provide it to `Message.layer`; `Pod.layer` does.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Sealing> = Layer.effect(
  Sealing,
  Effect.map(
    Sodium.load,
    Option.match({
      onNone: () => make,
      onSome: ({ hpke }) => Shared.make({ ...hpke, sealTo: (...of) => Effect.sync(() => hpke.seal(...of)) })
    })
  )
)

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
export const publicKey = (secret: Redacted.Redacted<Uint8Array>): Effect.Effect<Uint8Array, InvalidInput> =>
  Effect.map(Shared.secretBytes("secret", secret), (bytes) => X25519.fromSecret(bytes).publicKey)

/**
 * Adds the secrets of published keys to a wallet, so that it opens payloads sealed to these keys. It is for wallets
 * that only sign, such as hardware and remote signers. Pass 1 to 16 secrets, the newest first, and keep old ones as
 * long as messages are sealed to them.
 *
 * @example
 * ```ts
 * import { Wallet } from "@pod-protocol/effect"
 * import * as SealingNode from "@pod-protocol/effect/layers/SealingNode"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import type * as Redacted from "effect/Redacted"
 *
 * export const walletOf = (signer: Wallet.Signer, secret: Redacted.Redacted<Uint8Array>) =>
 *   Effect.flatMap(Wallet.fromSigner(signer), (wallet) => SealingNode.withKeys(wallet, [secret]))
 * ```
 *
 * @since 0.1.0
 * @category published keys
 */
export const withKeys = (
  wallet: Wallet.Service,
  secrets: ReadonlyArray<Redacted.Redacted<Uint8Array>>
): Effect.Effect<Wallet.Service, InvalidInput> =>
  Effect.flatMap(Sodium.load, (sodium) => {
    const openerOf = Option.match(sodium, { onNone: () => X25519.fromSecret, onSome: ({ opener }) => opener })
    return Shared.withKeys(wallet, secrets, (secret) => {
      const { open } = openerOf(secret)
      return (sealed, info) => Effect.sync(() => open(sealed, info))
    })
  })
