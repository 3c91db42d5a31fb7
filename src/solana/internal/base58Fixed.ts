/**
 * Base58 of a fixed number of bytes by two small matrices: a word of 16 bits has a known expansion in limbs of five
 * base58 digits and the other way round. A product is below 2^46 and at most 32 of them are summed, so doubles hold
 * every sum exactly.
 */
import { CODES, DIGITS, LIMB, LIMB_DIGITS, NO_DIGIT, ZERO } from "./base58Alphabet.js"

const WORD = 0x10000

/** Base58 of exactly `size` bytes. */
export interface FixedBase58 {
  /** Text of the `size` bytes that begin at `offset`. */
  readonly encode: (bytes: Uint8Array, offset: number) => string
  /** The bytes, or undefined when the text is not base58 of exactly `size` bytes. */
  readonly decode: (text: string) => Uint8Array | undefined
}

/** The digits of `base^exponent` in another base, most significant first. */
const expand = (base: number, exponent: number, into: number, length: number): ReadonlyArray<number> => {
  const digits: Array<number> = []
  let rest = BigInt(base) ** BigInt(exponent)
  for (let i = 0; i < length; i++) {
    digits.unshift(Number(rest % BigInt(into)))
    rest /= BigInt(into)
  }
  return digits
}

/** Row r, column c: digit r of the c-th place of the other base, so that a row is read along its memory. */
const conversion = (from: number, columns: number, into: number, rows: number): Float64Array => {
  const matrix = new Float64Array(rows * columns)
  for (let column = 0; column < columns; column++) {
    expand(from, columns - 1 - column, into, rows).forEach((digit, row) => {
      matrix[row * columns + column] = digit
    })
  }
  return matrix
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
  const codes: Array<number> = Array.from({ length: digitCount }, () => ZERO)

  const encode = (bytes: Uint8Array, offset: number): string => {
    for (let i = 0, at = offset; i < wordCount; i++, at += 2) {
      words[i] = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    }
    let carry = 0
    for (let row = limbCount - 1; row >= 0; row--) {
      let sum = carry
      for (let i = 0, at = row * wordCount; i < wordCount; i++, at++) sum += (words[i] ?? 0) * (toLimbs[at] ?? 0)
      carry = Math.floor(sum / LIMB)
      let limb = (sum - carry * LIMB) | 0
      for (let at = row * LIMB_DIGITS + LIMB_DIGITS - 1; at >= row * LIMB_DIGITS; at--) {
        const rest = (limb / 58) | 0
        codes[at] = CODES[limb - rest * 58] ?? 0
        limb = rest
      }
    }
    let zeroBytes = 0
    while (zeroBytes < size && bytes[offset + zeroBytes] === 0) zeroBytes++
    let zeroDigits = 0
    while (zeroDigits < digitCount && codes[zeroDigits] === ZERO) zeroDigits++
    return String.fromCharCode.apply(null, codes.slice(zeroDigits - zeroBytes))
  }

  const decode = (text: string): Uint8Array | undefined => {
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
    const bytes = new Uint8Array(size)
    let carry = 0
    for (let row = wordCount - 1; row >= 0; row--) {
      let sum = carry
      for (let i = 0, cell = row * limbCount; i < limbCount; i++, cell++) sum += (limbs[i] ?? 0) * (toWords[cell] ?? 0)
      carry = Math.floor(sum / WORD)
      const word = sum - carry * WORD
      bytes[2 * row] = word >> 8
      bytes[2 * row + 1] = word
    }
    if (carry !== 0) return undefined
    let zeros = 0
    while (zeros < length && text.charCodeAt(zeros) === ZERO) zeros++
    for (let i = 0; i < zeros; i++) if (bytes[i] !== 0) return undefined
    return zeros < size && bytes[zeros] === 0 ? undefined : bytes
  }

  return { encode, decode }
}

/** Keys, hashes and blockhashes. */
export const bytes32: FixedBase58 = make(32, 44)

/** Signatures. */
export const bytes64: FixedBase58 = make(64, 88)
