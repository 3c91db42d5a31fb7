/** Several byte arrays in one: their number, their lengths, and their bytes. */

export const encode = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const head = 4 * (1 + parts.length)
  const frame = new Uint8Array(parts.reduce((sum, { length }) => sum + length, head))
  const view = new DataView(frame.buffer)
  view.setUint32(0, parts.length, true)
  let at = head
  for (const [index, part] of parts.entries()) {
    view.setUint32(4 * (1 + index), part.length, true)
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** The parts, as views of the frame. */
export const decode = (frame: Uint8Array): Array<Uint8Array> => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const count = view.getUint32(0, true)
  let at = 4 * (1 + count)
  return Array.from({ length: count }, (_, index) => {
    const length = view.getUint32(4 * (1 + index), true)
    at += length
    return frame.subarray(at - length, at)
  })
}
