/**
 * Converts an Ed25519 key to an X25519 key, and refuses Ed25519 keys that are unsafe for a key exchange.
 *
 * A key exchange with a key of small order, or with a component of small order, has a predictable result or leaks bits
 * of the other key. The arithmetic is not constant in time, because it handles only public keys.
 */

const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n
const SQRT_MINUS_1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752n

const mod = (a: bigint): bigint => {
  const r = a % P
  return r < 0n ? r + P : r
}

const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) result = (result * b) % P
  return result
}

/** A point in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. */
interface Point {
  readonly x: bigint
  readonly y: bigint
  readonly z: bigint
  readonly t: bigint
}

const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n }

/** The complete addition of RFC 8032. */
const add = (p: Point, q: Point): Point => {
  const a = mod((p.y - p.x) * (q.y - q.x))
  const b = mod((p.y + p.x) * (q.y + q.x))
  const c = mod(2n * D * mod(p.t * q.t))
  const d = mod(2n * p.z * q.z)
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) }
}

/** Decodes a point with canonical y; `undefined` if the bytes are not such a point. */
const decompress = (bytes: Uint8Array): Point | undefined => {
  let y = 0n
  for (let at = 31; at >= 0; at--) y = (y << 8n) | BigInt(bytes[at] ?? 0)
  const isOdd = y >> 255n
  y &= 2n ** 255n - 1n
  if (y >= P) return undefined
  const yy = mod(y * y)
  const [u, v] = [mod(yy - 1n), mod(D * yy + 1n)]
  let x = mod(mod(u * power(v, 3n)) * power(u * power(v, 7n), (P - 5n) / 8n))
  if (mod(v * x * x) !== u) x = mod(x * SQRT_MINUS_1)
  if (mod(v * x * x) !== u || (x === 0n && isOdd === 1n)) return undefined
  if ((x & 1n) !== isOdd) x = P - x
  return { x, y, z: 1n, t: mod(x * y) }
}

const isIdentity = ({ x, y, z }: Point): boolean => x === 0n && y === z

const multiply = (point: Point, scalar: bigint): Point => {
  let result = IDENTITY
  for (let q = point, s = scalar; s > 0n; s >>= 1n, q = add(q, q)) if (s & 1n) result = add(result, q)
  return result
}

/** The 32 bytes of the X25519 key; `undefined` if the Ed25519 key is not of the large prime order. */
export const fromEd25519 = (key: Uint8Array): Uint8Array | undefined => {
  if (key.length !== 32) return undefined
  const point = decompress(key)
  if (point === undefined || isIdentity(point) || !isIdentity(multiply(point, L))) return undefined
  let u = mod((1n + point.y) * power(1n - point.y, P - 2n))
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(u & 255n)
    u >>= 8n
    return byte
  })
}
