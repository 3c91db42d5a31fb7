import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Rules from "../../src/protocol/Rules.js"
import * as SealedBroadcast from "../../src/protocol/SealedBroadcast.js"
import * as Addresses from "../../src/solana/Address.js"

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
const epochs = fc.integer({ min: 1, max: SealedBroadcast.MAX_EPOCH })

describe("SealedBroadcast", () => {
  it("Given any sealed bytes, when they are encoded, then the text is decoded to them", () => {
    fc.assert(
      fc.property(epochs, bytes(28, 700), (epoch, sealed) => {
        const content = SealedBroadcast.encode({ epoch, sealed })
        expect(content).toMatch(/^PoD2\.[A-Za-z0-9._~-]+$/)
        expect(SealedBroadcast.decode(content)).toEqual({ _tag: "Sealed", epoch, sealed })
      })
    )
  })

  it("Given any text of the digits, when the program's filter sees it, then no word is refused", () => {
    // All that a filter's word of letters could be: the digits have neither case of "o".
    const { sealed } = { sealed: Uint8Array.from({ length: 640 }, (_, at) => (at * 97) & 255) }
    for (let shift = 0; shift < 256; shift++) {
      const content = SealedBroadcast.encode({ epoch: 1, sealed: sealed.map((byte) => (byte + shift) & 255) })
      expect(content.slice(5)).not.toMatch(/o/i)
      expect(Either.isRight(Rules.checkContent(content, 874))).toBe(true)
    }
  })

  it("Given any text, when it is decoded, then it is something, and only one text gives some bytes", () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^PoD2[.k][\w.~-]{0,60}$/))
    fc.assert(
      fc.property(texts, (text) => {
        const read = SealedBroadcast.decode(text)
        if (read._tag === "Sealed") expect(SealedBroadcast.encode(read)).toBe(text)
        if (read._tag === "Announcement") expect(SealedBroadcast.announcement(read.hash)).toBe(text)
        expect(read._tag === "Open").toBe(!/^PoD2[.k]/.test(text))
      })
    )
  })

  it("Given any content, when it is padded, then its size is one of a few and it comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), fc.boolean(), (content, isReply) => {
        const padded = Either.getOrThrow(SealedBroadcast.pad(content, isReply))
        expect(padded.length % 32 === 0).toBe(true)
        expect(SealedBroadcast.unpad(padded)).toBe(content)
      })
    )
    expect(SealedBroadcast.unpad(new Uint8Array(32))).toBeUndefined()
    expect(SealedBroadcast.unpad(Uint8Array.of(0xff, 0x80))).toBeUndefined()
  })

  it("Given packages, when they are cut, lengthened, or of another epoch, then they are none", () => {
    const wraps = ["wallet", "published"].map((keyKind, index) => ({
      keyKind: keyKind === "wallet" ? ("wallet" as const) : ("published" as const),
      participant: Addresses.fromBytes(new Uint8Array(32).fill(index + 1)),
      enc: new Uint8Array(32).fill(3),
      ciphertext: new Uint8Array(48).fill(4)
    }))
    const encoded = SealedBroadcast.encodePackage({ epoch: 7, wraps })
    expect(SealedBroadcast.decodePackage(encoded, 7)).toEqual({ epoch: 7, wraps })
    expect(SealedBroadcast.decodePackage(encoded, 8)).toBeUndefined()
    for (let size = 0; size < encoded.length; size++) {
      if ((size - 8) % 113 !== 0) expect(SealedBroadcast.decodePackage(encoded.subarray(0, size), 7)).toBeUndefined()
    }
    const unknown = encoded.slice()
    unknown[8 + 32] = 2
    expect(SealedBroadcast.decodePackage(unknown, 7)).toBeUndefined()
    expect(SealedBroadcast.decodePackage(new Uint8Array(8 + 113 * 1001), 0)).toBeUndefined()
  })
})
