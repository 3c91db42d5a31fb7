/**
 * Sealing: encrypts a payload to the wallet of its recipient, so that nobody else can read it. The recipient's wallet
 * opens it by `unseal`. `docs/privacy.md` lists the facts that sealing hides, and those that stay public.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { Sealed } from "../src/protocol/Sealed.js"
import * as SafeText from "../src/SafeText.js"
import * as TestLayer from "./internal/testLayer.js"
import type { Derive } from "./Wallet.js"

/**
 * A payload cannot be sealed or opened.
 *
 * - `Malformed`: the bytes are cut, or are not a sealed payload.
 * - `Unsupported`: this version does not know the suite or the kind of key.
 * - `NoWallet`: no wallet is in the context.
 * - `NotRecipient`: the wallet in the context is not the recipient's.
 * - `CannotUnseal`: the wallet only signs, such as a hardware or browser wallet.
 * - `NoSealingKey`: the payload is sealed to a published key, and the wallet in the context does not have the key's
 *   secret.
 * - `Rejected`: the bytes were changed, or were sealed by another sender, to another key or for another message.
 * - `CannotDerive`: the sender's wallet only signs, so it cannot seal with an `id`.
 * - `MissingPackage`: the platform needs an optional package, which `detail` names and which is not installed.
 * - `NoSealing`: `seal: true` needs the `Sealing` service, which the context does not have.
 * - `NoPublishedKey`: `sealTo` demands a published key, and the recipient publishes none.
 * - `KeyUnavailable`: the recipient's published key cannot be read now.
 * - `BadPublishedKey`: the text that the recipient publishes as its key is not a valid key.
 *
 * @since 0.1.0
 * @category errors
 */
export class SealedError extends printable(
  Schema.TaggedError<SealedError>("@pod-protocol/effect/SealedError")("SealedError", {
    reason: Schema.Literal(
      "Malformed",
      "Unsupported",
      "NoWallet",
      "NotRecipient",
      "CannotUnseal",
      "NoSealingKey",
      "Rejected",
      "CannotDerive",
      "MissingPackage",
      "NoSealing",
      "NoPublishedKey",
      "KeyUnavailable",
      "BadPublishedKey"
    ),
    /** Address of the recipient's wallet, if it is known. */
    recipient: Schema.optional(SafeText.Schema()),
    /** The missing package, for `MissingPackage`. */
    detail: Schema.optional(SafeText.Schema()),
    cause: Schema.optional(Outside.Cause)
  })
) {
  /** True for `KeyUnavailable`. Otherwise the same wallet and bytes give the same answer. */
  get isRetryable(): boolean {
    return this.reason === "KeyUnavailable"
  }

  override get message(): string {
    const recipient = this.recipient ?? "its recipient"
    switch (this.reason) {
      case "Malformed":
        return "The sealed payload is cut or damaged: ask the sender to send it again"
      case "Unsupported":
        return "The payload is sealed in a way that this version does not know: update this library"
      case "NoWallet":
        return `The payload is sealed to ${recipient}: provide that wallet, or read the sealed bytes with raw: true`
      case "NotRecipient":
        return `The payload is sealed to ${recipient}, not to the wallet in use: provide that wallet`
      case "CannotUnseal":
        return `The wallet ${recipient} only signs: open the payload with the wallet's key, such as by WalletNode, and publish a key for the next one`
      case "NoSealingKey":
        return `The payload is sealed to a key that ${recipient} published: give the wallet its secret, such as by SealingNode.withKeys`
      case "Rejected":
        return "The sealed payload does not open: it was changed, or is sealed to another sender, key or message; ask the sender to send it again"
      case "CannotDerive":
        return "A wallet that only signs cannot seal with an id: leave the id out, or use the wallet's key, such as by WalletNode"
      case "MissingPackage":
        return `Sealing on this platform needs a package that is not installed: install ${this.detail ?? "it"}`
      case "NoSealing":
        return "The payload cannot be sealed without the Sealing service: provide SealingNode.layer, or SealingWeb.layer() outside of Node"
      case "NoPublishedKey":
        return `No published key of ${recipient} is known: provide PublishedKeys, or seal to the wallet with sealTo: "wallet"`
      case "KeyUnavailable":
        return `The published key of ${recipient} cannot be read: try again, or seal to the wallet with sealTo: "wallet"`
      case "BadPublishedKey":
        return `The published key of ${recipient} is not an X25519 key: ask its owner to correct it, or seal to the wallet with sealTo: "wallet"`
    }
  }
}

/**
 * The operations of sealing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Encrypts the bytes to the key of a wallet, given by its address, or to an X25519 key of 32 bytes, bound to `info`.
   * `InvalidInput` for bytes that are not a key (`SealingKey.check`) and for an address without a sealing key. Such an
   * address is a program's address, the System program, or a point of small order.
   *
   * The ephemeral key is random by default. With `derive` of the sender's wallet, it derives from the recipient's key,
   * `info` and the bytes (`Sealed.ephemeralContext`). Then equal calls give equal results, and different bytes get
   * different keys.
   */
  readonly seal: (
    recipient: Address | Uint8Array,
    info: Uint8Array,
    bytes: Uint8Array,
    derive?: Derive
  ) => Effect.Effect<Sealed, InvalidInput>
  /**
   * Encrypts the bytes with a shared secret key of 32 bytes, bound to `info`. The result is a random nonce of 12 bytes,
   * the ciphertext, and a tag of 16 bytes. Each `info` has its own cipher key.
   */
  readonly encrypt: (
    key: Redacted.Redacted<Uint8Array>,
    info: Uint8Array,
    bytes: Uint8Array
  ) => Effect.Effect<Uint8Array>
  /** Decrypts bytes of `encrypt`; `None` if key, `info` or bytes do not match. */
  readonly decrypt: (
    key: Redacted.Redacted<Uint8Array>,
    info: Uint8Array,
    bytes: Uint8Array
  ) => Effect.Effect<Option.Option<Uint8Array>>
}

/**
 * Seals payloads.
 *
 * @since 0.1.0
 * @category tags
 */
export class Sealing extends Context.Tag("@pod-protocol/effect/Sealing")<Sealing, Service>() {}

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<Sealing> => TestLayer.layer(Sealing, stubs)
