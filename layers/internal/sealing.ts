/** What the layers of `Sealing` share: the recipient's key, and the keying material of the ephemeral key. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Service } from "../../services/Sealing.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Sealed from "../../src/protocol/Sealed.js"
import * as Curve from "../../src/solana/Curve.js"

const RULE = "must be a wallet's key of the large prime order: nobody can open what is sealed to another address"

/** Encrypts to an X25519 key. The ephemeral key is derived from the keying material, or random without any. */
export type SealTo = (
  key: Uint8Array,
  info: Uint8Array,
  bytes: Uint8Array,
  ikm?: Uint8Array
) => Effect.Effect<Sealed.Sealed>

export const make = (sealTo: SealTo): Service => ({
  seal: (recipient, info, bytes, derive) =>
    Effect.suspend(() => {
      const key = Curve.toX25519(recipient)
      if (key === undefined) return new InvalidInput({ field: "recipient", rule: RULE })
      return derive === undefined
        ? sealTo(key, info, bytes)
        : Effect.flatMap(derive(Sealed.ephemeralContext(key, info, bytes)), (ikm) =>
            sealTo(key, info, bytes, Redacted.value(ikm))
          )
    })
})
