import { createHash } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Kit from "@solana/kit"
import { PublicKey } from "@solana/web3.js"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Address from "../../src/solana/Address.js"
import * as Curve from "../../src/solana/Curve.js"
import * as Hash from "../../src/solana/Hash.js"
import { kernel } from "../../src/solana/internal/kernel.js"
import { portable } from "../../src/solana/internal/kernelPortable.js"
import { webAssembly } from "../../src/solana/internal/kernelWasm.js"
import * as ProgramAddress from "../../src/solana/ProgramAddress.js"
import { assertProperty, runs } from "../support/runs.js"

const P = 2n ** 255n - 19n

const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn))

/** Decompression by the rules of ZIP 215, which are those of the runtime. */
const nobleDecompresses = (bytes: Uint8Array): boolean =>
  Option.isSome(Option.liftThrowable(() => ed25519.Point.fromBytes(bytes, true))())

/** Small y, y around p and around 2^255, both signs: small orders and encodings that are not canonical. */
const corners = [0n, P - 40n, P, 2n ** 255n - 40n].flatMap((from) =>
  Array.from({ length: 40 }, (_, index) => from + BigInt(index))
    .filter((y) => y < 2n ** 255n)
    .flatMap((y) => [littleEndian(y), littleEndian(y | (1n << 255n))])
)

/** Encodings of points of order 1, 2, 4 and 8. */
const smallOrder = Array.from({ length: 8 }, (_, index) =>
  ed25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", true)
    .multiplyUnsafe(BigInt(index))
    .toBytes()
)

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })

const kernels = [
  ["WebAssembly", Option.getOrThrow(webAssembly())],
  ["JavaScript", portable]
] as const

describe.each(kernels)("Curve, in %s", (_, { isOnCurve }) => {
  it("Given random bytes, When tested, Then the answer is noble's, Kit's and web3.js's", async () => {
    await assertProperty(
      fc.property(key, (bytes) => {
        const expected = nobleDecompresses(bytes)
        expect(isOnCurve(bytes)).toBe(expected)
        expect(!Kit.isOffCurveAddress(Address.fromBytes(bytes))).toBe(expected)
        expect(PublicKey.isOnCurve(bytes)).toBe(expected)
      })
    )
  })

  it("Given public keys, When tested, Then they are on the curve", async () => {
    await assertProperty(
      fc.property(key, (secret) => {
        expect(isOnCurve(ed25519.getPublicKey(secret))).toBe(true)
      })
    )
  })

  // Kit takes no negative zero, and web3.js nothing that is not canonical; the runtime takes both.
  it("Given corner encodings, When tested, Then the answer is that of the runtime's decompression", () => {
    for (const bytes of [...corners, ...smallOrder]) expect(isOnCurve(bytes)).toBe(nobleDecompresses(bytes))
    for (const bytes of smallOrder) expect(isOnCurve(bytes)).toBe(true)
  })
})

describe.each(kernels)("SHA-256, in %s", (_, { sha256 }) => {
  it("Given bytes of any size, When hashed, Then the hash is node's", async () => {
    await assertProperty(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sha256([bytes])).toStrictEqual(new Uint8Array(createHash("sha256").update(bytes).digest()))
      })
    )
  })

  it("Given parts of any size, When hashed, Then the hash is that of all in one", async () => {
    const size = fc.oneof(fc.nat(200), fc.constantFrom(0, 32_704, 32_767, 32_768, 32_769, 65_536))
    await assertProperty(
      fc.property(fc.array(size, { maxLength: 5 }), (sizes) => {
        const parts = sizes.map((size, index) => new Uint8Array(size).fill(index + 1))
        expect(sha256(parts)).toStrictEqual(new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest()))
      })
    )
  })

  it.each([32_767, 32_768, 32_769, 65_536, 1_000_003])(
    "Given %i bytes, When hashed, Then the hash is node's",
    (size) => {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index * 31)
      expect(sha256([bytes])).toStrictEqual(new Uint8Array(createHash("sha256").update(bytes).digest()))
    }
  )
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("Hash", () => {
  it("Given the empty text and abc, When hashed, Then the hashes are the published ones", () => {
    const abc = new TextEncoder().encode("abc")
    const empty = new Uint8Array(0)
    expect(hex(Hash.sha256(abc))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    expect(hex(Hash.sha256(empty))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    expect(hex(Hash.keccak256(abc))).toBe("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")
    expect(hex(Hash.keccak256(empty))).toBe("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    expect(hex(Hash.blake3(abc))).toBe("6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85")
    expect(hex(Hash.blake3(empty))).toBe("af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
  })
})

const seeds = fc.array(fc.uint8Array({ maxLength: 32 }), { maxLength: 15 })

describe("ProgramAddress", () => {
  it("Given seeds, When searched, Then address and bump are web3.js's in both kernels", async () => {
    await assertProperty(
      fc.property(seeds, key, (seeds, programBytes) => {
        const program = Address.fromBytes(programBytes)
        const [address, bump] = PublicKey.findProgramAddressSync(seeds, new PublicKey(programBytes))
        expect(ProgramAddress.findUnsafe(seeds, program)).toStrictEqual({ address: address.toBase58(), bump })
        for (const [, { digest, findBump }] of kernels) {
          expect(findBump(seeds, programBytes)).toBe(bump)
          expect(digest).toStrictEqual(new Uint8Array(address.toBytes()))
        }
      })
    )
  })

  it("Given seeds, When searched, Then address and bump are Kit's", () =>
    assertProperty(
      fc.asyncProperty(seeds, key, async (seeds, programBytes) => {
        const programAddress = Address.fromBytes(programBytes)
        const [address, bump] = await Kit.getProgramDerivedAddress({ programAddress, seeds })
        expect(ProgramAddress.findUnsafe(seeds, programAddress)).toStrictEqual({ address, bump })
      })
    ))

  it("Given seeds whose bump is below 250, When searched, Then address and bump are Kit's", async () => {
    const rare = runs(100)
    for (let found = 0, i = 0; found < rare; i++) {
      const seeds = [new TextEncoder().encode(`rare ${i}`)]
      const result = ProgramAddress.findUnsafe(seeds, Address.SYSTEM_PROGRAM)
      if (result.bump >= 250) continue
      found++
      const [address, bump] = await Kit.getProgramDerivedAddress({ programAddress: Address.SYSTEM_PROGRAM, seeds })
      expect(result).toStrictEqual({ address, bump })
    }
  })

  it("Given the seeds and the bump of a search, When created, Then it is the same address; for a larger bump there is none", async () => {
    await assertProperty(
      fc.property(seeds, key, (seeds, programBytes) => {
        const program = Address.fromBytes(programBytes)
        const { address, bump } = ProgramAddress.findUnsafe(seeds, program)
        expect(ProgramAddress.create([...seeds, Uint8Array.of(bump)], program)).toStrictEqual(Option.some(address))
        for (let larger = bump + 1; larger < 256; larger++) {
          expect(ProgramAddress.create([...seeds, Uint8Array.of(larger)], program)).toStrictEqual(Option.none())
        }
      })
    )
  })

  it("Given seeds out of range, When searched or created, Then they are refused and say which rule", () => {
    const empty = new Uint8Array(0)
    const sixteen = Array.from({ length: 16 }, () => empty)
    expect(ProgramAddress.find(sixteen, Address.SYSTEM_PROGRAM)).toMatchObject({ left: { field: "seeds", size: 16 } })
    expect(ProgramAddress.find([empty, new Uint8Array(33)], Address.SYSTEM_PROGRAM)).toMatchObject({
      left: { field: "seeds[1]", size: 33 }
    })
    expect(ProgramAddress.create([...sixteen, empty], Address.SYSTEM_PROGRAM)).toStrictEqual(Option.none())
    expect(() => ProgramAddress.findUnsafe(sixteen, Address.SYSTEM_PROGRAM)).toThrow("must be at most 15")
  })
})

describe("kernel", () => {
  it("Given this platform, When the kernel is chosen, Then it is WebAssembly, once", () => {
    expect(kernel()).toBe(kernel())
    expect(kernel()).not.toBe(portable)
    expect(Curve.isOnCurve(new Uint8Array(31))).toBe(false)
  })
})
