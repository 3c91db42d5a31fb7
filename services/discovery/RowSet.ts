/**
 * A set of row numbers. It needs little memory even if there are very many sets, and is fast to intersect.
 *
 * A set of one row is a number, a small set an unordered array, and a large set a bit map of the rows. A set becomes a
 * bit map when this takes no more memory than its array, and stays one. Sets are combined as {@link Bits}.
 */

/** A bit map of the rows: row `r` is bit `r & 31` of word `r >> 5`. */
export type Bits = Uint32Array

const NONE = -1

/** Minimum rows of a set that becomes a bit map. */
const MIN_DENSE = 128

/** Bits that take as much memory as one entry of an array. */
const BITS_PER_ENTRY = 64

export const wordsOf = (rows: number): number => (rows + 31) >>> 5

export const has = (bits: Bits, row: number): boolean => (((bits[row >>> 5] ?? 0) >>> (row & 31)) & 1) === 1

export const include = (bits: Bits, row: number): void => {
  const word = row >>> 5
  bits[word] = (bits[word] ?? 0) | (1 << (row & 31))
}

/** Removes the rows from `target` that `other` does not contain. */
export const intersect = (target: Bits, other: Bits): void => {
  const common = Math.min(target.length, other.length)
  for (let word = 0; word < common; word++) target[word] = (target[word] ?? 0) & (other[word] ?? 0)
  target.fill(0, common)
}

const onesOf = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

export const count = (bits: Bits): number => {
  let found = 0
  for (const word of bits) found += onesOf(word)
  return found
}

/** Visits the rows of the range `[from, to)`. Both ends are multiples of 32. */
export const forEach = (bits: Bits, visit: (row: number) => void, from = 0, to = 32 * bits.length): void => {
  const end = Math.min(bits.length, wordsOf(to))
  for (let word = from >>> 5; word < end; word++) {
    for (let rest = bits[word] ?? 0; rest !== 0; rest &= rest - 1) visit((word << 5) + 31 - Math.clz32(rest & -rest))
  }
}

const grown = (bits: Bits, row: number): Bits => {
  if (row >>> 5 < bits.length) return bits
  const larger: Bits = new Uint32Array(Math.max(wordsOf(row + 1), bits.length + (bits.length >>> 1)))
  larger.set(bits)
  return larger
}

const bitsOf = (rows: ReadonlyArray<number>): Bits => {
  let last = 0
  for (const row of rows) if (row > last) last = row
  const bits: Bits = new Uint32Array(wordsOf(last + 1))
  for (const row of rows) include(bits, row)
  return bits
}

export class RowSet {
  #rows: number | Array<number> | Bits = NONE
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds a row, which must not be in the set. */
  add(row: number): void {
    const rows = this.#rows
    this.#size++
    if (rows instanceof Uint32Array) {
      this.#rows = grown(rows, row)
      include(this.#rows, row)
    } else if (typeof rows === "number") {
      this.#rows = rows === NONE ? row : [rows, row]
    } else {
      rows.push(row)
      if (rows.length > MIN_DENSE && rows.length * BITS_PER_ENTRY > row) this.#rows = bitsOf(rows)
    }
  }

  /** Removes a row, which must be in the set. */
  remove(row: number): void {
    const rows = this.#rows
    this.#size--
    if (rows instanceof Uint32Array) {
      const word = row >>> 5
      rows[word] = (rows[word] ?? 0) & ~(1 << (row & 31))
    } else if (typeof rows === "number") {
      this.#rows = NONE
    } else {
      const last = rows.pop()
      const at = last === row ? -1 : rows.indexOf(row)
      if (at !== -1 && last !== undefined) rows[at] = last
      if (rows.length === 0) this.#rows = NONE
    }
  }

  /** Adds the rows to `target`, which must have a bit for each of them. */
  addTo(target: Bits): void {
    const rows = this.#rows
    if (rows instanceof Uint32Array) {
      const end = Math.min(rows.length, target.length)
      for (let word = 0; word < end; word++) target[word] = (target[word] ?? 0) | (rows[word] ?? 0)
    } else if (typeof rows === "number") {
      if (rows !== NONE) include(target, rows)
    } else {
      for (const row of rows) include(target, row)
    }
  }

  /** Visits the rows of the range `[from, to)`. Both ends are multiples of 32. */
  forEach(visit: (row: number) => void, from: number, to: number): void {
    const rows = this.#rows
    if (rows instanceof Uint32Array) return forEach(rows, visit, from, to)
    for (const row of typeof rows === "number" ? [rows] : rows) if (row >= from && row < to) visit(row)
  }
}
