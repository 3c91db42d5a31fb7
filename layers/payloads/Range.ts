/** Parses the `Range` header of a request (RFC 9110, section 14). */

export interface Range {
  readonly offset: number
  readonly length: number
}

const SINGLE = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/

/**
 * Returns `undefined` for the whole payload. This is also the answer to a header that is not a single range of bytes.
 */
export const parse = (header: string | undefined, size: number): Range | "unsatisfiable" | undefined => {
  const found = header === undefined ? null : SINGLE.exec(header.trim())
  if (found === null) return undefined
  const [, first, last, suffix] = found
  if (first === undefined) {
    const length = Math.min(Number(suffix), size)
    return length === 0 ? "unsatisfiable" : { offset: size - length, length }
  }
  const offset = Number(first)
  const end = last === undefined || last === "" ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== undefined && last !== "" && Number(last) < offset) return undefined
  return offset >= size ? "unsatisfiable" : { offset, length: end - offset + 1 }
}
