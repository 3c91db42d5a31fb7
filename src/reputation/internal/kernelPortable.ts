/** The kernel in plain JavaScript. `Math.fround` after each operation makes it 32-bit arithmetic. */
import { type Kernel, LEAST } from "./kernelModel.js"

const { fround } = Math

/** A kernel with its own memory. */
export const make = (capacity: number): Kernel => {
  const scores = new Float32Array(capacity)
  const gains = new Float32Array(capacity)
  return {
    name: "js",
    scores,
    gains,
    update: ({ cap, decay, weight }) => {
      for (let index = 0; index < capacity; index++) {
        const gained = fround((gains[index] ?? 0) * weight)
        const next = fround(fround((scores[index] ?? 0) * decay) + (Number.isNaN(gained) ? 0 : gained))
        const normal = next >= LEAST ? next : 0
        scores[index] = normal > cap ? cap : normal
      }
    },
    inRange: (min, max) => {
      const found: Array<number> = []
      for (let index = 0; index < capacity; index++) {
        const score = scores[index] ?? 0
        if (score >= min && score <= max) found.push(index)
      }
      return Uint32Array.from(found)
    }
  }
}
