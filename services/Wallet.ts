/**
 * Wallets: Ed25519 signers of transactions.
 *
 * Calls require the wallet (`R = Wallet`); the construction of a service does not. So one process can act for many
 * agents over the same connections: provide another wallet to the next call.
 *
 * A wallet keeps its key in a closure. Printing, serialising or inspecting a wallet shows its address only.
 *
 * @since 0.1.0
 */
import type {
  Address,
  MessagePartialSigner,
  SignatureBytes,
  TransactionModifyingSigner,
  TransactionPartialSigner,
  TransactionSendingSigner
} from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Outside from "../src/internal/Outside.js"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { Sealed } from "../src/protocol/Sealed.js"
import * as SafeText from "../src/SafeText.js"
import * as Addresses from "../src/solana/Address.js"
import * as Signature from "../src/solana/Signature.js"
import * as Wire from "../src/solana/Wire.js"
import * as SecretKey from "./internal/secretKey.js"

/**
 * A wallet cannot be made, or did not sign.
 *
 * - `Refused`: the signer failed, or its owner rejected the request. `cause` has the reason.
 * - `Modified`: the signer changed the transaction before signing, so its signature is for other bytes.
 * - `InvalidSignature`: the signer returned no signature for its address, or one that is not 64 bytes.
 * - `Unsupported`: the signer can only sign and send in one step; or the key is not Ed25519 or may not sign; or WebCrypto
 *   lacks Ed25519.
 * - `KeyFile`: a keypair file is missing, unreadable or invalid. `detail` names the path and the rule, never the content.
 *
 * @since 0.1.0
 * @category errors
 */
export class WalletError extends printable(
  Schema.TaggedError<WalletError>("@pod-protocol/effect/WalletError")("WalletError", {
    reason: Schema.Literal("Refused", "Modified", "InvalidSignature", "Unsupported", "KeyFile"),
    /** The failure in one sentence. */
    detail: SafeText.Schema(),
    /** Address of the wallet, if it is known. */
    address: Schema.optional(SafeText.Schema()),
    cause: Schema.optional(Outside.Cause)
  })
) {
  override get message(): string {
    return this.address === undefined ? this.detail : `wallet ${this.address}: ${this.detail}`
  }

  /** True for `Refused` only: a person or a device may accept the next request. */
  get isRetryable(): boolean {
    return this.reason === "Refused"
  }
}

/**
 * Derives 32 secret bytes from a wallet's key and a context.
 *
 * @since 0.1.0
 * @category models
 */
export type Derive = (context: Uint8Array) => Effect.Effect<Redacted.Redacted<Uint8Array>>

/**
 * Signs bytes with one Ed25519 key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The public key. */
  readonly address: Address
  /**
   * Returns one 64-byte signature for each message, in order. A message is the compiled message of a transaction, without
   * the signatures.
   */
  readonly sign: (messages: ReadonlyArray<Uint8Array>) => Effect.Effect<ReadonlyArray<SignatureBytes>, WalletError>
  /**
   * Whether `sign` of one message never waits, as with a key in this process. Default false. If true, a send saves the
   * fiber that ends a waiting signer at the deadline. Wrongly true: a send may exceed its timeout.
   */
  readonly synchronous?: boolean | undefined
  /**
   * Opens bytes that were sealed to this wallet with the same `info`; `None` if they do not open. Absent in a wallet
   * that only signs, such as that of a Kit signer: it cannot read sealed payloads.
   */
  readonly unseal?: ((sealed: Sealed, info: Uint8Array) => Effect.Effect<Option.Option<Uint8Array>>) | undefined
  /**
   * Opens bytes that were sealed with the same `info` to a published key of the wallet's agent; `None` if no key opens
   * them. Default: absent; `withKeys` of `SealingNode` and `SealingWeb` adds it.
   */
  readonly unsealPublished?: Service["unseal"]
  /**
   * Derives 32 secret bytes from the key and a context. Equal contexts give equal bytes; different contexts give
   * unrelated bytes. Sealing with an `id` needs it. Absent in a wallet that only signs.
   */
  readonly derive?: Derive | undefined
}

/**
 * The wallet that signs the transactions of a call. Methods require it from their callers, because one application may
 * act for several agents.
 *
 * @effect-leakable-service
 * @since 0.1.0
 * @category tags
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { generate, Wallet } from "@pod-protocol/effect/services/Wallet"
 *
 * const whoami = Effect.map(Wallet, (wallet) => wallet.address)
 *
 * export const two = Effect.gen(function* () {
 *   const alice = yield* generate
 *   const bob = yield* generate
 *   return [
 *     yield* Effect.provideService(whoami, Wallet, alice),
 *     yield* Effect.provideService(whoami, Wallet, bob)
 *   ]
 * })
 * ```
 */
export class Wallet extends Context.Tag("@pod-protocol/effect/Wallet")<Wallet, Service>() {}

/** A signer's answer for one message: its signature, nothing, or `modified` if it signed another message. */
type Answer = Uint8Array | "modified" | undefined

const signatureOf = (address: Address, answer: Answer): Either.Either<SignatureBytes, WalletError> => {
  if (answer === "modified") {
    const detail = "the signer changed the transaction before it signed it; use one that signs without changes"
    return Either.left(new WalletError({ reason: "Modified", address, detail }))
  }
  if (answer === undefined || !Signature.isBytes(answer)) {
    const detail =
      "the signer did not return a signature of 64 bytes for its address; check that it has the key of this address"
    return Either.left(new WalletError({ reason: "InvalidSignature", address, detail }))
  }
  return Either.right(answer)
}

/** Makes a wallet from a function that returns a promise of signatures. Interruption aborts the signal. */
const fromPromise = (
  address: Address,
  sign: (messages: ReadonlyArray<Uint8Array>, abortSignal: AbortSignal) => Promise<ReadonlyArray<Answer>>
): Service => ({
  address,
  sign: (messages) =>
    Effect.tryPromise({
      try: (abortSignal) => sign(messages, abortSignal),
      catch: (cause) =>
        new WalletError({
          reason: "Refused",
          address,
          detail: "the signer did not sign; ask its owner to accept, and try again",
          cause
        })
    }).pipe(Effect.flatMap((answers) => Either.all(messages.map((_, index) => signatureOf(address, answers[index])))))
})

/** The unsigned messages as Kit's transactions, the form that Kit's transaction signers take. */
const toTransactions = async (messages: ReadonlyArray<Uint8Array>) => {
  const kit = await import("@solana/kit")
  const assertFits: typeof kit.assertIsTransactionWithinSizeLimit = kit.assertIsTransactionWithinSizeLimit
  return Promise.all(
    messages.map(async (message) => {
      const compiled = kit.getCompiledTransactionMessageDecoder().decode(message)
      const unsigned = Array.from({ length: compiled.header.numSignerAccounts }, () => new Uint8Array(Signature.SIZE))
      const transaction = {
        ...kit.getTransactionDecoder().decode(Wire.encode(unsigned, message)),
        lifetimeConstraint: await kit.getTransactionLifetimeConstraintFromCompiledTransactionMessage(compiled)
      }
      assertFits(transaction)
      return transaction
    })
  )
}

const sameBytes = (a: ArrayLike<number>, b: Uint8Array | undefined): boolean =>
  a.length === b?.length && b.every((byte, index) => byte === a[index])

/**
 * The signers of Solana Kit from which a wallet can be made, such as a `KeyPairSigner`.
 *
 * @since 0.1.0
 * @category models
 */
export type Signer = TransactionPartialSigner | MessagePartialSigner | TransactionModifyingSigner

/**
 * Wraps a signer of Solana Kit: a `KeyPairSigner`, a hardware or remote signer, or a browser wallet.
 *
 * For a signer with several interfaces, signing transactions comes before signing messages, and both come before the
 * modifying interface. If a modifying signer changes a transaction, signing fails with `WalletError` `Modified`. A signer
 * that can only sign and send in one step is refused with `Unsupported`, because its transaction cannot be tracked.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSigner = (signer: Signer | TransactionSendingSigner): Effect.Effect<Service, WalletError> => {
  const { address } = signer
  // A key pair signs the message bytes to the same result, without the cost of making Kit's transaction.
  if ("signTransactions" in signer && !("keyPair" in signer)) {
    return Effect.succeed(
      fromPromise(address, async (messages, abortSignal) => {
        const signed = await signer.signTransactions(await toTransactions(messages), { abortSignal })
        return signed.map((signatures) => signatures[address])
      })
    )
  }
  if ("signMessages" in signer) {
    return Effect.succeed(
      fromPromise(address, async (messages, abortSignal) => {
        // A copy: a message is a view of its transaction, and the signer may overwrite or transfer the bytes.
        const signable = messages.map((message) => ({ content: Uint8Array.from(message), signatures: {} }))
        const signed = await signer.signMessages(signable, { abortSignal })
        return signed.map((signatures) => signatures[address])
      })
    )
  }
  if ("modifyAndSignTransactions" in signer) {
    return Effect.succeed(
      fromPromise(address, async (messages, abortSignal) => {
        const signed = await signer.modifyAndSignTransactions(await toTransactions(messages), { abortSignal })
        return signed.map(({ messageBytes, signatures }, index) =>
          sameBytes(messageBytes, messages[index]) ? (signatures[address] ?? undefined) : "modified"
        )
      })
    )
  }
  return Effect.fail(
    new WalletError({
      reason: "Unsupported",
      address,
      detail: "this signer can only sign and send in one step; use one that signs without sending"
    })
  )
}

const webCrypto = <A>(use: (subtle: SubtleCrypto) => Promise<A>): Effect.Effect<A, WalletError> =>
  Effect.tryPromise({
    try: () => use(globalThis.crypto.subtle),
    catch: (cause) =>
      new WalletError({
        reason: "Unsupported",
        detail: "WebCrypto refused the key; it needs an Ed25519 key that may sign, and a runtime with Ed25519",
        cause
      })
  })

const fromCheckedKeyPair = Effect.fnUntraced(function* (field: string, keyPair: CryptoKeyPair) {
  const { privateKey, publicKey } = keyPair
  const publicBytes = new Uint8Array(yield* webCrypto((subtle) => subtle.exportKey("raw", publicKey)))
  const signature = yield* webCrypto((subtle) => subtle.sign("Ed25519", privateKey, publicBytes))
  if (!(yield* webCrypto((subtle) => subtle.verify("Ed25519", publicKey, signature, publicBytes)))) {
    return yield* SecretKey.mismatch(field)
  }
  const sign = async (message: Uint8Array) =>
    new Uint8Array(await globalThis.crypto.subtle.sign("Ed25519", privateKey, Uint8Array.from(message)))
  return fromPromise(Addresses.fromBytes(publicBytes), (messages) => Promise.all(messages.map(sign)))
})

/**
 * Wraps an Ed25519 key pair of WebCrypto. Only the public key must be extractable. Two halves of different keys are
 * `InvalidInput`.
 *
 * On Node, the same constructor of `layers/WalletNode` signs faster.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromKeyPair = (keyPair: CryptoKeyPair): Effect.Effect<Service, InvalidInput | WalletError> =>
  fromCheckedKeyPair("keyPair", keyPair)

/**
 * Imports Solana's 64 secret bytes (32 of seed, 32 of public key) into a key that is not extractable. Another length, or two
 * halves of different keys, are `InvalidInput`.
 *
 * On Node, the same constructor of `layers/WalletNode` signs faster.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSecretKey: (
  secretKey: Redacted.Redacted<Uint8Array>
) => Effect.Effect<Service, InvalidInput | WalletError> = Effect.fnUntraced(function* (secretKey) {
  const { pkcs8, publicKey } = yield* SecretKey.split(secretKey)
  const keyPair = yield* Effect.all({
    privateKey: webCrypto((subtle) => subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"])),
    publicKey: webCrypto((subtle) => subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]))
  }).pipe(Effect.ensuring(Effect.sync(() => pkcs8.fill(0))))
  return yield* fromCheckedKeyPair("secretKey", keyPair)
})

/**
 * Generates a new key that is not extractable. The key is lost with the wallet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generate: Effect.Effect<Service, WalletError> = Effect.suspend(() =>
  webCrypto((subtle) => subtle.generateKey("Ed25519", false, ["sign", "verify"]))
).pipe(Effect.flatMap(fromKeyPair), Effect.catchTag("InvalidInput", Effect.die))

/**
 * The wallet of a Kit signer: see {@link fromSigner}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSigner = (signer: Signer | TransactionSendingSigner): Layer.Layer<Wallet, WalletError> =>
  Layer.effect(Wallet, fromSigner(signer))

/**
 * The wallet of a WebCrypto key pair: see {@link fromKeyPair}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyPair = (keyPair: CryptoKeyPair): Layer.Layer<Wallet, InvalidInput | WalletError> =>
  Layer.effect(Wallet, fromKeyPair(keyPair))

/**
 * The wallet of 64 secret bytes: see {@link fromSecretKey}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSecretKey = (
  secretKey: Redacted.Redacted<Uint8Array>
): Layer.Layer<Wallet, InvalidInput | WalletError> => Layer.effect(Wallet, fromSecretKey(secretKey))

/**
 * A wallet with a new key each time the layer is built.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerGenerated: Layer.Layer<Wallet, WalletError> = Layer.effect(Wallet, generate)
