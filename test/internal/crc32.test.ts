import * as Zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Predicate from "effect/Predicate"
import { crc32 } from "../../src/internal/crc32.js"

/** Node 20.15 and later have it. */
const zlibs: unknown = Predicate.hasProperty(Zlib, "crc32") ? Zlib.crc32 : undefined

describe("crc32", () => {
  it("Given the check value of the standard, When computed, Then it is equal", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926)
    expect(crc32(new Uint8Array())).toBe(0)
  })

  it("Given bytes of any length and offset, When computed whole or in two parts, Then zlib gives the same", () => {
    const bytes = Uint8Array.from({ length: 600 }, (_, at) => (at * 151) & 0xff)
    for (let end = 0; end <= bytes.length; end++) {
      const part = bytes.subarray(end % 7, end)
      const expected = typeof zlibs === "function" ? zlibs(part) : crc32(part)
      expect(crc32(part)).toBe(expected)
      for (const cut of [1, part.length >> 1])
        expect(crc32(part.subarray(cut), crc32(part.subarray(0, cut)))).toBe(expected)
    }
  })
})
