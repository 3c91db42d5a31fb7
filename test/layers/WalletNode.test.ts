import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Kit from "@solana/kit"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { vi } from "vitest"
import * as WalletNode from "../../layers/WalletNode.js"
import { Wallet } from "../../services/Wallet.js"
import * as Address from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import { runs } from "../support/runs.js"
import { secretKeyOf } from "../support/wallets.js"

const kitSigner = (seed: number) => Effect.promise(() => Kit.createKeyPairSignerFromBytes(secretKeyOf(seed)))

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "pod-wallet-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const fileOf = (content: string) =>
  Effect.flatMap(directory, (path) => {
    const file = join(path, "id.json")
    return Effect.as(
      Effect.promise(() => writeFile(file, content, { mode: 0o600 })),
      file
    )
  })

const addressOf = <E>(layer: Layer.Layer<Wallet, E>) =>
  Effect.provide(
    Effect.map(Wallet, (wallet) => wallet.address),
    layer
  )

const withSetting = (setting: string) =>
  WalletNode.layerConfig.pipe(
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["POD_WALLET", setting]]))))
  )

const WORDS = "abandon ability able about above absent absorb abstract absurd abuse access accident".split(" ")

/** Forms in which people keep a key, and none that is read here. */
const otherForms: Record<string, (key: Uint8Array) => string> = {
  hex: (key) => Buffer.from(key).toString("hex"),
  prefixedHex: (key) => `0x${Buffer.from(key).toString("hex")}`,
  hexOfSeed: (key) => Buffer.from(key.subarray(0, 32)).toString("hex"),
  base64: (key) => Buffer.from(key).toString("base64"),
  base64WithSlash: (key) => `/${Buffer.from(key).toString("base64").slice(1)}`,
  base64OfSeed: (key) => Buffer.from(key.subarray(0, 32)).toString("base64"),
  base64Url: (key) => Buffer.from(key).toString("base64url"),
  base58OfSeed: (key) => Base58.encode(key.subarray(0, 32)),
  base58Cut: (key) => Base58.encode(key).slice(0, -1),
  base58Misspelt: (key) => Base58.encode(key).replace(/.$/, "0"),
  base58OfOther: (key) => Base58.encode(key.with(63, (key[63] ?? 0) ^ 1)),
  numbers: (key) => key.join(","),
  numbersWithBlanks: (key) => key.join(" "),
  openArray: (key) => `[${key.join(",")}`,
  arrayOfSeed: (key) => `[${key.subarray(0, 32).join(",")}]`,
  arrayOfOther: (key) => `[${key.with(63, (key[63] ?? 0) ^ 1).join(",")}]`,
  halfQuoted: (key) => `'[${key.join(",")}]`,
  object: (key) => JSON.stringify({ secretKey: [...key] }),
  array: (key) => `Uint8Array(64) [${key.join(", ")}]`,
  mnemonic: (key) => Array.from(key.subarray(0, 24), (byte) => WORDS[byte % 12]).join(" "),
  pem: (key) => `-----BEGIN PRIVATE KEY-----\n${Buffer.from(key).toString("base64")}\n-----END PRIVATE KEY-----`,
  long: (key) => Base58.encode(key).repeat(100),
  withZero: (key) => `${Base58.encode(key)}\0`
}

/** Everything that a failure prints: as text, JSON, inspected, and in the log. */
const shownBy = async <A, E>(effect: Effect.Effect<A, E>): Promise<string> => {
  const logged: Array<string> = []
  const logger = Logger.map(Logger.stringLogger, (line) => logged.push(line))
  const exit = await Effect.runPromiseExit(
    Effect.tapErrorCause(effect, Effect.logError).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Effect.withLogSpan("POD")
    )
  )
  if (Exit.isSuccess(exit)) return expect.fail("a wallet was made")
  const error = Cause.squash(exit.cause)
  return [
    Cause.pretty(exit.cause, { renderErrorCause: true }),
    JSON.stringify(exit),
    inspect(exit, { depth: 20, showHidden: true }),
    String(error),
    inspect(error, { depth: 20, showHidden: true }),
    ...logged
  ].join("\n")
}

/** Twelve characters of `secret` that `text` holds, or none. */
const sharedText = (text: string, secret: string): string => {
  for (let at = 0; at + 12 <= secret.length; at++) {
    const part = secret.slice(at, at + 12)
    if (text.includes(part)) return part
  }
  return ""
}

describe("WalletNode", () => {
  it.effect("Given one effect that makes a wallet, When it runs twice, Then both wallets sign", () =>
    Effect.gen(function* () {
      const make = WalletNode.fromSecretKey(Redacted.make(secretKeyOf(20)))
      const [one, two] = [yield* make, yield* make]
      const message = Uint8Array.of(1, 2, 3)
      expect(yield* two.sign([message])).toEqual(yield* one.sign([message]))
    })
  )

  it.effect("Given any message, When a key signs it on the fast path, Then Kit gives the same signature", () =>
    Effect.gen(function* () {
      const signer = yield* kitSigner(21)
      const wallets = [
        yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(21))),
        yield* WalletNode.fromKeyPair(signer.keyPair)
      ]
      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.uint8Array({ maxLength: 1232 }), async (message) => {
            const kits = await Kit.signBytes(signer.keyPair.privateKey, message)
            for (const wallet of wallets) {
              expect(wallet.synchronous).toBe(true)
              const [ours] = Effect.runSync(wallet.sign([message]))
              expect(ours).toStrictEqual(kits)
            }
          }),
          { numRuns: runs(100) }
        )
      )
    })
  )

  it.effect(
    "Given 200 messages, When they are signed at once, Then each gets its signature, and sockets are served meanwhile",
    () =>
      Effect.gen(function* () {
        const wallet = yield* WalletNode.generate
        const messages = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index))
        let turns = 0
        const turn = (): void => {
          turns++
          next = setImmediate(turn)
        }
        let next = setImmediate(turn)
        const signatures = yield* wallet.sign(messages)
        clearImmediate(next)
        expect(turns).toBeGreaterThanOrEqual(3)
        const key = Address.toBytes(wallet.address)
        expect(signatures).toHaveLength(200)
        expect(signatures.every((signature, index) => ed25519.verify(signature, Uint8Array.of(index), key))).toBe(true)
      })
  )

  it.effect("Given a keypair file, When it is read, Then it is the wallet of that key", () =>
    Effect.gen(function* () {
      const { address } = yield* kitSigner(22)
      const file = yield* fileOf(JSON.stringify([...secretKeyOf(22)], null, 2))
      expect((yield* WalletNode.fromFile(file)).address).toBe(address)
      expect(yield* addressOf(WalletNode.layerFile(file))).toBe(address)
      expect(yield* addressOf(withSetting(file))).toBe(address)
    }).pipe(Effect.scoped)
  )

  it.effect("Given the key itself as POD_WALLET, When the layer is built, Then it is the wallet of that key", () =>
    Effect.gen(function* () {
      const key = secretKeyOf(23)
      const { address } = yield* kitSigner(23)
      const array = `[${key.join(", ")}]`
      for (const setting of [` ${array}\n`, `'${array}'`, `"${array}"`, ` "'${array}'" `, Base58.encode(key)]) {
        expect(yield* addressOf(withSetting(setting))).toBe(address)
        expect(yield* addressOf(withSetting(`'${setting}'`))).toBe(address)
      }
    })
  )

  it.effect(
    "Given a key in any other form as POD_WALLET, When the layer is built, Then no output shows a part of it",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            FastCheck.uint8Array({ minLength: 32, maxLength: 32 }),
            FastCheck.constantFrom(...Object.values(otherForms)),
            async (seed, form) => {
              const key = Uint8Array.of(...seed, ...ed25519.getPublicKey(seed))
              const setting = form(key)
              const shown = await shownBy(addressOf(withSetting(setting)))
              expect(shown).toContain("POD_WALLET")
              expect(sharedText(shown, setting)).toBe("")
              const asPath = await shownBy(WalletNode.fromFile(setting))
              expect(asPath).toContain("KeyFile")
              expect(sharedText(asPath, setting)).toBe("")
            }
          ),
          { numRuns: runs(100) }
        )
      )
  )

  it.effect(
    "Given an unusable key file, When POD_WALLET names it, Then the error has the reason without the content",
    () =>
      Effect.gen(function* () {
        const path = yield* directory
        const write = (name: string, content: string) =>
          Effect.promise(() => writeFile(join(path, name), content, { mode: 0o600 }))
        yield* write("other.json", JSON.stringify([...secretKeyOf(24).subarray(1)]))
        yield* write("id", JSON.stringify([...secretKeyOf(24)]))
        const cases = [
          [join(path, "SECRET.json"), /does not exist/],
          [join(path, "other.json/SECRET.json"), /does not exist/],
          [path, /is a folder/],
          [join(path, "other.json"), /must be a JSON array/],
          ["/dev/null", /regular file/]
        ] as const
        for (const [setting, reason] of cases) {
          const error = yield* Effect.flip(addressOf(withSetting(setting)))
          expect(error).toMatchObject({ _tag: "WalletError", reason: "KeyFile" })
          expect(error.message).toContain("POD_WALLET")
          expect(error.message).toMatch(reason)
          expect(inspect(error, { depth: 9 })).not.toContain(setting)
        }
        const { address } = yield* kitSigner(24)
        expect(yield* addressOf(withSetting(`"${join(path, "id")}"`))).toBe(address)
        vi.stubEnv("HOME", path)
        yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
        expect(yield* addressOf(withSetting("~/id"))).toBe(address)
        expect((yield* WalletNode.fromFile("~/id")).address).toBe(address)
      }).pipe(Effect.scoped)
  )

  it.effect.each([
    [0o600, 0],
    [0o644, 1],
    [0o640, 1]
  ] as const)("Given a key file of mode %i, When it is read, Then %i warning is logged", ([mode, warnings]) =>
    Effect.gen(function* () {
      const file = yield* fileOf(JSON.stringify([...secretKeyOf(24)]))
      yield* Effect.promise(() => chmod(file, mode))
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${String(message)}`))
      const quiet = Logger.replace(Logger.defaultLogger, logger)
      yield* Effect.provide(WalletNode.fromFile(file), quiet)
      expect(logged).toHaveLength(warnings)
      for (const line of logged) expect(line).toMatch(/^WARN .*id\.json can be read by others: chmod 600/)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "Given content that is no keypair, When it is read, Then the error names path and rule, not the content",
    () =>
      Effect.gen(function* () {
        const [one, two] = [secretKeyOf(24), secretKeyOf(25)]
        const contents = [
          "",
          "SECRETWORD",
          "[24,24,24",
          JSON.stringify([...one.subarray(1)]),
          JSON.stringify([...one, 0]),
          JSON.stringify([256, ...one.subarray(1)]),
          JSON.stringify([0.5, ...one.subarray(1)]),
          JSON.stringify([...one.subarray(0, 32), ...two.subarray(32)]),
          JSON.stringify([...one]).padEnd(5000)
        ]
        for (const content of contents) {
          const file = yield* fileOf(content)
          const error = yield* Effect.flip(WalletNode.fromFile(file))
          expect(error).toMatchObject({ _tag: "WalletError", reason: "KeyFile", isRetryable: false })
          expect(error.message).toContain(file)
          expect(inspect(error, { depth: 9 })).not.toMatch(/24,\s*24|SECRETWORD/)
        }
      }).pipe(Effect.scoped)
  )

  it.effect("Given a path that is missing or a folder, When it is read, Then the error names it", () =>
    Effect.gen(function* () {
      const path = yield* directory
      yield* Effect.promise(() => mkdir(join(path, "folder")))
      for (const name of ["missing", "folder"]) {
        const error = yield* Effect.flip(WalletNode.fromFile(join(path, name)))
        expect(error).toMatchObject({ reason: "KeyFile" })
        expect(error.message).toContain(join(path, name))
      }
    }).pipe(Effect.scoped)
  )

  it.effect(
    "Given a POD_WALLET that is an array of other values or no array, When it is built, Then the error says so",
    () =>
      Effect.gen(function* () {
        const wrong = yield* Effect.flip(addressOf(withSetting("[1, 2, 3]")))
        const none = yield* Effect.flip(
          addressOf(
            WalletNode.layerConfig.pipe(Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))))
          )
        )
        expect(wrong).toMatchObject({ _tag: "InvalidInput", field: "POD_WALLET" })
        expect(String(none)).toContain("POD_WALLET")
      })
  )

  it.effect("Given halves of two keys or another curve, When a wallet is made, Then it is refused", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* kitSigner(26), yield* kitSigner(27)]
      const halves = { privateKey: a.keyPair.privateKey, publicKey: b.keyPair.publicKey }
      const algorithm = { name: "ECDSA", namedCurve: "P-256" }
      const other = yield* Effect.promise(() => crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]))
      expect(yield* Effect.flip(WalletNode.fromKeyPair(halves))).toMatchObject({ field: "keyPair" })
      expect(yield* Effect.flip(WalletNode.fromKeyPair(other))).toMatchObject({ _tag: "WalletError" })
      expect(yield* Effect.flip(WalletNode.fromSecretKey(Redacted.make(new Uint8Array(3))))).toMatchObject({
        field: "secretKey",
        size: 3
      })
    })
  )

  it.effect(
    "Given the key layers, When they are built, Then they provide the wallet, and its inspection shows no key",
    () =>
      Effect.gen(function* () {
        const signer = yield* kitSigner(28)
        expect(yield* addressOf(WalletNode.layerKeyPair(signer.keyPair))).toBe(signer.address)
        expect(yield* addressOf(WalletNode.layerSecretKey(Redacted.make(secretKeyOf(28))))).toBe(signer.address)
        expect(yield* addressOf(WalletNode.layerGenerated)).not.toBe(signer.address)
        const wallet = yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(28)))
        expect(inspect(wallet, { depth: 9, showHidden: true })).not.toMatch(/28,\s*28|1c1c/)
      })
  )
})
