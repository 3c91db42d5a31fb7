import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Slab from "../../src/internal/Slab.js"
import { assertProperty } from "../support/runs.js"

const bytes = FastCheck.uint8Array({ maxLength: 700 })

describe("Slab", () => {
  it("Given copies of any sizes, When one is written over, Then no other changes", () =>
    assertProperty(
      FastCheck.property(FastCheck.array(bytes, { maxLength: 40 }), (originals) => {
        const copies = originals.map((original) => Slab.copy(original))
        expect(copies).toEqual(originals)
        copies.forEach((copy, index) => {
          copy.fill(0xff)
          expect(copies.slice(index + 1)).toEqual(originals.slice(index + 1))
        })
      }),
      200
    ))

  it("Given a number of bytes, When they are copied, Then no further byte is copied", () =>
    assertProperty(
      FastCheck.property(bytes, FastCheck.nat(700), (original, size) => {
        const first = Math.min(size, original.length)
        expect(Slab.copy(original, first)).toEqual(original.slice(0, first))
      }),
      200
    ))

  it("Given words at any offset, When they are copied, Then the copy is equal", () =>
    assertProperty(
      FastCheck.property(
        FastCheck.uint8Array({ minLength: 64, maxLength: 64 }),
        FastCheck.nat(32),
        (original, from) => {
          expect(Slab.copyWords(new DataView(original.buffer), from, 8)).toEqual(original.slice(from, from + 32))
        }
      ),
      200
    ))

  it("Given an allocation that was transferred to another thread, When more is copied, Then it goes into a new one", () => {
    const first = Slab.copy(Uint8Array.of(1, 2, 3))
    structuredClone(first.buffer, { transfer: [first.buffer] })
    expect(Slab.copy(Uint8Array.of(4, 5))).toEqual(Uint8Array.of(4, 5))
    expect(Slab.copyWords(new DataView(new ArrayBuffer(8)), 4, 1)).toEqual(new Uint8Array(4))
  })
})
