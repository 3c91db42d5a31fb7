/** CRC-32 (IEEE 802.3, as in zlib): finds bytes that a disk has changed, and no forgery. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder
})

/** The checksum of the bytes, unsigned. `previous` is that of the bytes before them. */
export const crc32 = (bytes: Uint8Array, previous = 0): number => {
  let crc = ~previous
  for (let at = 0; at < bytes.length; at++) crc = (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}
