/** The words of a text by which it is found. */

/** More would let one hostile text fill the index. */
const MAX_TOKENS = 32
/** Characters of a token. */
const MAX_LENGTH = 32

const WORD = /[\p{L}\p{N}]+/gu

/** Words that nearly every URI has. */
const COMMON: ReadonlySet<string> = new Set(["http", "https", "www"])

/** Up to 32 distinct words of letters and digits, lower case, cut at 32 characters, without `http`, `https` and `www`. */
export const tokens = (text: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    if (found.size === MAX_TOKENS) break
    if (!COMMON.has(word)) found.add(word.slice(0, MAX_LENGTH))
  }
  return [...found]
}
