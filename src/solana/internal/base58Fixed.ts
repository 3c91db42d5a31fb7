/**
 * Base58 of a fixed number of bytes, by multiplication with two small constant matrices. One converts 16-bit words to
 * limbs of five base58 digits; the other converts limbs to words.
 *
 * Invariants: a value that is not a string is refused, even if its type says string; a product is below 2^46 and a sum
 * has at most 32 products, so doubles hold every sum exactly. `decode` accepts exactly the texts that `encode` writes.
 * The scratch arrays are shared; this is safe because no function yields.
 */
import { CODES, DIGITS, LIMB, LIMB_DIGITS, NO_DIGIT, ZERO } from "./base58Alphabet.js"

const WORD = 0x10000

/** For texts of these lengths, the expression takes half the time of a loop. */
const ONLY_DIGITS = /^[1-9A-HJ-NP-Za-km-z]+$/

/** Base58 of exactly `size` bytes. */
export interface FixedBase58 {
  /** Text of the `size` bytes that begin at `offset`. */
  readonly encode: (bytes: Uint8Array, offset: number) => string
  /** The bytes, or undefined when the text is not base58 of exactly `size` bytes. */
  readonly decode: (text: string) => Uint8Array | undefined
  /** Whether {@link decode} would return bytes. It rarely needs to decode. */
  readonly is: (text: string) => boolean
}

/**
 * A matrix from base `from` to base `to`, most significant place first. Row r, column c is digit r of the value of
 * place c. A low place has no high digits, so a row is zero from column `reach` on.
 */
interface Conversion {
  readonly cells: Float64Array
  readonly reach: Uint8Array
}

const conversion = (from: number, columns: number, to: number, rows: number): Conversion => {
  const cells = new Float64Array(rows * columns)
  const reach = new Uint8Array(rows)
  for (let column = 0; column < columns; column++) {
    let value = BigInt(from) ** BigInt(columns - 1 - column)
    for (let row = rows - 1; value > 0n; row--) {
      cells[row * columns + column] = Number(value % BigInt(to))
      reach[row] = column + 1
      value /= BigInt(to)
    }
  }
  return { cells, reach }
}

/** Writes the five digits of a limb as character codes. */
const writeDigits = (limb: number, codes: Uint8Array, at: number): void => {
  const a = (limb / 58) | 0
  const b = (a / 58) | 0
  const c = (b / 58) | 0
  const d = (c / 58) | 0
  codes[at] = CODES[d] ?? 0
  codes[at + 1] = CODES[c - d * 58] ?? 0
  codes[at + 2] = CODES[b - c * 58] ?? 0
  codes[at + 3] = CODES[a - b * 58] ?? 0
  codes[at + 4] = CODES[limb - a * 58] ?? 0
}

/** A scratch array for character codes, and the text from an index on. `Buffer`, if present, halves the time. */
const scratch = (size: number): { readonly codes: Uint8Array; readonly textFrom: (from: number) => string } => {
  if (typeof Buffer === "function") {
    const codes = Buffer.alloc(size)
    return { codes, textFrom: (from) => codes.toString("latin1", from) }
  }
  const codes = new Uint8Array(size)
  return { codes, textFrom: (from) => String.fromCharCode(...codes.subarray(from)) }
}

/** `maxLength` is the length of the longest text, ceil(size * log 256 / log 58). */
const make = (size: number, maxLength: number): FixedBase58 => {
  const wordCount = size / 2
  const limbCount = Math.ceil(maxLength / LIMB_DIGITS)
  const digitCount = limbCount * LIMB_DIGITS
  const toLimbs = conversion(WORD, wordCount, LIMB, limbCount)
  const toWords = conversion(LIMB, limbCount, WORD, wordCount)
  const words = new Float64Array(wordCount)
  const limbs = new Float64Array(limbCount)
  const { codes, textFrom } = scratch(digitCount)

  const encode = (bytes: Uint8Array, offset: number): string => {
    const { cells, reach } = toLimbs
    for (let i = 0, at = offset; i < wordCount; i++, at += 2) {
      words[i] = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    }
    let carry = 0
    for (let row = limbCount - 1; row >= 0; row--) {
      const end = reach[row] ?? 0
      let sum = carry
      for (let i = 0, cell = row * wordCount; i < end; i++, cell++) sum += (words[i] ?? 0) * (cells[cell] ?? 0)
      carry = Math.floor(sum / LIMB)
      writeDigits((sum - carry * LIMB) | 0, codes, row * LIMB_DIGITS)
    }
    let zeroBytes = 0
    while (zeroBytes < size && bytes[offset + zeroBytes] === 0) zeroBytes++
    let zeroDigits = 0
    while (zeroDigits < digitCount && codes[zeroDigits] === ZERO) zeroDigits++
    return textFrom(zeroDigits - zeroBytes)
  }

  const decode = (text: string): Uint8Array | undefined => {
    if (typeof text !== "string") return undefined
    const length = text.length
    if (length < size || length > maxLength) return undefined
    let at = 0
    for (let row = 0, end = length - digitCount + LIMB_DIGITS; row < limbCount; row++, end += LIMB_DIGITS) {
      let limb = 0
      for (; at < end; at++) {
        const digit = DIGITS[text.charCodeAt(at)] ?? NO_DIGIT
        if (digit === NO_DIGIT) return undefined
        limb = limb * 58 + digit
      }
      limbs[row] = limb
    }
    const { cells, reach } = toWords
    const bytes = new Uint8Array(size)
    let carry = 0
    for (let row = wordCount - 1; row >= 0; row--) {
      const end = reach[row] ?? 0
      let sum = carry
      for (let i = 0, cell = row * limbCount; i < end; i++, cell++) sum += (limbs[i] ?? 0) * (cells[cell] ?? 0)
      carry = Math.floor(sum / WORD)
      const word = sum - carry * WORD
      bytes[2 * row] = word >> 8
      bytes[2 * row + 1] = word
    }
    // Fails if the value is too large, or if leading ones and leading zero bytes differ in number.
    if (carry !== 0) return undefined
    let ones = 0
    while (ones < length && text.charCodeAt(ones) === ZERO) ones++
    let zeroBytes = 0
    while (zeroBytes < size && bytes[zeroBytes] === 0) zeroBytes++
    return ones === zeroBytes ? bytes : undefined
  }

  /**
   * The text of the largest value. The alphabet is in ascending order, so texts of equal length compare like their
   * values.
   */
  const largest = encode(new Uint8Array(size).fill(255), 0)

  /** The text of the smallest value with a non-zero first byte. It is one digit shorter. */
  const smallest = encode(new Uint8Array(size).fill(1, 0, 1), 0)

  const isBetween = (text: string): boolean =>
    text.length === largest.length ? text <= largest : text.length === smallest.length && text >= smallest

  const is = (text: string): boolean =>
    typeof text === "string" && text.charCodeAt(0) !== ZERO && isBetween(text)
      ? ONLY_DIGITS.test(text)
      : decode(text) !== undefined

  return { encode, decode, is }
}

/** Keys, hashes and blockhashes. */
export const bytes32: FixedBase58 = make(32, 44)

/** Signatures. */
export const bytes64: FixedBase58 = make(64, 88)
