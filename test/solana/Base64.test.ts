import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { native, portable } from "../../src/internal/base64.js"
import * as Base64 from "../../src/solana/Base64.js"
import { assertProperty } from "../support/runs.js"

const texts = fc.oneof(
  fc.base64String({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom("A", "B", "/", "+", "=", "-", "_", "Q", " ", "\n", "Ł", "a"), maxLength: 13 }),
  fc.string({ unit: "binary", maxLength: 9 })
)

/** The strict reading, by definition: the text that some bytes are written as. */
const isCanonical = (text: string): boolean => Buffer.from(text, "base64").toString("base64") === text

describe.each([
  ["native", native(Buffer)],
  ["portable", portable]
])("Base64, %s", (_, codec) => {
  it("Given any bytes, When encoded, Then the text is Buffer's and decodes to the bytes", async () => {
    await assertProperty(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(3), (bytes, offset) => {
        const view = bytes.subarray(Math.min(offset, bytes.length))
        const text = codec.encode(view)
        expect(text).toBe(Buffer.from(view).toString("base64"))
        expect(codec.decode(text)).toStrictEqual(new Uint8Array(view))
      })
    )
  })

  it("Given any text, When decoded, Then exactly canonical base64 is accepted", async () => {
    await assertProperty(
      fc.property(texts, (text) => {
        const bytes = codec.decode(text)
        if (isCanonical(text)) expect(bytes).toStrictEqual(new Uint8Array(Buffer.from(text, "base64")))
        else expect(bytes).toBeUndefined()
      })
    )
  })

  it("Given a text of more than 256 KiB, When decoded, Then it is as Buffer reads it, or refused", () => {
    const bytes = Uint8Array.from({ length: 400_001 }, (_, index) => index * 7 + (index >> 8))
    const text = codec.encode(bytes)
    expect(Buffer.compare(codec.decode(text) ?? new Uint8Array(), bytes)).toBe(0)
    for (const at of [0, 262_143, 262_144, 400_000, text.length - 3]) {
      for (const wrong of ["=", "-", " ", "Ł", "\n"]) {
        expect(codec.decode(`${text.slice(0, at)}${wrong}${text.slice(at + 1)}`)).toBeUndefined()
      }
    }
  })

  it("Given any parts of a text, When decoded, Then each is as by itself, and none changes with another", async () => {
    const long = fc
      .uint8Array({ minLength: 1000, maxLength: 1100 })
      .map((bytes) => Buffer.from(bytes).toString("base64"))
    const parts = fc.array(fc.oneof({ weight: 9, arbitrary: texts }, { weight: 1, arbitrary: long }), { maxLength: 60 })
    await assertProperty(
      fc.property(parts, (parts) => {
        const decode = codec.decodeParts(parts.join("|"))
        const decoded = parts.map(decode)
        expect(decoded).toStrictEqual(parts.map(codec.decode))
        for (const [index, bytes] of decoded.entries()) bytes?.fill(index)
        expect(decoded.every((bytes, index) => bytes?.every((byte) => byte === index) ?? true)).toBe(true)
      }),
      300
    )
  })
})

describe("Base64", () => {
  it.each(["A", "AB", "AB=", "AB==", "ABC", "ABC=", "====", "AA=A", "AA E=", "AA-_", "AA\n==", "ŁŁŁŁ"])(
    "Given the text %j, When decoded, Then it is refused with InvalidInput",
    (text) => {
      const refused = Base64.decode(text)
      expect(refused).toMatchObject({ left: { _tag: "InvalidInput", field: "base64", size: text.length } })
    }
  )

  it("Given the vectors of RFC 4648, When coded both ways, Then text and bytes are theirs", () => {
    for (const [plain, text] of [
      ["", ""],
      ["f", "Zg=="],
      ["fo", "Zm8="],
      ["foo", "Zm9v"],
      ["foob", "Zm9vYg=="],
      ["fooba", "Zm9vYmE="],
      ["foobar", "Zm9vYmFy"]
    ] as const) {
      const bytes = new TextEncoder().encode(plain)
      expect(Base64.encode(bytes)).toBe(text)
      expect(Base64.decode(text)).toStrictEqual(Either.right(bytes))
    }
  })
})
