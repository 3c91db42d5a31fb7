/**
 * Sealing on Node, by `node:crypto`: HPKE (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Sealing, type Service } from "../services/Sealing.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Sealed from "../src/protocol/Sealed.js"
import * as Curve from "../src/solana/Curve.js"
import * as X25519 from "./internal/X25519.js"

const RULE = "must be a wallet's key of the large prime order: nobody can open what is sealed to another address"

/**
 * Seals by `node:crypto`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Service = {
  seal: (recipient, info, bytes, derive) =>
    Effect.suspend(() => {
      const key = Curve.toX25519(recipient)
      if (key === undefined) return new InvalidInput({ field: "recipient", rule: RULE })
      return derive === undefined
        ? Effect.sync(() => X25519.seal(key, info, bytes))
        : Effect.map(derive(Sealed.ephemeralContext(key, info, bytes)), (secret) =>
            X25519.seal(key, info, bytes, X25519.pairFrom(Redacted.value(secret)))
          )
    })
}

/**
 * {@link make} as a layer. Provide it to `Message.layer`; `Pod.layer` does.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Sealing> = Layer.succeed(Sealing, make)
