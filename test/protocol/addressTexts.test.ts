import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { read } from "../../src/protocol/internal/addressTexts.js"
import * as Address from "../../src/solana/Address.js"
import { assertProperty } from "../support/runs.js"

/** Addresses that contend for few places and differ in few bytes. */
const contending = fc.tuple(fc.constantFrom(0, 1, 255), fc.nat(31), fc.nat(255)).map(([fill, position, byte]) => {
  const bytes = new Uint8Array(32).fill(fill)
  bytes[position] = byte
  return bytes
})

describe("addressTexts", () => {
  it("Given addresses that contend for a place, When read in any order, Then each is its own", async () => {
    await assertProperty(
      fc.property(fc.array(contending, { minLength: 2 }), fc.nat(3), (addresses, offset) => {
        for (const address of addresses) {
          const bytes = new Uint8Array(offset + 32)
          bytes.set(address, offset)
          expect(read(new DataView(bytes.buffer), bytes, offset)).toBe(Address.fromBytes(address))
        }
      })
    )
  })
})
