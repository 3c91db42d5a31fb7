/** 64-bit integers by row, signed or unsigned. Comparing them creates no `bigint`. */

import type { Words } from "./sort.js"

const HIGH = 2 ** 32

/** The upper part of the lowest signed integer. */
const LOWEST_HIGH = -(2 ** 31)

/** An integer, split into its upper part and its lowest 32 bits. */
export interface Key {
  readonly high: number
  readonly low: number
}

export const keyOf = (value: bigint): Key => {
  const number = Number(value)
  return Number.isSafeInteger(number)
    ? { high: Math.floor(number / HIGH), low: number >>> 0 }
    : { high: Number(value >> 32n), low: Number(BigInt.asUintN(32, value)) }
}

export class KeyColumn {
  #high = new Float64Array(64)
  #low = new Uint32Array(64)

  set(row: number, value: bigint): void {
    if (row >= this.#low.length) {
      const length = Math.max(row + 1, this.#low.length + (this.#low.length >>> 1))
      const high = new Float64Array(length)
      const low = new Uint32Array(length)
      high.set(this.#high)
      low.set(this.#low)
      this.#high = high
      this.#low = low
    }
    const { high, low } = keyOf(value)
    this.#high[row] = high
    this.#low[row] = low
  }

  /** To sort by, highest key first. */
  readonly descending: Words = [
    (row) => ~(this.#low[row] ?? 0),
    (row) => ~((this.#high[row] ?? 0) - LOWEST_HIGH),
    (row) => ((this.#high[row] ?? 0) - LOWEST_HIGH < HIGH ? 1 : 0)
  ]

  /** Below 0 if the first row has the lower key. */
  compare(a: number, b: number): number {
    return (this.#high[a] ?? 0) - (this.#high[b] ?? 0) || (this.#low[a] ?? 0) - (this.#low[b] ?? 0)
  }

  /** Below 0 if the row has the lower key. */
  compareTo(row: number, { high, low }: Key): number {
    return (this.#high[row] ?? 0) - high || (this.#low[row] ?? 0) - low
  }
}
