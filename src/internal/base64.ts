/** Two base64 codecs with one behaviour: the platform's native one where `Buffer` exists, and a portable one. */

/** Canonical, padded base64. */
export interface Base64Codec {
  readonly encode: (bytes: Uint8Array) => string
  /** Undefined when the text is not canonical. */
  readonly decode: (text: string) => Uint8Array | undefined
  /**
   * Prepares a {@link decode} for parts of `whole`. It checks `whole` once for characters of other alphabets, so that
   * each part need not be checked.
   */
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

/** The portable codec, which uses tables. It is for platforms without `Buffer`. */
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

/** Whether the last digit, at `index`, has bits beyond the last byte. */
const hasBitsLeftOver = (text: string, index: number, mask: number): boolean =>
  ((SEXTETS[text.charCodeAt(index)] ?? NO_SEXTET) & mask) !== 0

/**
 * Number of bytes that the text encodes if all its characters are in the alphabet; -1 if its length or its end is
 * invalid.
 */
const sizeOf = (text: string): number => {
  const { length } = text
  if (length % 4 !== 0) return -1
  const padding = text.charCodeAt(length - 1) !== PADDING ? 0 : text.charCodeAt(length - 2) !== PADDING ? 1 : 2
  if (padding > 0 && hasBitsLeftOver(text, length - 1 - padding, padding === 1 ? 3 : 15)) return -1
  return (length / 4) * 3 - padding
}

/**
 * Whether the text has characters that the native decoder misreads: those of the URL alphabet, and wide characters, of
 * which it reads the low byte.
 */
const hasTakenForOthers = (text: string): boolean =>
  text.includes("-") || text.includes("_") || /[\u0100-\uffff]/.test(text)

/** Characters that are decoded at once. Node copies them first, so that a long text would take its memory twice. */
const PART = 256 * 1024

/** Bytes allocated from Node's pool at a time: the largest size that the pool serves. */
const CHUNK = 4088

/**
 * The codec over `Buffer`, whose pool serves many short arrays. Its decoder skips unknown characters, which the length
 * of the result reveals. It also accepts the URL alphabet, reads the low byte of wide characters and drops leftover
 * bits; the codec checks for these itself.
 */
export const native = (buffer: typeof Buffer): Base64Codec => {
  const decode = (text: string): Uint8Array | undefined => {
    const size = sizeOf(text)
    if (size < 0 || hasTakenForOthers(text)) return undefined
    if (text.length > PART) return decodeLong(text, size)
    const decoded = buffer.from(text, "base64")
    return decoded.length === size ? new Uint8Array(decoded.buffer, decoded.byteOffset, size) : undefined
  }
  const decodeLong = (text: string, size: number): Uint8Array | undefined => {
    const bytes = buffer.allocUnsafeSlow(size)
    let used = 0
    for (let from = 0; from < text.length; from += PART) {
      used += bytes.write(text.slice(from, from + PART), used, "base64")
    }
    return used === size ? new Uint8Array(bytes.buffer) : undefined
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
