/**
 * The kernel in WebAssembly; its source is `src/solana/wasm/kernel.wat`.
 *
 * Invariants: the module sees only its own memory, so every input is copied in, in blocks of at most 32 KiB. Results in
 * `digest` are views of that memory until the next call; `sha256` returns a copy. Calls never overlap, because they are
 * synchronous.
 */
import * as Option from "effect/Option"
import { instantiate } from "../../internal/wasm.js"
import type { Kernel } from "./kernelModel.js"
import { MODULE } from "./kernelModule.js"
import { MARKER } from "./programAddressMarker.js"

/** The exports of the module. */
interface KernelExports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory
  readonly input: WebAssembly.Global<"i32">
  readonly digest: WebAssembly.Global<"i32">
  readonly begin: () => void
  readonly absorb: (size: number) => void
  readonly end: (size: number, total: number) => void
  readonly isOnCurve: () => number
  readonly findBump: (bumpAt: number, size: number) => number
}

const isKernel = (exports: WebAssembly.Exports): exports is KernelExports =>
  exports["memory"] instanceof WebAssembly.Memory &&
  exports["input"] instanceof WebAssembly.Global &&
  exports["digest"] instanceof WebAssembly.Global &&
  ["begin", "absorb", "end", "isOnCurve", "findBump"].every((name) => typeof exports[name] === "function")

/** Bytes hashed per call into the module: whole blocks that leave room for the padding. */
const CHUNK = 32_768

const DIGEST_BYTES = 32

const bind = (exports: KernelExports): Kernel => {
  const { absorb, begin, end } = exports
  const memory = new Uint8Array(exports.memory.buffer)
  const input = exports.input.value
  const digest = memory.subarray(exports.digest.value, exports.digest.value + DIGEST_BYTES)

  return {
    digest,
    sha256: (parts) => {
      begin()
      let filled = 0
      let total = 0
      for (const part of parts) {
        let at = 0
        while (filled + part.length - at > CHUNK) {
          const next = at + CHUNK - filled
          memory.set(part.subarray(at, next), input + filled)
          absorb(CHUNK)
          filled = 0
          at = next
        }
        memory.set(at === 0 ? part : part.subarray(at), input + filled)
        filled += part.length - at
        total += part.length
      }
      end(filled, total)
      return digest.slice()
    },
    isOnCurve: (bytes) => {
      digest.set(bytes)
      return exports.isOnCurve() === 1
    },
    findBump: (seeds, program) => {
      let at = input
      for (const seed of seeds) {
        memory.set(seed, at)
        at += seed.length
      }
      const bumpAt = at - input
      at += 1
      memory.set(program, at)
      at += program.length
      memory.set(MARKER, at)
      return exports.findBump(bumpAt, at + MARKER.length - input)
    }
  }
}

/** `None` if the platform cannot run it. */
export const webAssembly = (): Option.Option<Kernel> =>
  instantiate(MODULE).pipe(Option.filter(isKernel), Option.map(bind))
