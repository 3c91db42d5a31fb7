/**
 * Bounds on what a JSON text makes of itself when it is parsed.
 *
 * `[[[[…` overflows the stack of whatever walks over the value, and `[{},{},…` takes twenty times the memory of its text.
 */
import { endOfString } from "./jsonBigIntegers.js"

/** Arrays and objects inside one another: four times what any reply of a node has. */
const MAX_DEPTH = 256

/** Arrays and objects in a text: a node's replies have one in 30 to 80 characters. */
const MIN_CONTAINERS = 1024
const CHARACTERS_PER_CONTAINER = 16

const QUOTE = 34
/** `[` and `{`, `]` and `}` differ in this bit alone. */
const CASE = 32
const OPEN = 123
const CLOSE = 125

/** Why the text must not be parsed, if so. A text of up to 512 characters is too short for that. */
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
