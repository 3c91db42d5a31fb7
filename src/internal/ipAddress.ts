/** Parses IP addresses, and tells public addresses from private ones. */

const decimals = /^(?:0|[1-9]\d{0,2})$/

const v4 = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(".")
  if (parts.length !== 4 || !parts.every((part) => decimals.test(part))) return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** The bytes of IPv6 groups. The last group of an address may be an IPv4 address. */
const groups = (text: string, endsAddress: boolean): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const bytes: Array<number> = []
  const parts = text.split(":")
  for (const [index, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/i.test(part)) {
      const group = Number.parseInt(part, 16)
      bytes.push(group >> 8, group & 255)
      continue
    }
    const embedded = endsAddress && index === parts.length - 1 ? v4(part) : undefined
    if (embedded === undefined) return undefined
    bytes.push(...embedded)
  }
  return bytes
}

const v6 = (text: string): ReadonlyArray<number> | undefined => {
  const [before = "", after, ...more] = text.split("::")
  if (more.length > 0) return undefined
  const head = groups(before, after === undefined)
  const tail = after === undefined ? [] : groups(after, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (after === undefined ? missing !== 0 : missing < 2) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

/**
 * The 4 or 16 bytes of an address; `undefined` for any other text. It refuses IPv6 zones, and IPv4 in octal or
 * hexadecimal.
 */
export const parse = (text: string): ReadonlyArray<number> | undefined => (text.includes(":") ? v6(text) : v4(text))

type Block = readonly [address: string, bits: number]

/** IANA's special-purpose IPv4 blocks, multicast, and the reserved blocks above it. */
const V4_SPECIAL: ReadonlyArray<Block> = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3]
]

/** Global unicast of IPv6. All others are private, local, multicast, or carry an IPv4 address. */
const V6_GLOBAL: Block = ["2000::", 3]

/** Protocol assignments with Teredo, documentation, and 6to4, which carries an IPv4 address. */
const V6_SPECIAL: ReadonlyArray<Block> = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20]
]

/** The block of IPv4-mapped IPv6 addresses. */
const V4_MAPPED: Block = ["::ffff:0:0", 96]

const isIn = (bytes: ReadonlyArray<number>, [address, bits]: Block): boolean => {
  const block = parse(address)
  return (
    block?.length === bytes.length &&
    bytes.every((byte, index) => {
      const kept = Math.min(8, Math.max(0, bits - index * 8))
      return byte >> (8 - kept) === (block[index] ?? 0) >> (8 - kept)
    })
  )
}

/** Whether the public Internet routes the address, so that no host of a private network answers at it. */
export const isPublic = (bytes: ReadonlyArray<number>): boolean =>
  bytes.length === 4
    ? !V4_SPECIAL.some((block) => isIn(bytes, block))
    : isIn(bytes, V6_GLOBAL) && !V6_SPECIAL.some((block) => isIn(bytes, block))

/** Whether the address is of this machine: `127.0.0.0/8`, also mapped to IPv6, and `::1`. */
export const isLoopback = (bytes: ReadonlyArray<number>): boolean =>
  bytes.length === 4
    ? bytes[0] === 127
    : isIn(bytes, ["::1", 128]) || (isIn(bytes, V4_MAPPED) && isLoopback(bytes.slice(12)))
