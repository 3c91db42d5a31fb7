import { describe, expect, it, vi } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Reputation from "../../src/reputation/Reputation.js"

const kernelOf = () => Either.map(Reputation.make({ capacity: 20 }), ({ kernel }) => kernel)

describe("scores on other platforms", () => {
  it("Given no SIMD, or no WebAssembly, When scores are made, Then the next kernel is taken", () => {
    class WithoutSimd extends WebAssembly.Module {
      constructor(bytes: Uint8Array<ArrayBuffer>) {
        // The prefix of SIMD's instructions.
        if (bytes.includes(0xfd)) throw new WebAssembly.CompileError("unknown instruction")
        super(bytes)
      }
    }
    vi.stubGlobal("WebAssembly", {
      ...WebAssembly,
      Memory: WebAssembly.Memory,
      Instance: WebAssembly.Instance,
      Module: WithoutSimd
    })
    expect(kernelOf()).toEqual(Either.right("scalar"))
    vi.stubGlobal("WebAssembly", undefined)
    expect(kernelOf()).toEqual(Either.right("js"))
  })
})
