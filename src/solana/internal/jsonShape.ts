/**
 * Bounds the depth and the number of containers of a JSON text before it is parsed.
 *
 * `[[[[…` overflows the stack of recursive functions, and `[{},{},…` takes twenty times the memory of its text.
 */
import { endOfString } from "./jsonBigIntegers.js"

/** Maximum nesting depth: four times that of any node's reply. */
const MAX_DEPTH = 256

/** Containers that any text may have, plus one per 16 characters. A node's replies have one per 30 to 80 characters. */
const MIN_CONTAINERS = 1024
const CHARACTERS_PER_CONTAINER = 16

const QUOTE = 34
/** The bit in which `[` and `{`, and `]` and `}`, differ. */
const CASE = 32
const OPEN = 123
const CLOSE = 125

/** Returns why the text must not be parsed, if there is a reason. A text of up to 512 characters never has one. */
export const excess = (text: string): string | undefined => {
  if (text.length <= 2 * MAX_DEPTH) return undefined
  const most = MIN_CONTAINERS + text.length / CHARACTERS_PER_CONTAINER
  let depth = 0
  let containers = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at + 1)
      if (end === -1) return undefined
      at = end
    } else if ((code | CASE) === OPEN) {
      if (++depth > MAX_DEPTH) return `more than ${MAX_DEPTH} arrays and objects inside one another`
      if (++containers > most) return `more than ${Math.floor(most)} arrays and objects`
    } else if ((code | CASE) === CLOSE) depth--
  }
  return undefined
}
