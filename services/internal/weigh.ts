/**
 * About how many bytes a parsed JSON value takes in memory, for bounds on what is kept. It does not recurse, since the value
 * may be nested as deep as its sender likes.
 */

/** Bytes of an object, an array or a string beside its content, and of a slot that points to one. */
const HEADER = 24
const SLOT = 8

export const weigh = (value: unknown): number => {
  const pending: Array<object> = []
  let bytes = 0
  const add = (part: unknown): void => {
    bytes += SLOT
    if (typeof part === "string") bytes += HEADER + part.length
    else if (typeof part === "object" && part !== null) pending.push(part)
  }
  add(value)
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    bytes += HEADER
    if (Array.isArray(next)) next.forEach(add)
    else if (ArrayBuffer.isView(next)) bytes += next.byteLength
    else Object.values(next).forEach(add)
  }
  return bytes
}
