import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { vi } from "vitest"
import * as Address from "../../src/solana/Address.js"
import { secretKeyOf } from "../support/wallets.js"

vi.mock("sodium-native", () => {
  throw new Error("not installed")
})

describe("WalletNode without sodium-native", () => {
  it.effect("Given no libsodium, When wallets are made, Then node:crypto signs for them", () =>
    Effect.gen(function* () {
      // The tests' set-up has loaded it.
      vi.resetModules()
      const WalletNode = yield* Effect.promise(() => import("../../layers/WalletNode.js"))
      const Sodium = yield* Effect.promise(() => import("../../layers/internal/Sodium.js"))
      expect(Option.isNone(yield* Sodium.load)).toBe(true)
      const message = Uint8Array.of(1, 2, 3)
      const seeded = yield* WalletNode.fromSecretKey(Redacted.make(secretKeyOf(29)))
      const generated = yield* WalletNode.generate
      const [signature = new Uint8Array(0)] = yield* generated.sign([message])
      expect(yield* seeded.sign([message])).toStrictEqual([ed25519.sign(message, secretKeyOf(29).subarray(0, 32))])
      expect(ed25519.verify(signature, message, Address.toBytes(generated.address))).toBe(true)
    })
  )
})
