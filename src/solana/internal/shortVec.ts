/** Solana's compact-u16: seven bits a byte, least significant first. */

export const MAX = 0xffff

/** Bytes that an encoded length occupies. */
export const size = (length: number): number => (length < 0x80 ? 1 : length < 0x4000 ? 2 : 3)

/** Writes the length at `offset` and returns the offset after it. */
export const write = (bytes: Uint8Array, offset: number, length: number): number => {
  let rest = length
  let at = offset
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>= 7
  }
  bytes[at++] = rest
  return at
}
