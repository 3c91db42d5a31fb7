/**
 * Passes integers that a double cannot hold through `JSON.parse` as strings.
 *
 * `mark` turns a large integer into the string `#n…`. It prefixes `#s` to every other string that begins with `#`, or
 * with an escape that could encode `#`; so no string of the document is mistaken for an integer. `unmark` restores
 * both.
 */

const BACKSLASH = 92
const HASH = 35
const COLON = 58
const MINUS = 45
const NINE = 57
const ZERO = 48

/** Integers with more digits stay doubles. Solana has none, and converting them is slow. */
const MAX_DIGITS = 1000

/** Digits in 2^53. Integers with fewer digits are always exact. */
const MIN_DIGITS = 16

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE

/** Index of the closing quote of the string whose first character is at `from`; -1 if there is none. */
export const endOfString = (text: string, from: number): number => {
  let end = text.indexOf('"', from)
  while (end !== -1) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

const isKey = (text: string, afterString: number): boolean => {
  let at = afterString
  while (text.charCodeAt(at) <= 32) at++
  return text.charCodeAt(at) === COLON
}

/**
 * Start of the first run of at least sixteen digits in a range; -1 if there is none. It probes every sixteenth
 * character, which every such run includes.
 */
const longRun = (text: string, from: number, to: number): number => {
  for (let probe = from + MIN_DIGITS - 1; probe < to; probe += MIN_DIGITS) {
    if (!isDigit(text.charCodeAt(probe))) continue
    let start = probe
    while (start > from && isDigit(text.charCodeAt(start - 1))) start--
    const end = endOfRun(text, probe, to)
    if (end - start >= MIN_DIGITS) return start
    probe = end - 1
  }
  return -1
}

const endOfRun = (text: string, from: number, to: number): number => {
  let end = from
  while (end < to && isDigit(text.charCodeAt(end))) end++
  return end
}

/** Returns the text with its large integers marked, or undefined if it has none. */
export const mark = (text: string): string | undefined => {
  if (longRun(text, 0, text.length) === -1) return undefined
  let out = ""
  let copied = 0
  let found = false
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('"', at)
    const gapEnd = open === -1 ? text.length : open
    for (let start = longRun(text, at, gapEnd); start !== -1; start = longRun(text, at, gapEnd)) {
      const end = endOfRun(text, start, gapEnd)
      const from = text.charCodeAt(start - 1) === MINUS ? start - 1 : start
      if (isLargeInteger(text, from, start, end)) {
        out += `${text.slice(copied, from)}"#n${text.slice(from, end)}"`
        copied = end
        found = true
      }
      at = end
    }
    if (open === -1) break
    const close = endOfString(text, open + 1)
    if (close === -1) break
    const first = text.charCodeAt(open + 1)
    if ((first === HASH || first === BACKSLASH) && !isKey(text, close + 1)) {
      out += `${text.slice(copied, open)}"#s`
      copied = open + 1
    }
    at = close + 1
  }
  return found ? out + text.slice(copied) : undefined
}

/** Whether the digits are a complete, well-formed integer token that a double may not hold. */
const isLargeInteger = (text: string, from: number, start: number, end: number): boolean =>
  end - start <= MAX_DIGITS &&
  text.charCodeAt(start) !== ZERO &&
  !/[\w.+]/.test(text.charAt(from - 1)) &&
  !/[\w.]/.test(text.charAt(end)) &&
  !Number.isSafeInteger(Number(text.slice(start, end)))

const isMarked = (value: unknown): value is string => typeof value === "string" && value.charCodeAt(0) === HASH

const original = (marked: string): bigint | string => {
  const text = marked.slice(2)
  return marked.startsWith("#n") ? BigInt(text) : text
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Restores integers and strings in place. It uses an explicit stack, because the document may be deeply nested. */
export const unmark = (document: unknown): unknown => {
  if (isMarked(document)) return original(document)
  const pending: Array<unknown> = [document]
  while (pending.length > 0) {
    const holder = pending.pop()
    if (Array.isArray(holder)) {
      for (let i = 0; i < holder.length; i++) {
        const item: unknown = holder[i]
        if (isMarked(item)) holder[i] = original(item)
        else if (isRecord(item)) pending.push(item)
      }
    } else if (isRecord(holder)) {
      for (const key in holder) {
        const member = holder[key]
        if (isMarked(member)) holder[key] = original(member)
        else if (isRecord(member)) pending.push(member)
      }
    }
  }
  return document
}
