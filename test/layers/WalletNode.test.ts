import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Kit from "@solana/kit"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as WalletNode from "../../layers/WalletNode.js"
import { Wallet } from "../../services/Wallet.js"
import * as Address from "../../src/solana/Address.js"
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
      Effect.promise(() => writeFile(file, content)),
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

describe("WalletNode", () => {
  it.effect("Given one effect that makes a wallet, when it runs twice, then both wallets sign", () =>
    Effect.gen(function* () {
      const make = WalletNode.fromSecretKey(Redacted.make(secretKeyOf(20)))
      const [one, two] = [yield* make, yield* make]
      const message = Uint8Array.of(1, 2, 3)
      expect(yield* two.sign([message])).toEqual(yield* one.sign([message]))
    })
  )

  it.effect("Given any message, when a key signs it on the fast path, then Kit gives the same signature", () =>
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
              const [ours] = await Effect.runPromise(wallet.sign([message]))
              expect(ours).toStrictEqual(kits)
            }
          }),
          { numRuns: runs(100) }
        )
      )
    })
  )

  it.effect("Given 200 messages, when they are signed at once, then each gets its own, and sockets their turns", () =>
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

  it.effect("Given a keypair file, when it is read, then it is the wallet of that key", () =>
    Effect.gen(function* () {
      const { address } = yield* kitSigner(22)
      const file = yield* fileOf(JSON.stringify([...secretKeyOf(22)], null, 2))
      expect((yield* WalletNode.fromFile(file)).address).toBe(address)
      expect(yield* addressOf(WalletNode.layerFile(file))).toBe(address)
      expect(yield* addressOf(withSetting(file))).toBe(address)
    }).pipe(Effect.scoped)
  )

  it.effect("Given the array itself as POD_WALLET, when the layer is built, then it is the wallet of that key", () =>
    Effect.gen(function* () {
      const { address } = yield* kitSigner(23)
      expect(yield* addressOf(withSetting(` [${secretKeyOf(23).join(", ")}]`))).toBe(address)
    })
  )

  it.effect(
    "Given content that is no keypair, when it is read, then the error names path and rule, not the content",
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

  it.effect("Given a path that is missing or a folder, when it is read, then the error names it", () =>
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

  it.effect("Given a POD_WALLET that is an array of something else, or none, when it is built, then it says so", () =>
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

  it.effect("Given halves of two keys or another curve, when a wallet is made, then it is refused", () =>
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

  it.effect("Given the key layers, when they are built, then they hold the wallet and nothing to print", () =>
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
