/**
 * Base58 of any number of bytes, by schoolbook radix conversion in limbs of five digits. Time grows with the square of
 * the length, so callers bound it. Long texts are decoded by halves as big integers: 10 KiB in a millisecond.
 */
import { CODES, DIGITS, LIMB, LIMB_DIGITS, NO_DIGIT, ZERO } from "./base58Alphabet.js"

/** The number of leading indices for which `isZero` holds. */
const skip = (length: number, isZero: (index: number) => boolean): number => {
  let index = 0
  while (index < length && isZero(index)) index++
  return index
}

/** Encodes bytes. */
export const encode = (bytes: Uint8Array): string => {
  const zeros = skip(bytes.length, (index) => bytes[index] === 0)
  const limbs: Array<number> = []
  for (let i = zeros; i < bytes.length; i++) {
    let carry = bytes[i] ?? 0
    for (let j = 0; j < limbs.length; j++) {
      const value = (limbs[j] ?? 0) * 256 + carry
      carry = Math.floor(value / LIMB)
      limbs[j] = value - carry * LIMB
    }
    if (carry > 0) limbs.push(carry)
  }
  let digits = ""
  for (let i = limbs.length - 1; i >= 0; i--) {
    let limb = limbs[i] ?? 0
    let group = ""
    for (let k = 0; k < LIMB_DIGITS; k++) {
      group = String.fromCharCode(CODES[limb % 58] ?? 0) + group
      limb = Math.floor(limb / 58)
    }
    digits += group
  }
  const leading = skip(digits.length, (index) => digits.charCodeAt(index) === ZERO)
  return "1".repeat(zeros) + digits.slice(leading)
}

/** Minimum characters of a text that is decoded by halves: for shorter texts it is slower. */
const LONG = 256

/** Maximum digits whose value a number holds exactly: 58^9 is below 2^53. */
const EXACT = 9

/** Powers of 58 that one decoding needs: one for each length of a lower half. */
type Powers = Map<number, bigint>

const powerOf = (digits: number, powers: Powers): bigint => {
  const known = powers.get(digits)
  if (known !== undefined) return known
  const power = 58n ** BigInt(digits)
  powers.set(digits, power)
  return power
}

/** The value of the digits from `start` to `end`; undefined if one is outside the alphabet. */
const valueOf = (text: string, start: number, end: number, powers: Powers): bigint | undefined => {
  if (end - start <= EXACT) {
    let value = 0
    for (let at = start; at < end; at++) {
      const digit = DIGITS[text.charCodeAt(at)] ?? NO_DIGIT
      if (digit === NO_DIGIT) return undefined
      value = value * 58 + digit
    }
    return BigInt(value)
  }
  // The lower half has EXACT · 2^k digits, so that few powers are computed.
  let low = EXACT
  while (low * 2 < end - start) low *= 2
  const high = valueOf(text, start, end - low, powers)
  const rest = high === undefined ? undefined : valueOf(text, end - low, end, powers)
  return high === undefined || rest === undefined ? undefined : high * powerOf(low, powers) + rest
}

const decodeLong = (text: string, zeros: number): Uint8Array | undefined => {
  const value = valueOf(text, zeros, text.length, new Map())
  if (value === undefined) return undefined
  const hex = value === 0n ? "" : value.toString(16)
  const size = Math.ceil(hex.length / 2)
  const even = hex.padStart(2 * size, "0")
  const bytes = new Uint8Array(zeros + size)
  for (let at = 0; at < size; at++) bytes[zeros + at] = Number.parseInt(even.slice(2 * at, 2 * at + 2), 16)
  return bytes
}

/** Decodes text; undefined if a character is outside the alphabet. The caller bounds the length. */
export const decode = (text: string): Uint8Array | undefined => {
  const zeros = skip(text.length, (index) => text.charCodeAt(index) === ZERO)
  if (text.length - zeros >= LONG) return decodeLong(text, zeros)
  const words: Array<number> = []
  for (let i = zeros; i < text.length; i++) {
    let carry = DIGITS[text.charCodeAt(i)] ?? NO_DIGIT
    if (carry === NO_DIGIT) return undefined
    for (let j = 0; j < words.length; j++) {
      const value = (words[j] ?? 0) * 58 + carry
      carry = Math.floor(value / 0x1000000)
      words[j] = value - carry * 0x1000000
    }
    if (carry > 0) words.push(carry)
  }
  const tail = new Uint8Array(words.length * 3)
  words.forEach((word, index) => {
    const at = tail.length - 3 * (index + 1)
    tail[at] = word >> 16
    tail[at + 1] = word >> 8
    tail[at + 2] = word
  })
  const leading = skip(tail.length, (index) => tail[index] === 0)
  const bytes = new Uint8Array(zeros + tail.length - leading)
  bytes.set(tail.subarray(leading), zeros)
  return bytes
}
