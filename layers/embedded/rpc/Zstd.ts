/** Zstandard frames (RFC 8878) that store their content without compressing it. Every decoder reads them. */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
/** No checksum, no content size; a window of 2 MiB. */
const DESCRIPTORS = [0x00, 0x58]
const HEADER_BYTES = MAGIC.length + DESCRIPTORS.length
const BLOCK_HEADER_BYTES = 3

/** Maximum content of a block. */
const MAX_BLOCK_BYTES = 128 * 1024

/** Wraps the content in a frame of raw blocks. */
export const stored = (content: Uint8Array): Uint8Array => {
  const blocks = Math.max(1, Math.ceil(content.length / MAX_BLOCK_BYTES))
  const frame = new Uint8Array(HEADER_BYTES + blocks * BLOCK_HEADER_BYTES + content.length)
  frame.set([...MAGIC, ...DESCRIPTORS])
  let at = HEADER_BYTES
  for (let block = 0; block < blocks; block++) {
    const part = content.subarray(block * MAX_BLOCK_BYTES, (block + 1) * MAX_BLOCK_BYTES)
    const header = (part.length << 3) | (block === blocks - 1 ? 1 : 0)
    frame.set([header & 0xff, (header >> 8) & 0xff, header >> 16], at)
    frame.set(part, at + BLOCK_HEADER_BYTES)
    at += BLOCK_HEADER_BYTES + part.length
  }
  return frame
}
