/**
 * Parses a text that is almost wholly one string, such as a notification of a large account, without a copy of the
 * string. `JSON.parse` copies it, so that 8 MB of data would take 16 MB until the next collection.
 *
 * `cut` puts a mark in the place of the string. If the rest parses, the mark stood inside a string, because it is no
 * token outside of one. The string has no quote, no escape and no control character. So JSON reads the whole text in the
 * same way. `restore` replaces the mark by a slice, which shares the memory of the text.
 */
/** Shorter strings are copied in microseconds. */
const MIN_LENGTH = 64 * 1024

/** Maximum characters around the string. Known notifications have about 250. A slice keeps as many in memory. */
const MAX_FRAME = 4096

const MARK = "\uE000"

/** An escape or a control character. */
const NOT_VERBATIM = /[^ -\uFFFF]|\\/

/** The text with a mark in place of its long string. */
export interface Cut {
  readonly frame: string
  readonly string: string
}

/** Returns undefined if the text is not almost wholly one string. */
export const cut = (text: string): Cut | undefined => {
  if (text.length < MIN_LENGTH) return undefined
  const start = text.slice(0, MAX_FRAME).lastIndexOf('"') + 1
  const end = text.indexOf('"', start)
  if (start === 0 || end === -1 || start + text.length - end > MAX_FRAME) return undefined
  const head = text.slice(0, start)
  const tail = text.slice(end)
  if (NOT_VERBATIM.test(head) || NOT_VERBATIM.test(tail) || head.includes(MARK) || tail.includes(MARK)) return undefined
  const string = text.slice(start, end)
  return NOT_VERBATIM.test(string) ? undefined : { frame: `${head}${MARK}${tail}`, string }
}

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null

/** Puts the string in the place of the mark, in place. False if the mark is the document itself, or a key. */
export const restore = (document: unknown, { string }: Cut): boolean => {
  const pending = [document].filter(isContainer)
  for (let holder = pending.pop(); holder !== undefined; holder = pending.pop()) {
    for (const [key, value] of Object.entries(holder)) {
      if (value === MARK) {
        return Reflect.defineProperty(holder, key, {
          value: string,
          writable: true,
          enumerable: true,
          configurable: true
        })
      }
      if (isContainer(value)) pending.push(value)
    }
  }
  return false
}
