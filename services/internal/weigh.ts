/**
 * Estimates the bytes that a parsed JSON value takes in memory, for bounds in bytes. It does not recurse, because a sender
 * decides how deeply the value is nested.
 */

/** Bytes of an object, an array or a string without its content, and of a reference to one. */
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
