import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Capabilities from "../../src/protocol/Capabilities.js"
import { assertProperty } from "../support/runs.js"

const refusal = (result: Either.Either<unknown, InvalidInput>): string | undefined =>
  Either.match(result, { onLeft: ({ message }) => message, onRight: () => undefined })

describe("Capabilities", () => {
  it("Given the two published vocabularies, When bits are named, Then each names them as its SDK does", () => {
    assert.deepStrictEqual(Capabilities.sdk.decode(0b1000_0011n), ["TRADING", "ANALYSIS", "CUSTOM_4"])
    assert.deepStrictEqual(Capabilities.sdkJs.decode(0b1000_0011n), ["TEXT", "IMAGE"])
    assert.deepStrictEqual(Capabilities.sdk.bits.CONTENT_GENERATION, 8n)
    assert.deepStrictEqual(Capabilities.sdkJs.encode(["TRADING", "CODE", "CODE"]), Either.right(20n))
  })

  it("Given any bits on the chain, When named and encoded again, Then the named bits are left", () => {
    assertProperty(
      FastCheck.property(FastCheck.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (bits) => {
        const { decode, encode, mask } = Capabilities.sdkJs
        assert.deepStrictEqual(encode(decode(bits)), Either.right(bits & mask))
      })
    )
  })

  it("Given bits that differ only where no name is, When named, Then the array is the same one, and frozen", () => {
    const names = Capabilities.sdk.decode(3n)
    assert.strictEqual(Capabilities.sdk.decode(3n + 2n ** 63n), names)
    assert.isTrue(Object.isFrozen(names))
  })

  it("Given more sets of names than are kept, When named, Then each is named right", () => {
    const indices = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`n${index}`, index]))
    const { decode } = Either.getOrThrow(Capabilities.make(indices))
    for (let bits = 0; bits < 20_000; bits++) {
      const count = decode(BigInt(bits)).length
      assert.strictEqual(count, bits.toString(2).replaceAll("0", "").length)
    }
  })

  it("Given indices that break a rule, When a vocabulary is made, Then the error names the index", () => {
    assert.strictEqual(refusal(Capabilities.make({ a: 0, b: 62 })), undefined)
    assert.strictEqual(refusal(Capabilities.make({})), "indices: must name at least one bit (got 0)")
    assert.strictEqual(refusal(Capabilities.make({ a: 63 })), "indices.a: must be a whole number from 0 to 62 (got 63)")
    assert.strictEqual(refusal(Capabilities.make({ a: 1, b: 1 })), "indices.b: must differ from the index of a (got 1)")
    for (const index of [-1, 0.5, NaN]) assert.isDefined(refusal(Capabilities.make({ a: index })))
  })

  it("Given a name that only every object has, When encoded, Then it is refused by its place", () => {
    const indices: Record<string, number> = { text: 0, image: 1 }
    const { encode } = Either.getOrThrow(Capabilities.make(indices))
    assert.strictEqual(refusal(encode(["text", "constructor"])), "names[1]: must be one of: text, image")
  })

  it("Given bits and a mask, When compared, Then all and any differ", () => {
    assert.isTrue(Capabilities.hasAll(7n, 5n))
    assert.isFalse(Capabilities.hasAll(4n, 5n))
    assert.isTrue(Capabilities.hasAny(4n, 5n))
    assert.isFalse(Capabilities.hasAny(2n, 5n))
  })
})
