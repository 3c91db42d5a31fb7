import { describe, expect, it } from "@effect/vitest"
import * as Kit from "@solana/kit"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { BoundedCache } from "../../src/internal/BoundedCache.js"
import * as Address from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import { compare } from "../../src/solana/internal/addressOrder.js"
import * as Lamports from "../../src/solana/Lamports.js"
import * as Signature from "../../src/solana/Signature.js"
import { assertProperty } from "../support/runs.js"

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe("Address", () => {
  it("Given 32 bytes, When made an address and back, Then they are the same, the second time from the cache", async () => {
    await assertProperty(
      fc.property(key, (bytes) => {
        const address = Address.fromBytes(bytes)
        expect(Address.toBytesOnce(address)).toStrictEqual(bytes)
        expect(Address.toBytes(address)).toStrictEqual(bytes)
        expect(Address.toBytes(address)).toBe(Address.toBytes(address))
      })
    )
  })

  it("Given a text that is no address, When parsed, Then InvalidInput names the field", () => {
    expect(Address.parse("not an address", "recipient")).toMatchObject({
      left: { _tag: "InvalidInput", field: "recipient", size: 14 }
    })
    expect(Blockhash.parse("1")).toMatchObject({ left: { field: "blockhash" } })
    expect(Signature.parse("1")).toMatchObject({ left: { field: "signature" } })
  })

  it("Given a literal that is no address, When declared as known, Then it throws", () => {
    expect(() => Address.known("1")).toThrow("must be base58 of 32 bytes")
  })

  it("Given a text that was branded unchecked, When its bytes are read, Then it throws and states the rule", () => {
    const forged = JSON.parse('"forged"')
    expect(() => Address.toBytes(forged)).toThrow("address: must be base58 of 32 bytes (got 6)")
    expect(() => Address.toBytesOnce(forged, "wallet")).toThrow("wallet: must be base58 of 32 bytes (got 6)")
    expect(() => Blockhash.toBytes(forged)).toThrow("blockhash: must be base58 of 32 bytes (got 6)")
    expect(() => Signature.toBytes(forged)).toThrow("signature: must be base58 of 64 bytes (got 6)")
  })

  it("Given the system program, Then it is 32 zero bytes", () => {
    expect(Address.SYSTEM_PROGRAM).toBe("11111111111111111111111111111111")
    expect(Address.toBytes(Address.SYSTEM_PROGRAM)).toStrictEqual(new Uint8Array(32))
  })

  it("Given a model's JSON, When decoded, Then addresses, signatures, blockhashes and lamports are checked", () => {
    const Model = Schema.Struct({
      address: Address.Schema,
      blockhash: Blockhash.Schema,
      signature: Signature.Schema,
      lamports: Lamports.Schema
    })
    const json = {
      address: Address.SYSTEM_PROGRAM,
      blockhash: Blockhash.fromBytes(new Uint8Array(32).fill(7)),
      signature: Signature.fromBytes(new Uint8Array(64).fill(9)),
      lamports: "18446744073709551615"
    }
    const model = Schema.decodeUnknownSync(Model)(json)
    expect(model.lamports).toBe(18446744073709551615n)
    expect(Schema.encodeSync(Model)(model)).toStrictEqual(json)
    for (const [field, value] of [
      ["address", "0".repeat(32)],
      ["blockhash", ""],
      ["signature", json.address],
      ["lamports", "18446744073709551616"],
      ["lamports", "-1"]
    ] as const) {
      expect(Either.isLeft(Schema.decodeUnknownEither(Model)({ ...json, [field]: value }))).toBe(true)
    }
  })

  it("Given an amount, When made lamports, Then it must fit 64 bits without a sign", () => {
    expect(Lamports.make(Lamports.MAX)).toStrictEqual(Either.right(Lamports.MAX))
    expect(Lamports.make(-1n, "amount")).toMatchObject({ left: { field: "amount", size: -1n } })
    expect(Lamports.make(Lamports.MAX + 1n)).toMatchObject({ left: { field: "lamports" } })
  })
})

describe("order of addresses in a message", () => {
  const collator = Kit.getAddressComparator()

  it("Given two addresses, When compared, Then the order is that of Kit's collator", async () => {
    await assertProperty(
      fc.property(key, key, (left, right) => {
        const [a, b] = [Address.fromBytes(left), Address.fromBytes(right)]
        expect(Math.sign(compare(a, b))).toBe(Math.sign(collator(a, b)))
      })
    )
  })

  it("Given texts that differ in case, in length or in both, When compared, Then the order is that of Kit's collator", async () => {
    const text = fc.string({ unit: fc.constantFrom(..."aAbBzZ19"), maxLength: 6 })
    await assertProperty(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compare(a, b))).toBe(Math.sign(collator(a, b)))
      })
    )
  })
})

describe("BoundedCache", () => {
  it("Given more entries than fit, When set and read, Then it stays bounded and keeps what is in use", () => {
    const cache = new BoundedCache<number, string>(10)
    cache.set(-1, "in use")
    for (let i = 0; i < 1000; i++) {
      cache.set(i, String(i))
      expect(cache.get(-1)).toBe("in use")
      expect(cache.get(i)).toBe(String(i))
      expect(cache.size).toBeLessThanOrEqual(20)
    }
    expect(cache.get(0)).toBeUndefined()
  })
})
