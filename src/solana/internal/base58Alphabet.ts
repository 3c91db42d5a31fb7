/** The base58 alphabet and its inverse. */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

/** The character that stands for a leading zero byte. */
export const ZERO = 49

/** Five base58 digits, the largest number of them that fits 32 bits. */
export const LIMB_DIGITS = 5
export const LIMB = 58 ** LIMB_DIGITS

/** Digit to character code. */
export const CODES: ReadonlyArray<number> = Array.from(ALPHABET, (character) => character.charCodeAt(0))

/** Stands for no digit. */
export const NO_DIGIT = 255

/** Character code to digit, {@link NO_DIGIT} where there is none. */
export const DIGITS = new Uint8Array(128).fill(NO_DIGIT)
CODES.forEach((code, digit) => {
  DIGITS[code] = digit
})
