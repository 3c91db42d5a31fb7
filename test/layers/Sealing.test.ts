import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto"
import { describe, expect, it, vi } from "@effect/vitest"
import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as X25519 from "../../layers/internal/X25519.js"
import * as SealingNode from "../../layers/SealingNode.js"
import * as WalletNode from "../../layers/WalletNode.js"
import type * as Wallet from "../../services/Wallet.js"
import * as Hpke from "../../src/internal/hpke.js"
import * as Sealed from "../../src/protocol/Sealed.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Curve from "../../src/solana/Curve.js"
import { secretKeyOf } from "../support/wallets.js"

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const INFO = new TextEncoder().encode("PoD sealed 1 and what it is bound to")
const HELLO = new TextEncoder().encode("hello")

/** RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode. */
const vector = {
  info: "4f6465206f6e2061204772656369616e2055726e",
  ikmE: "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b",
  skEm: "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
  pkEm: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
  skRm: "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
  pkRm: "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
  key: "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91",
  nonce: "5c4d98150661b848853b547f"
}

describe("sealing, against the vectors of RFC 9180", () => {
  it("Given the keys of A.2.1, when the schedule runs, then key and nonce are the vector's", () => {
    const dh = x25519.getSharedSecret(hex(vector.skEm), hex(vector.pkRm))
    const keys = Hpke.keys((key, text) => createHmac("sha256", key).update(text).digest(), {
      dh,
      enc: hex(vector.pkEm),
      recipientKey: hex(vector.pkRm),
      info: hex(vector.info)
    })
    expect([toHex(keys.key), toHex(keys.nonce)]).toEqual([vector.key, vector.nonce])
  })

  it("Given the keying material of A.2.1, when it is sealed, then enc is the vector's and the recipient opens it", () => {
    const sealed = X25519.seal(hex(vector.pkRm), hex(vector.info), HELLO, X25519.pairFrom(hex(vector.ikmE)))
    expect(toHex(sealed.enc)).toBe(vector.pkEm)
    expect(X25519.fromSecret(hex(vector.skRm)).open(sealed, hex(vector.info))).toEqual(HELLO)
  })

  it("Given a new ephemeral key, when it is used, then it is not exported after its generation", () => {
    const prototype: Pick<KeyObject, "export"> = Object.getPrototypeOf(generateKeyPairSync("x25519").publicKey)
    const exported = vi.spyOn(prototype, "export")
    const sealed = X25519.seal(hex(vector.pkRm), hex(vector.info), HELLO)
    expect(exported).not.toHaveBeenCalled()
    exported.mockRestore()
    expect(X25519.fromSecret(hex(vector.skRm)).open(sealed, hex(vector.info))).toEqual(HELLO)
  })
})

/** A pair of WebCrypto that is not extractable. */
const importedPair = (secretKey: Uint8Array) =>
  Effect.promise(async () => ({
    privateKey: await crypto.subtle.importKey("pkcs8", pkcs8(secretKey.subarray(0, 32)), "Ed25519", false, ["sign"]),
    publicKey: await crypto.subtle.importKey("raw", Uint8Array.from(secretKey.subarray(32)), "Ed25519", true, [
      "verify"
    ])
  }))

const pkcs8 = (seed: Uint8Array) => Uint8Array.from([...hex("302e020100300506032b657004220420"), ...seed])

const pairOf = Effect.promise(() => crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]))

const wallets = {
  "64 bytes": WalletNode.fromSecretKey(Redacted.make(secretKeyOf(7))),
  "a generated key": WalletNode.generate,
  "a CryptoKeyPair that is not extractable": Effect.flatMap(pairOf, WalletNode.fromKeyPair)
}

const opened = (wallet: Wallet.Service, sealed: Sealed.Sealed, info: Uint8Array) =>
  wallet.unseal === undefined ? Effect.succeedNone : wallet.unseal(sealed, info)

describe.each(Object.entries(wallets))("sealing to the wallet of %s", (_, wallet) => {
  it.effect("Given any bytes, when sealed, then this wallet opens them and no other", () =>
    Effect.gen(function* () {
      const recipient = yield* wallet
      const other = yield* WalletNode.generate
      for (const size of [0, 1, 1000, 100_000]) {
        const bytes = new Uint8Array(size).fill(5)
        const sealed = yield* SealingNode.make.seal(recipient.address, INFO, bytes)
        expect(yield* opened(recipient, sealed, INFO)).toEqual(Option.some(bytes))
        expect(yield* opened(other, sealed, INFO)).toEqual(Option.none())
        expect(yield* opened(recipient, sealed, HELLO)).toEqual(Option.none())
      }
    })
  )

  it.effect("Given sealed bytes, when any bit is flipped or any byte is cut, then nothing comes out", () =>
    Effect.gen(function* () {
      const recipient = yield* wallet
      const sealed = yield* SealingNode.make.seal(recipient.address, INFO, HELLO)
      const whole = Sealed.encode(sealed)
      const read = (bytes: Uint8Array) => {
        const parts = Sealed.decode(bytes)
        return parts._tag === "Left" || parts.right.keyKind !== "wallet"
          ? Effect.succeedNone
          : opened(recipient, parts.right, INFO)
      }
      expect(yield* read(whole)).toEqual(Option.some(HELLO))
      for (let at = 0; at < whole.length; at++) {
        for (const bit of [1, 128]) {
          const changed = whole.slice()
          changed[at] = (changed[at] ?? 0) ^ bit
          // X25519 ignores the highest bit of a key, and HPKE hashes it.
          expect([at, yield* read(changed)]).toEqual([at, Option.none()])
        }
        expect(yield* read(whole.subarray(0, at))).toEqual(Option.none())
      }
    })
  )

  it.effect("Given ephemeral keys of small order, when opened, then nothing comes out", () =>
    Effect.gen(function* () {
      const recipient = yield* wallet
      const { ciphertext } = yield* SealingNode.make.seal(recipient.address, INFO, HELLO)
      for (const enc of [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
      ]) {
        expect(yield* opened(recipient, { enc: hex(enc), ciphertext }, INFO)).toEqual(Option.none())
      }
    })
  )
})

describe("the time of a failure", () => {
  it.effect("Given sealed bytes that are wrong in different places, when opened, then each takes the same time", () =>
    Effect.gen(function* () {
      const recipient = yield* wallets["64 bytes"]
      const sealed = yield* SealingNode.make.seal(recipient.address, INFO, new Uint8Array(1000))
      const flipped = (at: number) => ({
        ...sealed,
        ciphertext: sealed.ciphertext.with(at, (sealed.ciphertext[at] ?? 0) ^ 1)
      })
      const wrong = [
        opened(recipient, flipped(0), INFO),
        opened(recipient, flipped(sealed.ciphertext.length - 1), INFO),
        opened(recipient, sealed, HELLO)
      ]
      const times: ReadonlyArray<Array<number>> = wrong.map(() => [])
      for (let round = 0; round < 150; round++) {
        for (const [index, open] of wrong.entries()) {
          const start = performance.now()
          expect(yield* open).toEqual(Option.none())
          times[index]?.push(performance.now() - start)
        }
      }
      const medians = times.map((values) => values.toSorted((a, b) => a - b)[75] ?? Number.NaN)
      // The interleaved medians differ by about 1 %.
      expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(1.5)
    })
  )
})

describe("sealing with a derived ephemeral key", () => {
  it.effect("Given the same call, when sealed, then the bytes are the same, and those of any other call differ", () =>
    Effect.gen(function* () {
      // libsodium derives for the first, node:crypto for the second.
      const sender = yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(7)))
      const same = yield* Effect.flatMap(importedPair(secretKeyOf(7)), WalletNode.fromKeyPair)
      const other = yield* WalletNode.generate
      const recipient = yield* WalletNode.generate
      const seal = (
        { derive }: Wallet.Service,
        to: Wallet.Service = recipient,
        info: Uint8Array = INFO,
        bytes: Uint8Array = HELLO
      ) => Effect.map(SealingNode.make.seal(to.address, info, bytes, derive), Sealed.encode)
      const sealed = yield* seal(sender)
      expect(yield* seal(sender)).toEqual(sealed)
      expect(yield* seal(same)).toEqual(sealed)
      const others = yield* Effect.all([
        seal(other),
        seal(sender, other),
        seal(sender, recipient, HELLO),
        seal(sender, recipient, INFO, INFO)
      ])
      const ephemeral = [sealed, ...others].map((bytes) => toHex(bytes.subarray(8, 40)))
      expect(new Set(ephemeral).size).toBe(5)
      expect(yield* opened(recipient, Either.getOrThrow(Sealed.decode(sealed)), INFO)).toEqual(Option.some(HELLO))
    })
  )
})

describe("Curve.toX25519", () => {
  it("Given any key, when converted, then it is noble's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const key = ed25519.getPublicKey(seed)
        expect(Curve.toX25519(Addresses.fromBytes(key))).toEqual(ed25519.utils.toMontgomery(key))
      }),
      { numRuns: 10 }
    )
  })

  it.effect("Given an address that nobody can have a key for, when sealed to, then it is InvalidInput", () =>
    Effect.gen(function* () {
      const { Point } = ed25519
      const small = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
      const mixed = Point.fromBytes(ed25519.getPublicKey(new Uint8Array(32).fill(9))).add(small)
      const cases: ReadonlyArray<Address> = [
        Addresses.SYSTEM_PROGRAM,
        Addresses.fromBytes(small.toBytes()),
        Addresses.fromBytes(mixed.toBytes()),
        Addresses.fromBytes(Point.ZERO.toBytes()),
        Addresses.fromBytes(new Uint8Array(32).fill(255))
      ]
      for (const address of cases) {
        expect(yield* Effect.flip(SealingNode.make.seal(address, INFO, HELLO))).toMatchObject({
          _tag: "InvalidInput",
          field: "recipient"
        })
      }
    })
  )
})

describe("Sealed", () => {
  it("Given any bytes, when padded and unpadded, then they are the same, in steps of 256 and 4096 bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9000 }), (bytes) => {
        const padded = Sealed.pad([bytes.subarray(0, 3), bytes.subarray(3)])
        expect(Sealed.unpad(padded)).toEqual(bytes)
        expect(padded.length % (bytes.length < 4096 ? 256 : 4096)).toBe(0)
      }),
      { numRuns: 50, examples: [[new Uint8Array(0)], [new Uint8Array(255)], [new Uint8Array(4096)]] }
    )
    expect(Sealed.unpad(new Uint8Array(256))).toBeUndefined()
    expect(Sealed.unpad(new Uint8Array(0))).toBeUndefined()
  })

  it("Given other versions, suites and kinds of key, when decoded, then each gives its reason", () => {
    const bytes = Sealed.encode({ enc: new Uint8Array(32), ciphertext: new Uint8Array(300) })
    for (const [at, expected] of [
      [4, "Unsupported"],
      [5, "Unsupported"],
      [6, "Unsupported"],
      [3, "Malformed"],
      [0, "Malformed"]
    ] as const) {
      const changed = bytes.slice()
      changed[at] = 9
      expect(Sealed.decode(changed)).toMatchObject({ left: expected })
    }
    expect(Sealed.decode(bytes.subarray(0, 55))).toMatchObject({ left: "Malformed" })
  })
})
