import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Kit from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Wallet from "../../services/Wallet.js"
import * as Address from "../../src/solana/Address.js"
import * as Wire from "../../src/solana/Wire.js"
import { legacyMessage, secretKeyOf } from "../support/wallets.js"

const messages = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(1232).fill(7)]

const verifies = (wallet: Wallet.Service, signature: Uint8Array | undefined, message: Uint8Array) =>
  signature !== undefined && ed25519.verify(signature, message, Address.toBytes(wallet.address))

const kitSigner = (seed: number) => Effect.promise(() => Kit.createKeyPairSignerFromBytes(secretKeyOf(seed)))

/** A signer of Kit's modifying kind, which changes each transaction so before it signs. */
const modifyingSigner = (
  { address, keyPair }: Kit.KeyPairSigner,
  change: (transaction: Kit.Transaction) => Kit.Transaction
): Kit.TransactionModifyingSigner => ({
  address,
  modifyAndSignTransactions: (transactions) =>
    Promise.all(
      transactions.map(async (transaction) => {
        const changed = {
          ...change(transaction),
          lifetimeConstraint: { blockhash: Kit.blockhash(address), lastValidBlockHeight: 1n }
        }
        Kit.assertIsTransactionWithinSizeLimit(changed)
        return Kit.partiallySignTransaction([keyPair], changed)
      })
    )
})

describe("Wallet", () => {
  it.effect("Given secret bytes, When the wallet signs, Then the signatures equal Kit's and verify", () =>
    Effect.gen(function* () {
      const signer = yield* kitSigner(1)
      const wallet = yield* Wallet.fromSecretKey(Redacted.make(secretKeyOf(1)))
      const signatures = yield* wallet.sign(messages)
      expect(wallet.address).toBe(signer.address)
      for (const [index, message] of messages.entries()) {
        const kits = yield* Effect.promise(() => Kit.signBytes(signer.keyPair.privateKey, message))
        expect(signatures[index]).toStrictEqual(kits)
        expect(verifies(wallet, signatures[index], message)).toBe(true)
      }
    })
  )

  it.effect("Given a key pair or a generated key, When the wallet signs, Then noble verifies the signature", () =>
    Effect.gen(function* () {
      const signer = yield* kitSigner(2)
      for (const wallet of [yield* Wallet.fromKeyPair(signer.keyPair), yield* Wallet.generate]) {
        const signatures = yield* wallet.sign(messages)
        expect(messages.every((message, index) => verifies(wallet, signatures[index], message))).toBe(true)
      }
    })
  )

  it.effect(
    "Given each kind of Kit signer, When it signs a transaction, Then the signature equals that of the key pair",
    () =>
      Effect.gen(function* () {
        const signer = yield* kitSigner(3)
        const message = legacyMessage(signer.address)
        const expected = yield* Effect.promise(() => Kit.signBytes(signer.keyPair.privateKey, message))
        const { address, signMessages, signTransactions } = signer
        const modifying = modifyingSigner(signer, (transaction) => transaction)
        for (const kind of [signer, { address, signMessages }, { address, signTransactions }, modifying]) {
          const wallet = yield* Wallet.fromSigner(kind)
          expect(yield* wallet.sign([message])).toStrictEqual([expected])
        }
      })
  )

  it.effect("Given a signer that changes the transaction, When it signs, Then the signature is refused", () =>
    Effect.gen(function* () {
      const signer = yield* kitSigner(4)
      const other = Wire.encode([new Uint8Array(64)], legacyMessage(signer.address, 8))
      const modifying = modifyingSigner(signer, () => Kit.getTransactionDecoder().decode(other))
      const wallet = yield* Wallet.fromSigner(modifying)
      const error = yield* Effect.flip(wallet.sign([legacyMessage(signer.address)]))
      expect(error).toMatchObject({ _tag: "WalletError", reason: "Modified", isRetryable: false })
    })
  )

  it.effect(
    "Given a signer that overwrites or transfers the bytes, When it signs, Then the message stays as it is",
    () =>
      Effect.gen(function* () {
        const { address, signMessages } = yield* kitSigner(8)
        const signer = (spoil: (content: Uint8Array) => unknown): Kit.MessagePartialSigner => ({
          address,
          signMessages: async (messages) => {
            const signed = await signMessages(messages)
            for (const { content } of messages) spoil(content)
            return signed
          }
        })
        const spoils = [
          (content: Uint8Array) => content.fill(0),
          (content: Uint8Array) => structuredClone(content, { transfer: [content.buffer] })
        ]
        for (const spoil of spoils) {
          const message = legacyMessage(address)
          const wallet = yield* Wallet.fromSigner(signer(spoil))
          const [signature] = yield* wallet.sign([message])
          expect(message).toStrictEqual(legacyMessage(address))
          expect(verifies(wallet, signature, message)).toBe(true)
        }
      })
  )

  it.effect("Given a signer that can only send, When a wallet is made, Then it is refused", () =>
    Effect.gen(function* () {
      const { address } = yield* kitSigner(5)
      const error = yield* Effect.flip(
        Wallet.fromSigner({ address, signAndSendTransactions: () => Promise.resolve([]) })
      )
      expect(error).toMatchObject({ reason: "Unsupported", address })
    })
  )

  it.effect("Given a signer that fails or returns nothing, When it signs, Then the error is typed", () =>
    Effect.gen(function* () {
      const { address } = yield* kitSigner(6)
      const refusing = yield* Wallet.fromSigner({ address, signMessages: () => Promise.reject(new Error("no")) })
      const silent = yield* Wallet.fromSigner({ address, signMessages: () => Promise.resolve([]) })
      expect(yield* Effect.flip(refusing.sign(messages))).toMatchObject({ reason: "Refused", isRetryable: true })
      expect(yield* Effect.flip(silent.sign(messages))).toMatchObject({ reason: "InvalidSignature" })
    })
  )

  it.effect("Given a signer that waits for a person, When the caller is interrupted, Then its signal is aborted", () =>
    Effect.gen(function* () {
      const { address } = yield* kitSigner(7)
      const signals: Array<AbortSignal | undefined> = []
      const wallet = yield* Wallet.fromSigner({
        address,
        signMessages: (_, config) => {
          signals.push(config?.abortSignal)
          return new Promise(() => {})
        }
      })
      const fiber = yield* Effect.fork(wallet.sign(messages))
      yield* Effect.yieldNow()
      yield* fiber.interruptAsFork(fiber.id())
      yield* fiber.await
      expect(signals.map((signal) => signal?.aborted)).toStrictEqual([true])
    })
  )

  it.effect(
    "Given bytes of another length or halves of two keys, When a wallet is made, Then it fails with InvalidInput",
    () =>
      Effect.gen(function* () {
        const [one, two] = [secretKeyOf(8), secretKeyOf(9)]
        const mixed = Uint8Array.of(...one.subarray(0, 32), ...two.subarray(32))
        const short = yield* Effect.flip(Wallet.fromSecretKey(Redacted.make(one.subarray(1))))
        const wrong = yield* Effect.flip(Wallet.fromSecretKey(Redacted.make(mixed)))
        expect(short).toMatchObject({ _tag: "InvalidInput", field: "secretKey", size: 63 })
        expect(wrong).toMatchObject({ _tag: "InvalidInput", field: "secretKey" })
        const [a, b] = [yield* kitSigner(8), yield* kitSigner(9)]
        const halves = { privateKey: a.keyPair.privateKey, publicKey: b.keyPair.publicKey }
        expect(yield* Effect.flip(Wallet.fromKeyPair(halves))).toMatchObject({ field: "keyPair" })
      })
  )

  it.effect("Given a key that is not Ed25519, When a wallet is made, Then it fails with Unsupported", () =>
    Effect.gen(function* () {
      const algorithm = { name: "ECDSA", namedCurve: "P-256" }
      const keyPair = yield* Effect.promise(() => crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]))
      expect(yield* Effect.flip(Wallet.fromKeyPair(keyPair))).toMatchObject({ reason: "Unsupported" })
    })
  )

  it.effect("Given a wallet of secret bytes, When it is printed, Then no part of the key is shown", () =>
    Effect.gen(function* () {
      const secretKey = Redacted.make(secretKeyOf(10))
      const wallet = yield* Wallet.fromSecretKey(secretKey)
      const printed = inspect(wallet, { depth: 9, showHidden: true }) + JSON.stringify(wallet) + String(secretKey)
      const half = secretKeyOf(10).subarray(0, 16)
      for (const form of [half.join(","), half.join(", "), Buffer.from(half).toString("hex")]) {
        expect(printed).not.toContain(form)
      }
      expect(Object.keys(wallet)).toStrictEqual(["address", "sign"])
    })
  )

  it.effect("Given the layers, When they are built, Then they provide the wallet", () =>
    Effect.gen(function* () {
      const signer = yield* kitSigner(11)
      const address = Effect.map(Wallet.Wallet, (wallet) => wallet.address)
      const layers = [
        Wallet.layerSigner(signer),
        Wallet.layerKeyPair(signer.keyPair),
        Wallet.layerSecretKey(Redacted.make(secretKeyOf(11)))
      ]
      for (const layer of layers) expect(yield* Effect.provide(address, layer)).toBe(signer.address)
      expect(yield* Effect.provide(address, Wallet.layerGenerated)).not.toBe(signer.address)
    })
  )
})
