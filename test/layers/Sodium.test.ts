import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Sodium from "../../layers/internal/Sodium.js"
import { runs } from "../support/runs.js"

const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex")

const privateKeyOf = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" })

const publicKeyOf = (bytes: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: "der", type: "spki" })

const installed = Effect.map(Sodium.load, Option.getOrThrow)

describe("Sodium", () => {
  it.effect(
    "Given any seed and message, When it is signed, Then the signature equals that of node:crypto and of noble",
    () =>
      Effect.gen(function* () {
        const { fromSeed } = yield* installed
        FastCheck.assert(
          FastCheck.property(
            FastCheck.uint8Array({ minLength: 32, maxLength: 32 }),
            FastCheck.uint8Array({ maxLength: 1232 }),
            (seed, message) => {
              const key = fromSeed(seed)
              const signature = key.sign(message)
              expect(key.publicKey).toStrictEqual(ed25519.getPublicKey(seed))
              expect(signature).toStrictEqual(new Uint8Array(sign(null, message, privateKeyOf(seed))))
              expect(signature).toStrictEqual(ed25519.sign(message, seed))
            }
          ),
          { numRuns: runs(200) }
        )
      })
  )

  it.effect("Given more keys than a page holds, When wallets sign, Then each signs with its own key", () =>
    Effect.gen(function* () {
      const { fromSeed, generate } = yield* installed
      const message = Uint8Array.of(1, 2, 3)
      const seeds = Array.from({ length: 100 }, (_, index) => new Uint8Array(32).fill(index))
      const seeded = seeds.map(fromSeed)
      const generated = Array.from({ length: 100 }, generate)
      for (const [index, seed] of seeds.entries()) {
        expect(seeded[index]?.sign(message)).toStrictEqual(new Uint8Array(sign(null, message, privateKeyOf(seed))))
      }
      expect(generated.every((key) => verify(null, message, publicKeyOf(key.publicKey), key.sign(message)))).toBe(true)
      expect(new Set(generated.map(({ publicKey }) => publicKey.join())).size).toBe(100)
    })
  )

  it.effect("Given a key, When it is inspected, Then its secret is not shown", () =>
    Effect.gen(function* () {
      const { fromSeed } = yield* installed
      const seed = new Uint8Array(32).fill(28)
      expect(inspect(fromSeed(seed), { depth: 9, showHidden: true })).not.toMatch(/28,\s*28|1c 1c/)
    })
  )
})
