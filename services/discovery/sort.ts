/**
 * Sorts rows in steps that take a fraction of a millisecond. A radix sort by numbers compares nothing; only texts with
 * equal beginnings are compared, in a merge sort.
 */

/** Rows that are counted or moved in one step. */
const MOVES = 16_384

/** Rows that are compared and merged in one step. */
const MERGES = 8192

/** Rows that are sorted by comparison in one step. */
const RUN = 1024

/** The numbers of a column as 32-bit words in the order of the numbers, the lowest word first. */
export type Words = ReadonlyArray<(row: number) => number>

/** The beginnings of texts as numbers. Texts with equal beginnings compare as 0. */
export interface Beginnings {
  readonly words: Words
  readonly compare: (a: number, b: number) => number
}

const DIGIT_BITS = 8
const RADIX = 2 ** DIGIT_BITS
const DIGITS = 32 / DIGIT_BITS

const digitOf = (value: number, digit: number): number => (value >>> (DIGIT_BITS * digit)) & (RADIX - 1)

/** The place of the first row of each digit. `undefined` if all rows have the same digit. */
const placesOf = (counts: Uint32Array, rows: number): Uint32Array | undefined => {
  const places = new Uint32Array(RADIX)
  let place = 0
  for (const [digit, count] of counts.entries()) {
    if (count === rows) return undefined
    places[digit] = place
    place += count
  }
  return places
}

// V8 optimises a hot loop in a function, but not in a generator. So the loops of the radix sort are functions.

/** Stores the words of the rows `[start, end)`, and counts their digits. */
const count = (wordOf: Words[number], values: Uint32Array, counts: Uint32Array, start: number, end: number): void => {
  for (let row = start; row < end; row++) {
    const value = wordOf(row)
    values[row] = value
    for (let digit = 0; digit < DIGITS; digit++) {
      const at = RADIX * digit + digitOf(value, digit)
      counts[at] = (counts[at] ?? 0) + 1
    }
  }
}

/** Moves each row to the next place of its digit. */
const move = (rows: Uint32Array, to: Uint32Array, values: Uint32Array, digit: number, places: Uint32Array): void => {
  for (const row of rows) {
    const own = digitOf(values[row] ?? 0, digit)
    const place = places[own] ?? 0
    to[place] = row
    places[own] = place + 1
  }
}

/** Sorts the rows below `rows.length` by their words. Rows with equal words keep their order. */
export function* byWords(rows: Uint32Array, words: Words): Generator<void, Uint32Array> {
  const { length } = rows
  const values = new Uint32Array(length)
  let from = rows.slice()
  let to = new Uint32Array(length)
  for (const wordOf of words) {
    const counts = new Uint32Array(DIGITS * RADIX)
    for (let at = 0; at < length; at += MOVES) {
      count(wordOf, values, counts, at, Math.min(at + MOVES, length))
      yield
    }
    for (let digit = 0; digit < DIGITS; digit++) {
      const places = placesOf(counts.subarray(RADIX * digit, RADIX * (digit + 1)), length)
      if (places === undefined) continue
      for (let at = 0; at < length; at += MOVES) {
        move(from.subarray(at, at + MOVES), to, values, digit, places)
        yield
      }
      ;[from, to] = [to, from]
    }
  }
  return from
}

/** Sorts the rows by comparison. */
function* merged(rows: Uint32Array, compare: (a: number, b: number) => number): Generator<void, Uint32Array> {
  const { length } = rows
  let from = rows.slice()
  for (let at = 0; at < length; at += RUN) {
    from.subarray(at, at + RUN).sort(compare)
    if (length > RUN) yield
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
        if (at % MERGES === 0) yield
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** Sorts the rows below `length` by their texts. */
export function* byTexts(
  length: number,
  beginnings: Beginnings,
  textOf: (row: number) => string
): Generator<void, Uint32Array> {
  const compare = (a: number, b: number): number => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0)
  const all = new Uint32Array(length)
  for (let row = 0; row < length; row++) all[row] = row
  const rows = yield* byWords(all, beginnings.words)
  for (let start = 0, end = 1; start < length; end++) {
    if (end % MERGES === 0) yield
    if (end < length && beginnings.compare(rows[start] ?? 0, rows[end] ?? 0) === 0) continue
    if (end - start > 1) rows.set(yield* merged(rows.subarray(start, end), compare), start)
    start = end
  }
  return rows
}
