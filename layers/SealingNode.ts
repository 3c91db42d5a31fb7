/**
 * Sealing on Node, by `node:crypto`: HPKE (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Sealing, type Service } from "../services/Sealing.js"
import * as Shared from "./internal/sealing.js"
import * as X25519 from "./internal/X25519.js"

/**
 * Seals by `node:crypto`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Service = Shared.make((key, info, bytes, ikm) =>
  Effect.sync(() => X25519.seal(key, info, bytes, ikm === undefined ? undefined : X25519.pairFrom(ikm)))
)

/**
 * {@link make} as a layer. Provide it to `Message.layer`; `Pod.layer` does.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Sealing> = Layer.succeed(Sealing, make)
