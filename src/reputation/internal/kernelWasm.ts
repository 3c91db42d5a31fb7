/**
 * The kernels in WebAssembly, with and without SIMD; their sources are `src/reputation/wasm/*.wat`.
 *
 * The memory holds three arrays of the same length: scores, gains, and indices found. It never grows, so views of it
 * stay valid. The arrays are padded to whole blocks of the SIMD kernel; the views do not show the padding.
 */
import * as Option from "effect/Option"
import { instantiate } from "../../internal/wasm.js"
import type { Kernel } from "./kernelModel.js"
import * as Scalar from "./scalarModule.js"
import * as Simd from "./simdModule.js"

interface KernelExports extends WebAssembly.Exports {
  readonly update: (score: number, gain: number, count: number, decay: number, weight: number, cap: number) => void
  readonly inRange: (score: number, count: number, min: number, max: number, out: number) => number
}

const isKernel = (exports: WebAssembly.Exports): exports is KernelExports =>
  typeof exports["update"] === "function" && typeof exports["inRange"] === "function"

/** Scores in a block of the SIMD kernel. */
const BLOCK = 16

const PAGE_BYTES = 65_536

const bind = (name: Kernel["name"], module: string, capacity: number): Option.Option<Kernel> => {
  const padded = Math.ceil(capacity / BLOCK) * BLOCK
  const bytes = padded * Float32Array.BYTES_PER_ELEMENT
  return Option.liftThrowable(() => new WebAssembly.Memory({ initial: Math.ceil((3 * bytes) / PAGE_BYTES) }))().pipe(
    Option.flatMap((memory) =>
      Option.map(Option.filter(instantiate(module, { env: { memory } }), isKernel), ({ inRange, update }): Kernel => {
        const indices = new Uint32Array(memory.buffer, 2 * bytes, padded)
        return {
          name,
          scores: new Float32Array(memory.buffer, 0, capacity),
          gains: new Float32Array(memory.buffer, bytes, capacity),
          update: ({ cap, decay, weight }) => update(0, bytes, padded, decay, weight, cap),
          inRange: (min, max) => {
            let found = inRange(0, padded, min, max, 2 * bytes)
            while (found > 0 && (indices[found - 1] ?? 0) >= capacity) found--
            return indices.slice(0, found)
          }
        }
      })
    )
  )
}

/** The fastest kernel that the platform has; `None` without WebAssembly or memory for it. */
export const make = (capacity: number): Option.Option<Kernel> =>
  Option.orElse(bind("simd", Simd.MODULE, capacity), () => bind("scalar", Scalar.MODULE, capacity))

/** The kernel without SIMD. */
export const makeScalar = (capacity: number): Option.Option<Kernel> => bind("scalar", Scalar.MODULE, capacity)
