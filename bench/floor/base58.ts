/**
 * Base58 of exactly 32 bytes by hand: sixteen words of 16 bits against nine words of 58^5, all sums exact in doubles.
 */
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
const WORD = 58 ** 5
const WORDS = 9
const LIMBS = 16
const DIGITS = 45

const toWords = new Float64Array(LIMBS * WORDS)
const toLimbs = new Float64Array(WORDS * LIMBS)
for (let limb = 0; limb < LIMBS; limb++) {
  let weight = 1n << BigInt(16 * (LIMBS - 1 - limb))
  for (let word = WORDS - 1; word >= 0; word--) {
    toWords[limb * WORDS + word] = Number(weight % BigInt(WORD))
    weight /= BigInt(WORD)
  }
}
for (let word = 0; word < WORDS; word++) {
  let weight = BigInt(WORD) ** BigInt(WORDS - 1 - word)
  for (let limb = LIMBS - 1; limb >= 0; limb--) {
    toLimbs[word * LIMBS + limb] = Number(weight & 0xffffn)
    weight >>= 16n
  }
}

const letters = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0))
const values = new Uint8Array(128)
for (let value = 0; value < 58; value++) values[letters[value] ?? 0] = value

const sums = new Float64Array(LIMBS)
const digits = new Uint8Array(DIGITS)
const text = Buffer.alloc(DIGITS)

export const encode32 = (bytes: Uint8Array): string => {
  sums.fill(0)
  for (let limb = 0; limb < LIMBS; limb++) {
    const value = ((bytes[2 * limb] ?? 0) << 8) | (bytes[2 * limb + 1] ?? 0)
    const row = limb * WORDS
    for (let word = 0; word < WORDS; word++) sums[word] = (sums[word] ?? 0) + value * (toWords[row + word] ?? 0)
  }
  let carry = 0
  for (let word = WORDS - 1; word >= 0; word--) {
    const sum = (sums[word] ?? 0) + carry
    carry = Math.floor(sum / WORD)
    let rest = (sum - carry * WORD) | 0
    for (let digit = word * 5 + 4; digit >= word * 5; digit--) {
      const next = (rest / 58) | 0
      digits[digit] = rest - next * 58
      rest = next
    }
  }
  let zeros = 0
  while (zeros < 32 && bytes[zeros] === 0) zeros++
  let first = 0
  while (first < DIGITS && digits[first] === 0) first++
  for (let digit = first - zeros; digit < DIGITS; digit++) text[digit] = letters[digits[digit] ?? 0] ?? 0
  return text.toString("latin1", first - zeros, DIGITS)
}

/** Assumes that the text is base58 of 32 bytes. */
export const decode32 = (address: string, into: Uint8Array = new Uint8Array(32)): Uint8Array => {
  const pad = DIGITS - address.length
  digits.fill(0, 0, pad)
  for (let at = 0; at < address.length; at++) digits[pad + at] = values[address.charCodeAt(at)] ?? 0
  sums.fill(0)
  for (let word = 0; word < WORDS; word++) {
    let value = 0
    for (let digit = word * 5; digit < word * 5 + 5; digit++) value = value * 58 + (digits[digit] ?? 0)
    if (value === 0) continue
    const row = word * LIMBS
    for (let limb = 0; limb < LIMBS; limb++) sums[limb] = (sums[limb] ?? 0) + value * (toLimbs[row + limb] ?? 0)
  }
  let carry = 0
  for (let limb = LIMBS - 1; limb >= 0; limb--) {
    const sum = (sums[limb] ?? 0) + carry
    carry = Math.floor(sum / 65536)
    const rest = sum - carry * 65536
    into[2 * limb] = rest >> 8
    into[2 * limb + 1] = rest
  }
  return into
}
