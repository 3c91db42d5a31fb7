/** Strict UTF-8 encoding and decoding that never throws. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * Whether the bytes of `[start, end)` are UTF-8. As in Rust, overlong forms, surrogates and code points above U+10FFFF
 * are invalid. This check avoids the exceptions of a strict `TextDecoder`.
 */
const isValid = (bytes: Uint8Array, start: number, end: number): boolean => {
  let at = start
  while (at < end) {
    const first = bytes[at] ?? 0
    if (first < 0x80) {
      at += 1
      continue
    }
    const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : 4
    if (first < 0xc2 || first > 0xf4 || at + length > end) return false
    const second = bytes[at + 1] ?? 0
    const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    if (second < lowest || second > highest) return false
    for (let next = at + 2; next < at + length; next++) {
      if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return false
    }
    at += length
  }
  return true
}

/** Decodes the bytes of `[start, end)`; `undefined` if they are not UTF-8. */
export const decode = (bytes: Uint8Array, start: number, end: number): string | undefined =>
  isValid(bytes, start, end) ? decoder.decode(bytes.subarray(start, end)) : undefined

/** Up to this length, copying ASCII by hand is faster than calling the encoder. */
const SHORT = 64

/** The UTF-8 of the text. */
export const encode = (text: string): Uint8Array => {
  const { length } = text
  if (length > SHORT) return encoder.encode(text)
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) return encoder.encode(text)
    bytes[at] = unit
  }
  return bytes
}

/** Whether the text can be encoded as UTF-8, that is, has no lone surrogate. */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

/** The length of the text in UTF-8, without encoding it. */
export const byteLength = (text: string): number => {
  let length = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    length += 1
    if (unit < 0x800) continue
    length += 1
    // A surrogate pair is two units and four bytes; skip its second half.
    if (unit >= 0xd800 && unit <= 0xdbff && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at += 1
  }
  return length
}
