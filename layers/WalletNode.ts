/**
 * Wallets on Node: `node:crypto` signs synchronously, in a fifth of the time of WebCrypto's promises and with the same
 * signatures. It also reads Solana keypair files.
 *
 * If the optional package `sodium-native` is installed, libsodium signs for generated wallets and for wallets from
 * secret bytes, in two thirds of that time. It keeps their secrets in locked and guarded memory. `node:crypto` signs
 * for a `CryptoKeyPair`, whose key cannot be read.
 *
 * @since 0.1.0
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject, sign } from "node:crypto"
import { constants, type Stats } from "node:fs"
import { type FileHandle, open, stat } from "node:fs/promises"
import { homedir } from "node:os"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Turns from "../services/internal/eventLoop.js"
import * as SecretKey from "../services/internal/secretKey.js"
import { type Service, Wallet, WalletError } from "../services/Wallet.js"
import * as WalletSecret from "../src/internal/walletSecret.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Addresses from "../src/solana/Address.js"
import * as Signature from "../src/solana/Signature.js"
import * as KeyText from "./internal/KeyText.js"
import * as Setting from "./internal/Setting.js"
import type { SigningKey } from "./internal/SigningKey.js"
import * as Sodium from "./internal/Sodium.js"
import * as X25519 from "./internal/X25519.js"

/** Signatures between two yields to the event loop: about 3 ms of work. */
const SIGNATURES_PER_TURN = 64

/** A keypair file has 64 numbers of at most 3 digits: 4096 bytes allow any spacing. */
const MAX_FILE_BYTES = 4096

const FILE_RULE = "must be a JSON array of 64 byte values, as solana-keygen writes it"

/** Derives the key on first use, because most wallets only sign. */
const opening = (opener: () => X25519.Opener): NonNullable<Service["unseal"]> => {
  let derived: X25519.Opener | undefined
  return (sealed, info) => Effect.sync(() => Option.fromNullable((derived ??= opener()).open(sealed, info)))
}

const fromSigningKey = ({ derive, opener, publicKey, sign }: SigningKey): Service => ({
  address: Addresses.fromBytes(publicKey),
  synchronous: true,
  unseal: opening(opener),
  derive: (context) => Effect.sync(() => Redacted.make(derive(context))),
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

/** Keeps the exportable `KeyObject` inside this closure. */
const toSigningKey = ({ privateKey, publicKey }: KeyPair): SigningKey => ({
  publicKey,
  sign: (message) => {
    const { buffer, byteOffset, length } = sign(null, message, privateKey)
    return Signature.bytes(new Uint8Array(buffer, byteOffset, length))
  },
  opener: () => withSeed(privateKey, X25519.fromSeed),
  derive: (context) => withSeed(privateKey, (seed) => WalletSecret.derive(X25519.hmac, seed, context))
})

/** Runs `use` with the seed, which ends the PKCS #8 form. A JWK would leave the seed in the heap as a string. */
const withSeed = <A>(privateKey: KeyObject, use: (seed: Uint8Array) => A): A => {
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" })
  const result = use(pkcs8.subarray(-SecretKey.SEED_SIZE))
  pkcs8.fill(0)
  return result
}

/** The 32 bytes of a public key are the end of its SPKI form. */
const rawPublicKey = (key: KeyObject): Uint8Array =>
  key.export({ format: "der", type: "spki" }).subarray(-Addresses.SIZE)

const wipe = (bytes: Uint8Array): Effect.Effect<void> => Effect.sync(() => void bytes.fill(0))

const unsupported = (cause?: unknown) =>
  new WalletError({ reason: "Unsupported", detail: "node:crypto needs an Ed25519 key that may sign", cause })

/** Loads a key pair and checks that its halves belong together. */
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
 * Wraps an Ed25519 key pair of WebCrypto, such as the `keyPair` of a Kit `KeyPairSigner`. The private key may be
 * non-extractable. Fails with `InvalidInput` if the halves do not belong together.
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
 * Imports Solana's 64 secret bytes (32 of seed, 32 of public key). Fails with `InvalidInput` for another length, or if
 * the public half does not belong to the private half.
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
 * Generates a key that exists as long as the wallet.
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

/** The wallet of the parsed bytes, or `onNone`. It overwrites the bytes. */
const fromParsed = <E>(parse: () => Option.Option<Uint8Array>, onNone: Effect.Effect<Service, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(parse),
    (key): Effect.Effect<Service, E | InvalidInput | WalletError> =>
      Option.isSome(key) ? fromSecretKey(Redacted.make(key.value)) : onNone,
    (key) => (Option.isSome(key) ? wipe(key.value) : Effect.void)
  )

/** A keypair file, and its name in errors. */
interface KeyFile {
  readonly path: string
  readonly name: string
}

/** Expands `~` to the home folder, as a shell does. */
const expand = (path: string): string => (/^~(?:[\\/]|$)/.test(path) ? homedir() + path.slice(1) : path)

const fileError = ({ name }: KeyFile, rule: string) => new WalletError({ reason: "KeyFile", detail: `${name} ${rule}` })

const FOLDER = "is a folder: name the file in it"
const FORBIDDEN = "cannot be read without permission: run as its owner, or chmod 600 it"
const MISSING = "does not exist: check the path, which begins at the working directory unless it is absolute"

/** The sentence for each code of a system error. The error's own message names the path and is dropped. */
const RULES: Record<string, string | undefined> = {
  EACCES: FORBIDDEN,
  EISDIR: FOLDER,
  ENOENT: MISSING,
  ENOTDIR: MISSING,
  EPERM: FORBIDDEN
}

/** Non-blocking, so that opening a pipe does not wait for a writer. */
const READ_AT_ONCE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

const codeOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : "unknown error"

const io = <A>(file: KeyFile, use: () => Promise<A>): Effect.Effect<A, WalletError> =>
  Effect.tryPromise({
    try: use,
    catch: (cause) => fileError(file, RULES[codeOf(cause)] ?? `cannot be read (${codeOf(cause)})`)
  })

const MAY_BE_READ_BY_OTHERS = 0o044

const isOpenToOthers = ({ mode }: Stats): boolean =>
  process.platform !== "win32" && (mode & MAY_BE_READ_BY_OTHERS) !== 0

/**
 * The wallet of an open file. It keeps the text in bytes and overwrites them, even after an interruption. The read is
 * uninterruptible, because it would continue to write into them.
 */
const fromHandle = (file: KeyFile, handle: FileHandle) =>
  Effect.gen(function* () {
    const info = yield* io(file, () => handle.stat())
    if (info.isDirectory()) return yield* fileError(file, FOLDER)
    if (!info.isFile()) return yield* fileError(file, "must be a regular file")
    if (info.size > MAX_FILE_BYTES) return yield* fileError(file, `must not be over ${MAX_FILE_BYTES} bytes`)
    if (isOpenToOthers(info)) yield* Effect.logWarning(`${file.name} can be read by others: chmod 600 it`)
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => new Uint8Array(MAX_FILE_BYTES)),
      (text) =>
        Effect.flatMap(Effect.uninterruptible(io(file, () => handle.read(text))), ({ bytesRead }) =>
          fromParsed(() => KeyText.fromArray(text.subarray(0, bytesRead)), fileError(file, FILE_RULE))
        ),
      wipe
    )
  }).pipe(Effect.catchTag("InvalidInput", ({ rule }) => fileError(file, rule)))

const fromKeyFile = (file: KeyFile): Effect.Effect<Service, WalletError> =>
  Effect.acquireUseRelease(
    io(file, () => open(file.path, READ_AT_ONCE)),
    (handle) => fromHandle(file, handle),
    (handle) => Effect.promise(() => handle.close())
  )

/**
 * Reads a keypair file: the JSON array of 64 byte values that `solana-keygen` writes. `~` is the home folder. Fails
 * with `WalletError` `KeyFile` if the file is missing, unreadable, not regular, over 4096 bytes, or has other content.
 * The error has the path and the rule, never the content; a path that may be a key is not shown. It logs a warning if
 * others can read the file.
 *
 * It overwrites the file's text and the secret bytes once the key is imported. The copy inside `node:crypto` exists as
 * long as the wallet and cannot be overwritten; `sodium-native` wipes its copy on garbage collection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFile = (path: string): Effect.Effect<Service, WalletError> =>
  fromKeyFile({
    path: expand(path),
    name: KeyText.isPath(path) ? `keypair file ${path}` : "the keypair file (its path is not shown: it may be a key)"
  })

/**
 * The setting for `layerConfig`.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Redacted.Redacted<string>> = Setting.required({
  name: "POD_WALLET",
  expected: "the path of a keypair file, or the key itself: a JSON array of 64 byte values, or base58",
  parse: (text) => Either.right(Redacted.make(text))
})

const SETTING_RULE =
  "must be the path of a keypair file (if it is one, begin it with ./ or /), or the key itself: a JSON array of 64 " +
  "byte values, or base58 of 64 bytes"

const settingError = (rule: string) => new InvalidInput({ field: "POD_WALLET", rule })

const exists = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() =>
    stat(path).then(
      () => true,
      () => false
    )
  )

/** No error shows any part of the setting: a text that is not a path may be a key in an unknown form. */
const fromSetting = (setting: Redacted.Redacted<string>) =>
  Effect.suspend(() => {
    const text = KeyText.unquoted(Redacted.value(setting))
    const file = { path: expand(text), name: "the keypair file that POD_WALLET names" }
    const isFile = KeyText.isPath(text) ? Effect.succeed(true) : exists(file.path)
    return fromParsed(
      () => KeyText.parse(text),
      Effect.if(isFile, { onTrue: () => fromKeyFile(file), onFalse: () => settingError(SETTING_RULE) })
    )
  }).pipe(Effect.catchTag("InvalidInput", ({ rule }) => settingError(rule)))

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
 * @example
 * ```ts
 * import { Agent, WalletNode } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * export const register = Effect.flatMap(Agent.Agent, (agents) =>
 *   agents.register({ metadataUri: "https://example.com/agent.json" })
 * ).pipe(Effect.provide(WalletNode.layerFile("~/.config/solana/id.json")))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (path: string): Layer.Layer<Wallet, WalletError> => Layer.effect(Wallet, fromFile(path))

/**
 * The wallet in `POD_WALLET`: the path of a keypair file, the JSON array of such a file, or base58 of the same 64
 * bytes. It ignores surrounding blanks and quotes, and `~` is the home folder.
 *
 * Fails with `InvalidInput` if the setting is neither a key nor the path of a file, and with `WalletError` if the file
 * cannot be used. Neither shows any part of the setting. Keep a production key in a file: the setting stays in the
 * environment of the process, where it cannot be erased. Its text also stays in the heap until it is collected.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<Wallet, ConfigError.ConfigError | InvalidInput | WalletError> = Layer.effect(
  Wallet,
  Effect.flatMap(config, fromSetting)
)
