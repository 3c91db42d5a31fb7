/** The base58 alphabet and its inverse. */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

/** Code of the character for a leading zero byte. */
export const ZERO = 49

/** Digits in a limb: the largest number of base58 digits that fits 32 bits. */
export const LIMB_DIGITS = 5
export const LIMB = 58 ** LIMB_DIGITS

/** Character code of each digit. */
export const CODES: ReadonlyArray<number> = Array.from(ALPHABET, (character) => character.charCodeAt(0))

/** Marks a character that is not a digit. */
export const NO_DIGIT = 255

/** Digit of each character code, or {@link NO_DIGIT}. */
export const DIGITS = new Uint8Array(128).fill(NO_DIGIT)
CODES.forEach((code, digit) => {
  DIGITS[code] = digit
})
