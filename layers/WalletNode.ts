/**
 * Wallets on Node: `node:crypto` signs synchronously, in a fifth of the time of WebCrypto's promises and with the same
 * signatures; and Solana keypair files are read.
 *
 * @since 0.1.0
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject, sign } from "node:crypto"
import { open, stat } from "node:fs/promises"
import type { SignatureBytes } from "@solana/kit"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SecretKey from "../services/internal/secretKey.js"
import { type Service, Wallet, WalletError } from "../services/Wallet.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Address from "../src/solana/Address.js"
import * as Signature from "../src/solana/Signature.js"

/** Signatures between two turns of the event loop: about 3 ms of work. */
const SIGNATURES_PER_TURN = 64

/** A keypair file is 64 numbers of at most 3 digits: 4096 bytes leave room for any way to space them. */
const MAX_FILE_BYTES = 4096

const FILE_RULE = "must be a JSON array of 64 byte values, as solana-keygen writes it"

/** The `KeyObject` could be exported, so it stays in this closure. */
const fromPrivateKey = (privateKey: KeyObject, publicKey: Uint8Array): Service => {
  const signOne = (message: Uint8Array): SignatureBytes => {
    const { buffer, byteOffset, length } = sign(null, message, privateKey)
    return Signature.bytes(new Uint8Array(buffer, byteOffset, length))
  }
  const signAll = (messages: ReadonlyArray<Uint8Array>) => Effect.sync(() => messages.map(signOne))
  return {
    address: Address.fromBytes(publicKey),
    sign: (messages) =>
      messages.length <= SIGNATURES_PER_TURN
        ? signAll(messages)
        : Effect.map(
            Effect.forEach(Arr.chunksOf(messages, SIGNATURES_PER_TURN), (chunk) =>
              Effect.zipLeft(signAll(chunk), Effect.yieldNow())
            ),
            Arr.flatten
          )
  }
}

/** The 32 bytes of a public key end its SPKI form. */
const rawPublicKey = (key: KeyObject): Uint8Array => key.export({ format: "der", type: "spki" }).subarray(-Address.SIZE)

const unsupported = (cause?: unknown) =>
  new WalletError({ reason: "Unsupported", detail: "node:crypto takes an Ed25519 key that may sign", cause })

/** A wallet of the private key, if the public key is its own. */
const fromHalves = Effect.fnUntraced(function* (
  field: string,
  load: () => { readonly privateKey: KeyObject; readonly publicKey: Uint8Array }
) {
  const { derived, privateKey, publicKey } = yield* Effect.try({
    try: () => {
      const halves = load()
      return { ...halves, derived: rawPublicKey(createPublicKey(halves.privateKey)) }
    },
    catch: unsupported
  })
  if (privateKey.asymmetricKeyType !== "ed25519") return yield* unsupported()
  if (Buffer.compare(derived, publicKey) !== 0) return yield* SecretKey.mismatch(field)
  return fromPrivateKey(privateKey, publicKey)
})

/**
 * Wraps an Ed25519 key pair of WebCrypto, e.g. the `keyPair` of a Kit `KeyPairSigner`. The private key need not be
 * extractable. Halves that do not belong together are `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromKeyPair = (keyPair: CryptoKeyPair): Effect.Effect<Service, InvalidInput | WalletError> =>
  fromHalves("keyPair", () => ({
    privateKey: KeyObject.from(keyPair.privateKey),
    publicKey: rawPublicKey(KeyObject.from(keyPair.publicKey))
  }))

/**
 * Imports Solana's 64 secret bytes (32 of seed, 32 of public key). Another length, and a public half that is not the
 * private half's, are `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromSecretKey = (
  secretKey: Redacted.Redacted<Uint8Array>
): Effect.Effect<Service, InvalidInput | WalletError> =>
  Effect.flatMap(
    Effect.suspend(() => SecretKey.split(secretKey)),
    ({ pkcs8, publicKey }) =>
      fromHalves("secretKey", () => ({
        privateKey: createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: "der", type: "pkcs8" }),
        publicKey
      })).pipe(Effect.ensuring(Effect.sync(() => pkcs8.fill(0))))
  )

/**
 * A new key that lives as long as the wallet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generate: Effect.Effect<Service> = Effect.sync(() => generateKeyPairSync("ed25519")).pipe(
  Effect.map(({ privateKey, publicKey }) => fromPrivateKey(privateKey, rawPublicKey(publicKey)))
)

/** What the text of a keypair file holds; `None` without a word about the text where it is no such array. */
const parseSecretKey = Schema.decodeOption(
  Schema.parseJson(Schema.Array(Schema.Int.pipe(Schema.between(0, 255))).pipe(Schema.itemsCount(64)))
)

const fromText = (text: Redacted.Redacted<string>) =>
  Option.map(parseSecretKey(Redacted.value(text)), (bytes) => fromSecretKey(Redacted.make(Uint8Array.from(bytes))))

const fileError = (path: string, rule: string, cause?: unknown) =>
  new WalletError({ reason: "KeyFile", detail: `keypair file ${path} ${rule}`, cause })

/** The text of a regular file of at most `MAX_FILE_BYTES`. */
const readFile = (path: string): Effect.Effect<Redacted.Redacted<string>, WalletError> => {
  const io = <A>(use: () => Promise<A>) =>
    Effect.tryPromise({ try: use, catch: (cause) => fileError(path, "cannot be read", cause) })
  return Effect.gen(function* () {
    const info = yield* io(() => stat(path))
    if (!info.isFile()) return yield* fileError(path, "must be a regular file")
    if (info.size > MAX_FILE_BYTES) return yield* fileError(path, `must not be over ${MAX_FILE_BYTES} bytes`)
    return yield* Effect.acquireUseRelease(
      io(() => open(path)),
      (handle) =>
        io(async () => {
          const buffer = Buffer.alloc(MAX_FILE_BYTES)
          const { bytesRead } = await handle.read(buffer)
          return Redacted.make(buffer.toString("utf8", 0, bytesRead))
        }),
      (handle) => Effect.promise(() => handle.close())
    )
  })
}

/**
 * Reads a keypair file: the JSON array of 64 byte values that `solana-keygen` writes. A file that is missing, not
 * regular, over 4096 bytes, or holds anything else is `WalletError` `KeyFile` with the path and the rule, never with
 * what the file holds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFile = (path: string): Effect.Effect<Service, WalletError> =>
  Effect.flatMap(readFile(path), (text) =>
    Option.match(fromText(text), {
      onNone: () => fileError(path, FILE_RULE),
      onSome: Effect.catchTag("InvalidInput", ({ rule }) => fileError(path, rule))
    })
  )

/**
 * The setting that `layerConfig` reads.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Redacted.Redacted<string>> = Config.redacted("POD_WALLET").pipe(
  Config.withDescription("Path of a keypair file, or the JSON array of 64 byte values that such a file holds")
)

/**
 * The wallet of a WebCrypto key pair; see `fromKeyPair`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyPair = (keyPair: CryptoKeyPair): Layer.Layer<Wallet, InvalidInput | WalletError> =>
  Layer.effect(Wallet, fromKeyPair(keyPair))

/**
 * The wallet of 64 secret bytes; see `fromSecretKey`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSecretKey = (
  secretKey: Redacted.Redacted<Uint8Array>
): Layer.Layer<Wallet, InvalidInput | WalletError> => Layer.effect(Wallet, fromSecretKey(secretKey))

/**
 * A new wallet each time the layer is built.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerGenerated: Layer.Layer<Wallet> = Layer.effect(Wallet, generate)

/**
 * The wallet of a keypair file; see `fromFile`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (path: string): Layer.Layer<Wallet, WalletError> => Layer.effect(Wallet, fromFile(path))

/**
 * The wallet that `POD_WALLET` names: the path of a keypair file, or the JSON array itself.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<Wallet, ConfigError.ConfigError | InvalidInput | WalletError> = Layer.effect(
  Wallet,
  Effect.flatMap(config, (setting) => {
    const text = Redacted.value(setting).trim()
    return text.startsWith("[")
      ? Option.getOrElse(fromText(setting), () =>
          Either.left(new InvalidInput({ field: "POD_WALLET", rule: FILE_RULE }))
        )
      : fromFile(text)
  })
)
