import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Shared from "../../layers/internal/sealing.js"
import * as Sodium from "../../layers/internal/Sodium.js"
import * as X25519 from "../../layers/internal/X25519.js"
import * as X25519Web from "../../layers/internal/X25519Web.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as SealingWeb from "../../layers/SealingWeb.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as Sealing from "../../services/Sealing.js"
import type * as Wallet from "../../services/Wallet.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Curve from "../../src/solana/Curve.js"
import { secretKeyOf } from "../support/wallets.js"

const SEED = 23
const INFO = new TextEncoder().encode("PoD sealed 1 and what it is bound to")
const OTHER = new TextEncoder().encode("another binding")
const bytes = new Uint8Array(1000).fill(5)

const secretKey = Redacted.make(secretKeyOf(SEED))

/** Seals, and opens with a wallet of the seed. */
interface Platform {
  readonly sealing: Sealing.Service
  readonly wallet: Required<Pick<Wallet.Service, "address" | "derive" | "unseal">>
}

const withoutWebCrypto = Effect.gen(function* () {
  const hpke = yield* Effect.zipWith(X25519Web.nobleExchange, X25519Web.cipher, X25519Web.make)
  const { address, derive } = yield* SealingWeb.walletFromSecretKey(secretKey)
  const secret = X25519Web.secretOf(secretKeyOf(SEED).subarray(0, 32))
  return {
    sealing: Shared.make({
      ...hpke,
      hmac: X25519Web.hmac,
      sealTo: (...of) => Effect.promise(() => hpke.seal(...of))
    }),
    wallet: {
      address,
      derive,
      unseal: (sealed, info) =>
        Effect.map(
          Effect.promise(() => hpke.open(secret, sealed, info)),
          Option.fromNullable
        )
    }
  } satisfies Platform
})

/** The part of `@hpke/core` that is used. */
interface Suite {
  readonly kem: { readonly importKey: (format: "raw", key: ArrayBuffer, isPublic: boolean) => Promise<CryptoKey> }
  readonly seal: (
    to: { readonly recipientPublicKey: CryptoKey; readonly info: ArrayBuffer },
    bytes: ArrayBuffer
  ) => Promise<{ readonly enc: ArrayBuffer; readonly ct: ArrayBuffer }>
  readonly open: (
    from: { readonly recipientKey: CryptoKey; readonly enc: ArrayBuffer; readonly info: ArrayBuffer },
    bytes: ArrayBuffer
  ) => Promise<ArrayBuffer>
}

/** Loaded by name: a checkout with older packages than its lock still compiles. */
const loaded = (name: string) =>
  Effect.promise((): Promise<Record<string, new (parts?: object) => unknown>> => import(name))

const isSuite = (made: unknown): made is Suite =>
  Predicate.hasProperty(made, "kem") && Predicate.hasProperty(made, "seal") && Predicate.hasProperty(made, "open")

const suiteOf = Effect.gen(function* () {
  const { CipherSuite, HkdfSha256 } = yield* loaded("@hpke/core")
  const { DhkemX25519HkdfSha256 } = yield* loaded("@hpke/dhkem-x25519")
  const { Chacha20Poly1305 } = yield* loaded("@hpke/chacha20poly1305")
  if (!CipherSuite || !HkdfSha256 || !DhkemX25519HkdfSha256 || !Chacha20Poly1305) throw new Error("run npm ci")
  const parts = { kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() }
  const suite = new CipherSuite(parts)
  if (!isSuite(suite)) throw new Error("run npm ci")
  return suite
})

/** The bytes in a buffer of their own. */
const own = (bytes: Uint8Array) => Uint8Array.from(bytes).buffer

/** An implementation of HPKE that is not ours. It derives nothing. */
const hpkeCore = Effect.gen(function* () {
  const suite = yield* suiteOf
  const { address, derive } = yield* SealingWeb.walletFromSecretKey(secretKey)
  const recipientKey = yield* Effect.promise(() =>
    suite.kem.importKey("raw", own(X25519Web.secretOf(secretKeyOf(SEED).subarray(0, 32))), false)
  )
  const sealing = Shared.make({
    ...X25519,
    sealTo: (key, info, bytes) =>
      Effect.promise(async () => {
        const recipientPublicKey = await suite.kem.importKey("raw", own(key), true)
        const { ct, enc } = await suite.seal({ recipientPublicKey, info: own(info) }, own(bytes))
        return { enc: new Uint8Array(enc), ciphertext: new Uint8Array(ct) }
      })
  })
  return {
    sealing,
    wallet: {
      address,
      derive,
      unseal: ({ ciphertext, enc }, info) =>
        Effect.tryPromise(() => suite.open({ recipientKey, enc: own(enc), info: own(info) }, own(ciphertext))).pipe(
          Effect.map((opened) => new Uint8Array(opened)),
          Effect.option
        )
    }
  } satisfies Platform
})

/** The wallet of a `CryptoKeyPair` never goes through libsodium. */
const node = Effect.gen(function* () {
  const bytes = secretKeyOf(SEED)
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), bytes.subarray(0, 32)])
  const privateKey = yield* Effect.promise(() => crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]))
  const publicKey = yield* Effect.promise(() =>
    crypto.subtle.importKey("raw", bytes.slice(32), "Ed25519", true, ["verify"])
  )
  return { sealing: SealingNode.make, wallet: yield* WalletNode.fromKeyPair({ privateKey, publicKey }) }
})

/** By libsodium, which this repository installs. */
const sodium = Effect.gen(function* () {
  expect(Option.isSome(yield* Sodium.load)).toBe(true)
  return { sealing: yield* Sealing.Sealing, wallet: yield* WalletNode.fromSecretKey(secretKey) }
}).pipe(Effect.provide(SealingNode.layer))

const web = Effect.all({ sealing: SealingWeb.make(), wallet: SealingWeb.walletFromSecretKey(secretKey) })

const platforms = {
  "node:crypto": node,
  libsodium: sodium,
  WebCrypto: web,
  noble: withoutWebCrypto,
  "@hpke/core": hpkeCore
}

describe("sealing on several platforms", () => {
  it.effect("Given each platform, When it seals, Then every platform opens it, and not for another binding", () =>
    Effect.gen(function* () {
      const all = yield* Effect.all(platforms)
      for (const [sealer, { sealing }] of Object.entries(all)) {
        for (const [opener, { wallet }] of Object.entries(all)) {
          const sealed = yield* sealing.seal(wallet.address, INFO, bytes)
          const opened = wallet.unseal === undefined ? Option.none() : yield* wallet.unseal(sealed, INFO)
          expect([sealer, opener, opened]).toEqual([sealer, opener, Option.some(bytes)])
          expect(wallet.unseal === undefined ? undefined : yield* wallet.unseal(sealed, OTHER)).toEqual(Option.none())
        }
      }
    })
  )

  it.effect("Given an id, When node:crypto, libsodium, WebCrypto and noble seal, Then the bytes are the same", () =>
    Effect.gen(function* () {
      const { "@hpke/core": _, ...ours } = yield* Effect.all(platforms)
      const [first, ...others] = yield* Effect.forEach(Object.values(ours), ({ sealing, wallet }) =>
        sealing.seal(wallet.address, INFO, bytes, wallet.derive)
      )
      for (const sealed of others) {
        expect(sealed.enc).toEqual(new Uint8Array(first?.enc ?? []))
        expect(sealed.ciphertext).toEqual(new Uint8Array(first?.ciphertext ?? []))
      }
    })
  )

  it.effect("Given hostile bytes, When they are opened, Then nothing comes out on any platform", () =>
    Effect.gen(function* () {
      for (const { sealing, wallet } of Object.values(yield* Effect.all({ sodium, web, withoutWebCrypto }))) {
        if (wallet.unseal === undefined) throw new Error("it cannot open")
        const { ciphertext, enc } = yield* sealing.seal(wallet.address, INFO, bytes)
        const changed = ciphertext.slice()
        changed[0] = (changed[0] ?? 0) ^ 1
        for (const sealed of [
          { enc, ciphertext: changed },
          { enc, ciphertext: ciphertext.subarray(1) },
          { enc, ciphertext: new Uint8Array(0) },
          { enc, ciphertext: new Uint8Array(15) },
          { enc: new Uint8Array(32), ciphertext },
          { enc: Uint8Array.of(1, ...new Uint8Array(31)), ciphertext },
          { enc: new Uint8Array(31), ciphertext }
        ]) {
          expect(yield* wallet.unseal(sealed, INFO)).toEqual(Option.none())
        }
      }
    })
  )

  it.effect("Given a shared key, When each platform encrypts, Then every platform decrypts, and no changed bytes", () =>
    Effect.gen(function* () {
      const all = Object.values(yield* Effect.all(platforms))
      const [key, other] = [Redacted.make(new Uint8Array(32).fill(1)), Redacted.make(new Uint8Array(32).fill(2))]
      for (const { sealing: from } of all) {
        const encrypted = yield* from.encrypt(key, INFO, bytes)
        const changed = encrypted.slice()
        changed[20] = (changed[20] ?? 0) ^ 1
        for (const { sealing: to } of all) {
          expect(yield* to.decrypt(key, INFO, encrypted)).toEqual(Option.some(bytes))
          for (const [wrong, info, hostile] of [
            [other, INFO, encrypted],
            [key, OTHER, encrypted],
            [key, INFO, changed],
            [key, INFO, encrypted.subarray(0, 27)],
            [key, INFO, encrypted.subarray(0, 28)],
            [key, INFO, new Uint8Array(0)]
          ] as const) {
            expect(yield* to.decrypt(wrong, info, hostile)).toEqual(Option.none())
          }
        }
      }
    })
  )

  it.effect("Given an address without a key, When it is sealed to in a browser, Then it is InvalidInput", () =>
    Effect.gen(function* () {
      const { seal } = yield* SealingWeb.make()
      const error = yield* Effect.flip(seal(Addresses.SYSTEM_PROGRAM, INFO, bytes))
      expect(error).toMatchObject({ _tag: "InvalidInput", field: "recipient" })
      expect(Curve.toX25519(Addresses.SYSTEM_PROGRAM)).toBeUndefined()
    })
  )
})
