/**
 * Selects the key to which a payload is sealed, and the key that opens it: the wallet's own, or a key that its agent
 * published.
 */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Sealed from "../../src/protocol/Sealed.js"
import { PublishedKeys } from "../PublishedKeys.js"
import { SealedError } from "../Sealing.js"
import type * as Wallet from "../Wallet.js"

interface Key {
  readonly keyKind: Sealed.KeyKind
  readonly key: Address | Uint8Array
}

/** The key of a recipient. If no kind is given, a published key takes precedence over the wallet's. */
export const of = (recipient: Address, kind: Sealed.KeyKind | undefined): Effect.Effect<Key, SealedError> =>
  Effect.gen(function* () {
    const published = kind === "wallet" ? Option.none() : yield* Effect.serviceOption(PublishedKeys)
    const found = Option.isNone(published) ? Option.none() : yield* published.value.find(recipient)
    if (Option.isSome(found)) return { keyKind: "published" as const, key: found.value }
    if (kind === "published") return yield* new SealedError({ reason: "NoPublishedKey", recipient })
    return { keyKind: "wallet" as const, key: recipient }
  })

/** Opens bytes that were sealed to the wallet. */
export const open = (
  { address: recipient, unseal, unsealPublished }: Wallet.Service,
  sealed: Sealed.Addressed,
  info: Uint8Array
): Effect.Effect<Uint8Array, SealedError> => {
  const failed = (reason: SealedError["reason"]) => new SealedError({ reason, recipient })
  const use = sealed.keyKind === "published" ? unsealPublished : unseal
  return use === undefined
    ? Effect.fail(failed(sealed.keyKind === "published" ? "NoSealingKey" : "CannotUnseal"))
    : Effect.flatMap(
        use(sealed, info),
        Option.match({ onNone: () => failed("Rejected"), onSome: (bytes) => Effect.succeed(bytes) })
      )
}
