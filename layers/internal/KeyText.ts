/**
 * Parses the text forms of a Solana secret key.
 *
 * Invariant: no function shows a text or makes a string of its digits, because a text that is not a key may be a
 * misspelt one.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Base58 from "../../src/solana/Base58.js"

/** Bytes of a secret key: 32 of seed and 32 of public key. */
const SIZE = 64

const NEW_LINE = 0x0a
const RETURN = 0x0d
const TAB = 0x09
const SPACE = 0x20
const COMMA = 0x2c
const ZERO = 0x30
const NINE = 0x39
const OPEN = 0x5b
const CLOSE = 0x5d

const isBlank = (code: number | undefined): boolean =>
  code === SPACE || code === NEW_LINE || code === RETURN || code === TAB

const isDigit = (code: number | undefined): code is number => code !== undefined && code >= ZERO && code <= NINE

/**
 * Parses a JSON array of 64 byte values from the bytes of the text, so that the caller can overwrite both. `None` for
 * any other text.
 */
export const fromArray = (text: Uint8Array): Option.Option<Uint8Array> => {
  const key = new Uint8Array(SIZE)
  let at = 0
  /** Skips blanks and then `code`. */
  const pass = (code: number): boolean => {
    while (isBlank(text[at])) at++
    return text[at] === code && ++at > 0
  }
  const byte = (): number => {
    while (isBlank(text[at])) at++
    const from = at
    let value = 0
    for (let code = text[at]; isDigit(code) && at - from < 3; code = text[++at]) value = value * 10 + code - ZERO
    const isOneNumber = at > from && (at === from + 1 || text[from] !== ZERO)
    return isOneNumber ? value : Infinity
  }
  let isKey = pass(OPEN)
  for (let index = 0; isKey && index < SIZE; index++) {
    const value = byte()
    key[index] = value
    isKey = value <= 0xff && pass(index === SIZE - 1 ? CLOSE : COMMA)
  }
  while (isBlank(text[at])) at++
  if (isKey && at === text.length) return Option.some(key)
  key.fill(0)
  return Option.none()
}

/** Parses base58 text, the form in which wallets export a key. `None` for any other text. */
const fromBase58 = (text: string): Option.Option<Uint8Array> =>
  Option.filter(Either.getRight(Base58.decode(text, SIZE)), ({ length }) => length === SIZE)

const QUOTES = ["'", '"', "`"]

/** Removes the surrounding blanks and quotes that env files leave in place. */
export const unquoted = (text: string): string => {
  const trimmed = text.trim()
  const [first = ""] = trimmed
  return QUOTES.includes(first) && trimmed.length > 1 && trimmed.endsWith(first)
    ? unquoted(trimmed.slice(1, -1))
    : trimmed
}

/** Parses a key in either form. */
export const parse = (text: string): Option.Option<Uint8Array> => {
  const codes = new TextEncoder().encode(text)
  const key = fromArray(codes)
  codes.fill(0)
  return Option.orElse(key, () => fromBase58(text))
}

/** Matches base64 of a seed, of a key, or of a key in PKCS #8. Its alphabet includes the slash of paths. */
const BASE64 = /^(?:[\w+/-]{43}=?|[\w+/-]{64}|[\w+/-]{86}(?:==)?)$/

const PATH = /^(?:~|\.{0,2})[\\/]|^[A-Za-z]:[\\/]|\.json$/

/** Whether the text can only be a path, so that it may be shown. */
export const isPath = (text: string): boolean => PATH.test(text) && !BASE64.test(text)
