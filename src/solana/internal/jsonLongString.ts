/**
 * Parses a text that consists almost entirely of one string, such as a notification of a large account, without copying
 * the string. `JSON.parse` copies it: 8 MB of data would take 16 MB until the next collection.
 *
 * `cut` replaces the string by a mark. If the result parses, the mark is inside a string, because outside of strings
 * the mark is not a token. The cut string has no quote, escape or control character, so JSON reads the whole text in
 * the same way. `restore` replaces the mark by a slice, which shares the memory of the text.
 */
/** Shorter strings are copied in microseconds. */
const MIN_LENGTH = 64 * 1024

/** Maximum characters around the string; the slice keeps them in memory. Known notifications have about 250. */
const MAX_FRAME = 4096

const MARK = "\uE000"

/** An escape or a control character. */
const NOT_VERBATIM = /[^ -\uFFFF]|\\/

/** The text with a mark in place of its long string. */
export interface Cut {
  readonly frame: string
  readonly string: string
}

/** Returns undefined if the text does not consist almost entirely of one string. */
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
