/** Extracts the searchable words of a text. */

/** Maximum words of a text. Without a limit, one hostile text could fill the index. */
const MAX_TOKENS = 32
/** Maximum characters of a word. */
const MAX_LENGTH = 32

const WORD = /[\p{L}\p{N}]+/gu

/** Words that occur in nearly every URI. */
const COMMON: ReadonlySet<string> = new Set(["http", "https", "www"])

/** Whether an ASCII character belongs to a word, in lower case. */
const IS_ASCII_WORD = Array.from({ length: 128 }, (_, code) => /[a-z0-9]/.test(String.fromCharCode(code)))

/** Visits the words until `visit` returns false. */
const forEachWord = (text: string, visit: (word: string) => boolean): void => {
  let start = -1
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 0
    if (code > 127) {
      for (const [word] of text.slice(start === -1 ? at : start).matchAll(WORD)) if (!visit(word)) return
      return
    }
    if (IS_ASCII_WORD[code] === true) {
      if (start === -1) start = at
    } else if (start !== -1) {
      if (!visit(text.slice(start, at))) return
      start = -1
    }
  }
}

/** Up to 32 distinct words of letters and digits, lower case, cut at 32 characters, without `http`, `https` and `www`. */
export const tokens = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  forEachWord(text.toLowerCase(), (word) => {
    const cut = word.length > MAX_LENGTH ? word.slice(0, MAX_LENGTH) : word
    if (!COMMON.has(cut) && !found.includes(cut)) found.push(cut)
    return found.length < MAX_TOKENS
  })
  return found
}
