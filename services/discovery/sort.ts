/** A merge sort whose steps run in turns of the event loop. */

/** Numbers that are sorted in one step, which takes about half a millisecond. */
const RUN = 1024

/** Numbers that are merged in one step. */
const STEP = 8192

/** Sorts the numbers below `length`. It yields after each step and returns the numbers in order. */
export function* sorted(length: number, compare: (a: number, b: number) => number): Generator<void, Uint32Array> {
  let from = new Uint32Array(length)
  for (let number = 0; number < length; number++) from[number] = number
  for (let at = 0; at < length; at += RUN) {
    from.subarray(at, at + RUN).sort(compare)
    yield
  }
  let to = new Uint32Array(length)
  for (let width = RUN; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const middle = Math.min(start + width, length)
      const end = Math.min(start + 2 * width, length)
      let left = start
      let right = middle
      for (let at = start; at < end; at++) {
        const a = from[left] ?? 0
        const b = from[right] ?? 0
        const isLeft = left < middle && (right >= end || compare(a, b) <= 0)
        to[at] = isLeft ? a : b
        if (isLeft) left++
        else right++
        if (at % STEP === 0) yield
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}
