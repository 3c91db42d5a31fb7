/** Two base64 codecs with one behaviour: the platform's native one where `Buffer` exists, and a portable one. */

/** Canonical, padded base64. */
export interface Base64Codec {
  readonly encode: (bytes: Uint8Array) => string
  /** Undefined when the text is not canonical. */
  readonly decode: (text: string) => Uint8Array | undefined
  /** As {@link decode}, for parts of one text: what is nowhere in the whole is not looked for in each. */
  readonly decodeParts: (whole: string) => (part: string) => Uint8Array | undefined
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0))

const PADDING = 61

const NO_SEXTET = 64

const SEXTETS = new Uint8Array(128).fill(NO_SEXTET)
CODES.forEach((code, sextet) => {
  SEXTETS[code] = sextet
})

const paddingOf = (text: string): number => (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0)

const decodePortable = (text: string): Uint8Array | undefined => {
  if (text.length % 4 !== 0) return undefined
  const padding = paddingOf(text)
  const digits = text.length - padding
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let group = 0
  let to = 0
  for (let from = 0; from < digits; from++) {
    const sextet = SEXTETS[text.charCodeAt(from)] ?? NO_SEXTET
    if (sextet === NO_SEXTET) return undefined
    group = ((group << 6) | sextet) & 0xffffff
    if (from % 4 === 3) {
      bytes[to++] = group >> 16
      bytes[to++] = group >> 8
      bytes[to++] = group
    }
  }
  if (padding === 1) {
    bytes[to++] = group >> 10
    bytes[to++] = group >> 2
    return (group & 3) === 0 ? bytes : undefined
  }
  if (padding === 2) {
    bytes[to++] = group >> 4
    return (group & 15) === 0 ? bytes : undefined
  }
  return bytes
}

/** Over tables, for platforms without a native codec that takes bytes. */
export const portable: Base64Codec = {
  encode: (bytes) => {
    const text = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PADDING)
    for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
      const left = bytes.length - from
      const group = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0)
      text[to] = CODES[group >> 18] ?? 0
      text[to + 1] = CODES[(group >> 12) & 63] ?? 0
      if (left > 1) text[to + 2] = CODES[(group >> 6) & 63] ?? 0
      if (left > 2) text[to + 3] = CODES[group & 63] ?? 0
    }
    return new TextDecoder().decode(text)
  },
  decode: decodePortable,
  decodeParts: () => decodePortable
}

/** Whether the last digit, at `index`, has bits that belong to no byte. */
const hasBitsLeftOver = (text: string, index: number, mask: number): boolean =>
  ((SEXTETS[text.charCodeAt(index)] ?? NO_SEXTET) & mask) !== 0

/** Bytes that the text stands for if it has no other characters than it may have; -1 where its length or end is wrong. */
const sizeOf = (text: string): number => {
  const { length } = text
  if (length % 4 !== 0) return -1
  const padding = text.charCodeAt(length - 1) !== PADDING ? 0 : text.charCodeAt(length - 2) !== PADDING ? 1 : 2
  if (padding > 0 && hasBitsLeftOver(text, length - 1 - padding, padding === 1 ? 3 : 15)) return -1
  return (length / 4) * 3 - padding
}

/** Characters that the native decoder takes for others: the URL alphabet's, and those of which it reads the low byte. */
const hasTakenForOthers = (text: string): boolean =>
  text.includes("-") || text.includes("_") || /[\u0100-\uffff]/.test(text)

/** Bytes taken from Node's pool at a time: the most that it gives. */
const CHUNK = 4088

/**
 * Over `Buffer`, whose pool holds the bytes of many short texts. Its decoder skips what it does not know, which makes fewer
 * bytes, but reads the URL alphabet too, takes the low byte of a wide character, and drops bits that are left over.
 */
export const native = (buffer: typeof Buffer): Base64Codec => {
  const decode = (text: string): Uint8Array | undefined => {
    const size = sizeOf(text)
    if (size < 0 || hasTakenForOthers(text)) return undefined
    const decoded = buffer.from(text, "base64")
    return decoded.length === size ? new Uint8Array(decoded.buffer, decoded.byteOffset, size) : undefined
  }
  const decodeParts = (whole: string) => {
    if (hasTakenForOthers(whole)) return decode
    let chunk = buffer.allocUnsafe(CHUNK)
    let used = 0
    return (part: string): Uint8Array | undefined => {
      const size = sizeOf(part)
      if (size < 0) return undefined
      if (size > CHUNK / 4) return decode(part)
      if (used + size > CHUNK) {
        chunk = buffer.allocUnsafe(CHUNK)
        used = 0
      }
      const at = used
      if (chunk.write(part, at, size, "base64") !== size) return undefined
      used += size
      return new Uint8Array(chunk.buffer, chunk.byteOffset + at, size)
    }
  }
  return {
    encode: (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
    decode,
    decodeParts
  }
}

/** The fastest codec of this platform. */
export const codec: Base64Codec = typeof Buffer === "function" ? native(Buffer) : portable
