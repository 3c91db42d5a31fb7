/**
 * Who signs.
 *
 * A wallet is required where it is used (`R = Wallet`), not where a service is built, so that one process can act for
 * many agents over the same connections: provide another wallet to the next call.
 *
 * A wallet holds its key in a closure: it has nothing to print, to serialise or to inspect but its address.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type {
  Address,
  MessagePartialSigner,
  SignatureBytes,
  Transaction,
  TransactionModifyingSigner,
  TransactionPartialSigner,
  TransactionSendingSigner
} from "@solana/kit"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Addresses from "../src/solana/Address.js"

/**
 * A wallet cannot be made, or did not sign.
 *
 * - `Refused`: the signer failed or its owner said no; the reason is in `cause`.
 * - `Modified`: the signer changed the transaction before it signed, so the signature is not for the bytes asked for.
 * - `InvalidSignature`: the signer answered with no signature for its address, or one that is not 64 bytes.
 * - `Unsupported`: a signer that only signs and sends in one step, or a runtime whose WebCrypto has no Ed25519.
 * - `KeyFile`: a keypair file is missing, unreadable, or not a keypair; `detail` names the path and the rule, never
 *   the content.
 *
 * @since 0.1.0
 * @category errors
 */
export class WalletError extends Schema.TaggedError<WalletError>("@pod-protocol/effect/WalletError")("WalletError", {
  reason: Schema.Literal("Refused", "Modified", "InvalidSignature", "Unsupported", "KeyFile"),
  /** What went wrong, in one sentence. */
  detail: Schema.String,
  /** Address of the wallet, where it is known. */
  address: Schema.optional(Schema.String),
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return this.address === undefined ? this.detail : `wallet ${this.address}: ${this.detail}`
  }

  /** Asking again can only help where a person or a device said no. */
  get isRetryable(): boolean {
    return this.reason === "Refused"
  }
}

/**
 * Signs bytes with one Ed25519 key.
 *
 * @since 0.1.0
 * @category tags
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Wallet } from "@pod-protocol/effect/services/Wallet"
 *
 * const whoami = Effect.map(Wallet, (wallet) => wallet.address)
 * ```
 */
export class Wallet extends Context.Tag("@pod-protocol/effect/Wallet")<
  Wallet,
  {
    /** The public key. */
    readonly address: Address
    /**
     * One 64-byte signature for each message, in order. A message is what a transaction signs: the compiled message
     * bytes, without the signatures.
     */
    readonly sign: (messages: ReadonlyArray<Uint8Array>) => Effect.Effect<ReadonlyArray<SignatureBytes>, WalletError>
  }
>() {}
