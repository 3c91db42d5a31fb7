/**
 * CRC-32 (IEEE 802.3, as in zlib). It detects bytes that a disk changed; it does not detect forgery. It reads four
 * bytes a step.
 */

const SIZE = 256

/** Remainders of each byte, then of each byte followed by one, two and three zero bytes. */
const TABLES = new Int32Array(4 * SIZE)

for (let byte = 0; byte < SIZE; byte++) {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  TABLES[byte] = remainder
}
for (let at = SIZE; at < TABLES.length; at++) {
  const before = TABLES[at - SIZE] ?? 0
  TABLES[at] = (TABLES[before & 0xff] ?? 0) ^ (before >>> 8)
}

const remainder = (byte: number, zeros: number): number => TABLES[zeros * SIZE + (byte & 0xff)] ?? 0

/** The checksum of the bytes, unsigned. `previous` is that of the bytes before them. */
export const crc32 = (bytes: Uint8Array, previous = 0): number => {
  const { length } = bytes
  let crc = ~previous
  let at = 0
  for (; at + 4 <= length; at += 4) {
    crc =
      remainder(crc ^ (bytes[at] ?? 0), 3) ^
      remainder((crc >>> 8) ^ (bytes[at + 1] ?? 0), 2) ^
      remainder((crc >>> 16) ^ (bytes[at + 2] ?? 0), 1) ^
      remainder((crc >>> 24) ^ (bytes[at + 3] ?? 0), 0)
  }
  for (; at < length; at++) crc = remainder(crc ^ (bytes[at] ?? 0), 0) ^ (crc >>> 8)
  return ~crc >>> 0
}
