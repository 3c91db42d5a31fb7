import { createHash } from "node:crypto"
import { describe, expect, it, vi } from "@effect/vitest"
import * as Hash from "../../src/solana/Hash.js"
import { kernel } from "../../src/solana/internal/kernel.js"
import { portable } from "../../src/solana/internal/kernelPortable.js"

describe("kernel without WebAssembly", () => {
  it("Given a platform without WebAssembly, When a hash is asked for, Then plain JavaScript gives the same", () => {
    vi.stubGlobal("WebAssembly", undefined)
    const bytes = Uint8Array.of(1, 2, 3)
    expect(kernel()).toBe(portable)
    expect(Hash.sha256(bytes)).toStrictEqual(new Uint8Array(createHash("sha256").update(bytes).digest()))
  })
})
