/**
 * Integers that a double can not hold, smuggled through `JSON.parse` as strings.
 *
 * A large integer becomes the string `#n…`. So that no string of the document is taken for one, a string value that
 * begins with `#`, or with an escape that might spell it, is written with `#s` before it.
 */

const BACKSLASH = 92
const HASH = 35
const COLON = 58
const MINUS = 45
const NINE = 57
const ZERO = 48

/** Digits in 2^53: fewer digits are always exact. */
const MIN_DIGITS = 16

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE

/** Index of the quote that ends the string whose first character is at `from`; -1 when there is none. */
const endOfString = (text: string, from: number): number => {
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

/** The text with its large integers marked, or undefined when it has none. */
export const mark = (text: string): string | undefined => {
  let out = ""
  let copied = 0
  let found = false
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('"', at)
    const gapEnd = open === -1 ? text.length : open
    // Between strings: look at every sixteenth character, a long run of digits can not hide from that.
    for (let probe = at + MIN_DIGITS - 1; probe < gapEnd; probe += MIN_DIGITS) {
      if (!isDigit(text.charCodeAt(probe))) continue
      let start = probe
      while (start > at && isDigit(text.charCodeAt(start - 1))) start--
      let end = probe + 1
      while (end < gapEnd && isDigit(text.charCodeAt(end))) end++
      probe = end - 1
      const from = text.charCodeAt(start - 1) === MINUS ? start - 1 : start
      if (isLargeInteger(text, from, start, end)) {
        out += `${text.slice(copied, from)}"#n${text.slice(from, end)}"`
        copied = end
        found = true
      }
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

/** Whether the digits are a whole number token, well-formed and too large for a double. */
const isLargeInteger = (text: string, from: number, start: number, end: number): boolean =>
  end - start >= MIN_DIGITS &&
  text.charCodeAt(start) !== ZERO &&
  !/[\w.+]/.test(text.charAt(from - 1)) &&
  !/[\w.]/.test(text.charAt(end)) &&
  !Number.isSafeInteger(Number(text.slice(start, end)))

const original = (text: string): bigint | string => (text.charCodeAt(1) === 110 ? BigInt(text.slice(2)) : text.slice(2))

/** Puts integers and strings back, in place. Walks with a stack of its own: the document may be nested deeply. */
export const unmark = (document: unknown): unknown => {
  if (typeof document === "string") return restore(document)
  const pending: Array<object> = []
  const visit = (holder: Record<string, unknown>, key: string): void => {
    const value = holder[key]
    if (typeof value === "string") {
      if (value.charCodeAt(0) === HASH) holder[key] = original(value)
    } else if (typeof value === "object" && value !== null) pending.push(value)
  }
  const root = { document }
  visit(root, "document")
  for (let holder = pending.pop(); holder !== undefined; holder = pending.pop()) {
    for (const key in holder) visit(holder as Record<string, unknown>, key)
  }
  return root.document
}

const restore = (text: string): unknown => (text.charCodeAt(0) === HASH ? original(text) : text)
