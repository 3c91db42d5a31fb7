/**
 * Program-derived addresses, with one call into WebAssembly per search. It uses the library's kernel, because no faster
 * one is known. The code around the kernel is written by hand.
 */
import { MODULE } from "../../src/solana/internal/kernelModule.js"
import { program, utf8 } from "./program.js"

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, "base64")))
const { digest, findBump, input, memory } = exports
if (
  !(memory instanceof WebAssembly.Memory && input instanceof WebAssembly.Global && digest instanceof WebAssembly.Global)
) {
  throw new TypeError("the kernel has changed its exports")
}
if (typeof findBump !== "function") throw new TypeError("the kernel finds no bump")

const bytes = new Uint8Array(memory.buffer)
const at: number = input.value
const found = bytes.subarray(digest.value, digest.value + 32)
const search: (bumpAt: number, size: number) => number = (bumpAt, size) => findBump(bumpAt, size)
const MARKER = utf8.encode("ProgramDerivedAddress")

/** The address for the seeds: a view that the next search overwrites. */
export const find = (seeds: ReadonlyArray<Uint8Array>): Uint8Array => {
  let end = at
  for (const seed of seeds) {
    bytes.set(seed, end)
    end += seed.length
  }
  bytes.set(program, end + 1)
  bytes.set(MARKER, end + 33)
  search(end - at, end + 54 - at)
  return found
}
