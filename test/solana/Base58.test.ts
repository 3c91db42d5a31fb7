import { describe, expect, it } from "@effect/vitest"
import * as Kit from "@solana/kit"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Address from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as Signature from "../../src/solana/Signature.js"
import { assertProperty } from "../support/runs.js"

const kit = Kit.getBase58Codec()

/** Bytes of the given sizes, many of them with leading zeros or all bits set, where base58 has its corners. */
const bytes = (minLength: number, maxLength: number) =>
  fc
    .tuple(fc.uint8Array({ minLength, maxLength }), fc.constantFrom("as is", "zeros first", "ones first"), fc.nat(70))
    .map(([bytes, shape, count]) =>
      shape === "as is" ? bytes : bytes.fill(shape === "zeros first" ? 0 : 255, 0, Math.min(count, bytes.length))
    )

const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

/** Texts close to the border between base58 of `size` bytes and not. */
const texts = (size: number) => {
  const length = Math.ceil(size * 1.3658)
  return fc.oneof(
    fc.string({ unit: fc.constantFrom(...alphabet), minLength: length - 3, maxLength: length + 1 }),
    fc.string({ unit: fc.constantFrom("1", "1", "1", "z"), minLength: size - 2, maxLength: length + 1 }),
    fc.string({ unit: fc.constantFrom("z", "J", "y"), minLength: length - 1, maxLength: length }),
    fc.string({ unit: fc.constantFrom(...alphabet, "0", "O", "I", "l", "é", "Ł", "一", " "), maxLength: length + 2 }),
    fc.string({ unit: "binary", maxLength: length + 2 })
  )
}

const kitAccepts = (text: string, size: number): boolean =>
  Either.match(
    Either.try(() => kit.encode(text)),
    { onLeft: () => false, onRight: (bytes) => bytes.length === size }
  )

describe("Base58", () => {
  it.each([
    [32, 32],
    [64, 64],
    [0, 100]
  ])("Given bytes of %i to %i, When encoded, Then the text is Kit's and decodes to the bytes", async (min, max) => {
    await assertProperty(
      fc.property(bytes(min, max), (bytes) => {
        const text = Base58.encode(bytes)
        expect(text).toBe(kit.decode(bytes))
        expect(Base58.decode(text)).toStrictEqual(Either.right(bytes))
      })
    )
  })

  it("Given bytes inside a larger array, When an address or a signature is read at an offset, Then only those count", async () => {
    await assertProperty(
      fc.property(bytes(80, 80), fc.nat(16), (bytes, offset) => {
        expect(Address.fromBytes(bytes, offset)).toBe(kit.decode(bytes.slice(offset, offset + 32)))
        expect(Signature.fromBytes(bytes, offset)).toBe(kit.decode(bytes.slice(offset, offset + 64)))
      })
    )
  })

  it("Given any text, When taken for an address or a signature, Then it is one exactly if Kit decodes 32 or 64 bytes", async () => {
    await assertProperty(
      fc.property(texts(32), (text) => {
        expect(Address.is(text)).toBe(kitAccepts(text, 32))
      })
    )
    await assertProperty(
      fc.property(texts(64), (text) => {
        expect(Signature.is(text)).toBe(kitAccepts(text, 64))
      })
    )
  })

  it.each([
    [32, Address.is],
    [64, Signature.is]
  ])("Given the largest text of %i bytes, When a digit is larger or none, Then it is none", (size, is) => {
    const largest = Base58.encode(new Uint8Array(size).fill(255))
    expect(is(largest)).toBe(true)
    for (const last of ["z", "0", "Ł"]) expect(is(`${largest.slice(0, -1)}${last}`)).toBe(false)
  })

  it.each([
    [32, Address.is],
    [64, Signature.is]
  ])("Given the smallest text of %i bytes without a one before it, When it is smaller, Then it is none", (size, is) => {
    const smallest = Base58.encode(new Uint8Array(size).fill(1, 0, 1))
    const below = Base58.encode(new Uint8Array(size - 1).fill(255))
    expect([is(smallest), below.length, is(below)]).toStrictEqual([true, smallest.length, false])
    for (const last of ["0", "Ł", "\n"]) expect(is(`${smallest.slice(0, -1)}${last}`)).toBe(false)
    expect(is(`${smallest}\n`)).toBe(false)
  })

  it("Given any text, When decoded, Then the bytes are Kit's or both refuse", async () => {
    await assertProperty(
      fc.property(texts(24), (text) => {
        expect(Either.getOrUndefined(Base58.decode(text))).toStrictEqual(
          Either.getOrUndefined(Either.try(() => new Uint8Array(kit.encode(text))))
        )
      })
    )
  })

  it("Given long bytes, When decoded, Then they are Kit's, and a wrong character anywhere is refused", async () => {
    await assertProperty(
      fc.property(bytes(150, 2000), fc.double({ min: 0, max: 0.999, noNaN: true }), (bytes, place) => {
        const text = kit.decode(bytes)
        expect(Base58.decode(text, 2000)).toStrictEqual(Either.right(bytes))
        const at = Math.floor(place * text.length)
        expect(Either.isLeft(Base58.decode(`${text.slice(0, at)}0${text.slice(at + 1)}`, 2000))).toBe(true)
      }),
      100
    )
  })

  it("Given a text of a million characters, When decoded, Then it is refused before any work", () => {
    const refused = Base58.decode("z".repeat(1_000_000))
    expect(refused).toMatchObject({ left: { _tag: "InvalidInput", field: "base58", size: 1_000_000 } })
  })

  it("Given a bound, When texts at and above it are decoded, Then the first passes and the second does not", () => {
    const most = new Uint8Array(40).fill(255)
    expect(Base58.decode(Base58.encode(most), 40)).toStrictEqual(Either.right(most))
    expect(Either.isLeft(Base58.decode(Base58.encode(most), 39))).toBe(true)
    expect(Base58.decode("1".repeat(40), 40)).toStrictEqual(Either.right(new Uint8Array(40)))
    expect(Either.isLeft(Base58.decode("1".repeat(41), 40))).toBe(true)
  })
})
