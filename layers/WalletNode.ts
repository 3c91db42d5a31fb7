/**
 * Wallets on Node: `node:crypto` signs synchronously, in a fifth of the time of WebCrypto's promises and with the same
 * signatures; and Solana keypair files are read.
 *
 * Where the application has installed the optional package `sodium-native`, libsodium signs for the wallets that are
 * generated or made of secret bytes, in two thirds of that time, and their secret is in memory that is locked and
 * guarded. The key of a `CryptoKeyPair` cannot be read, so it stays with `node:crypto`.
 *
 * @since 0.1.0
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject, sign } from "node:crypto"
import { open, stat } from "node:fs/promises"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SecretKey from "../services/internal/secretKey.js"
import * as Turns from "../services/internal/turns.js"
import { type Service, Wallet, WalletError } from "../services/Wallet.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Address from "../src/solana/Address.js"
import * as Signature from "../src/solana/Signature.js"
import type { SigningKey } from "./internal/SigningKey.js"
import * as Sodium from "./internal/Sodium.js"

/** Signatures between two turns of the event loop: about 3 ms of work. */
const SIGNATURES_PER_TURN = 64

/** A keypair file is 64 numbers of at most 3 digits: 4096 bytes leave room for any way to space them. */
const MAX_FILE_BYTES = 4096

const FILE_RULE = "must be a JSON array of 64 byte values, as solana-keygen writes it"

const fromSigningKey = ({ publicKey, sign }: SigningKey): Service => ({
  address: Address.fromBytes(publicKey),
  sign: (messages) =>
    messages.length <= SIGNATURES_PER_TURN
      ? Effect.sync(() => messages.map(sign))
      : Turns.flatMap(Turns.partsOf(messages, SIGNATURES_PER_TURN / Turns.PARTS_PER_TURN), (part) =>
          Either.right(part.map(sign))
        )
})

interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: Uint8Array
}

/** The `KeyObject` could be exported, so it stays in this closure. */
const toSigningKey = ({ privateKey, publicKey }: KeyPair): SigningKey => ({
  publicKey,
  sign: (message) => {
    const { buffer, byteOffset, length } = sign(null, message, privateKey)
    return Signature.bytes(new Uint8Array(buffer, byteOffset, length))
  }
})

/** The 32 bytes of a public key end its SPKI form. */
const rawPublicKey = (key: KeyObject): Uint8Array => key.export({ format: "der", type: "spki" }).subarray(-Address.SIZE)

const wipe = (bytes: Uint8Array) => Effect.sync(() => bytes.fill(0))

const unsupported = (cause?: unknown) =>
  new WalletError({ reason: "Unsupported", detail: "node:crypto takes an Ed25519 key that may sign", cause })

/** The halves that are loaded, if they belong together. */
const checked = Effect.fnUntraced(function* (field: string, load: () => KeyPair) {
  const { derived, ...keyPair } = yield* Effect.try({
    try: () => {
      const halves = load()
      return { ...halves, derived: rawPublicKey(createPublicKey(halves.privateKey)) }
    },
    catch: unsupported
  })
  if (keyPair.privateKey.asymmetricKeyType !== "ed25519") return yield* unsupported()
  if (Buffer.compare(derived, keyPair.publicKey) !== 0) return yield* SecretKey.mismatch(field)
  return keyPair
})

/**
 * Wraps an Ed25519 key pair of WebCrypto, e.g. the `keyPair` of a Kit `KeyPairSigner`. The private key need not be
 * extractable. Halves that do not belong together are `InvalidInput`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromKeyPair = (keyPair: CryptoKeyPair): Effect.Effect<Service, InvalidInput | WalletError> =>
  checked("keyPair", () => ({
    privateKey: KeyObject.from(keyPair.privateKey),
    publicKey: rawPublicKey(KeyObject.from(keyPair.publicKey))
  })).pipe(Effect.map(toSigningKey), Effect.map(fromSigningKey))

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
      Effect.gen(function* () {
        const keyPair = yield* checked("secretKey", () => ({
          privateKey: createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: "der", type: "pkcs8" }),
          publicKey
        }))
        const signingKey = Option.match(yield* Sodium.load, {
          onNone: () => toSigningKey(keyPair),
          onSome: ({ fromSeed }) => fromSeed(pkcs8.subarray(-SecretKey.SEED_SIZE))
        })
        return fromSigningKey(signingKey)
      }).pipe(Effect.ensuring(wipe(pkcs8)))
  )

/**
 * A new key that lives as long as the wallet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generate: Effect.Effect<Service> = Effect.map(Sodium.load, (sodium) =>
  fromSigningKey(
    Option.match(sodium, {
      onNone: () => {
        const { privateKey, publicKey } = generateKeyPairSync("ed25519")
        return toSigningKey({ privateKey, publicKey: rawPublicKey(publicKey) })
      },
      onSome: ({ generate }) => generate()
    })
  )
)

/** What the text of a keypair file holds; `None` without a word about the text where it is no such array. */
const parseSecretKey = Schema.decodeOption(
  Schema.parseJson(Schema.Array(Schema.Int.pipe(Schema.between(0, 255))).pipe(Schema.itemsCount(64)))
)

const fromText = (text: Redacted.Redacted<string>) =>
  Option.map(parseSecretKey(Redacted.value(text)), (numbers) =>
    Effect.acquireUseRelease(
      Effect.sync(() => Uint8Array.from(numbers)),
      (bytes) => fromSecretKey(Redacted.make(bytes)),
      wipe
    )
  )

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
          const text = buffer.toString("utf8", 0, bytesRead)
          buffer.fill(0)
          return Redacted.make(text)
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
