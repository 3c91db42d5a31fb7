/** Allocates memory that threads share, and checks a buffer that comes from another thread. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Check from "../../internal/check.js"
import { InvalidInput } from "../../InvalidInput.js"
import { LINE } from "./line.js"

/** The first word of every buffer holds its kind, the second its capacity. */
const CAPACITY = 1

const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0

/** A power of two from `min` to `max`. */
export const powerOfTwo = (
  field: string,
  value: number,
  min: number,
  max: number
): Either.Either<number, InvalidInput> =>
  Either.filterOrLeft(
    Check.integer(field, value, min, max),
    isPowerOfTwo,
    (size) => new InvalidInput({ field, rule: `must be a power of two from ${min} to ${max}`, size })
  )

/** The layout of one kind of buffer. */
export interface Layout {
  /** The first word: the kind and the version of the layout. */
  readonly magic: number
  readonly bytes: (capacity: number) => number
  readonly check: (field: string, capacity: number) => Either.Either<number, InvalidInput>
}

const isShared = (buffer: unknown): buffer is SharedArrayBuffer =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer

/** Zeroed memory with its first two words set. */
export const allocate = (
  { bytes, magic }: Layout,
  capacity: number
): Either.Either<SharedArrayBuffer, InvalidInput> => {
  if (typeof SharedArrayBuffer === "undefined") {
    const rule = "must exist: serve the page cross-origin isolated"
    return Either.left(new InvalidInput({ field: "SharedArrayBuffer", rule }))
  }
  const buffer = new SharedArrayBuffer(bytes(capacity))
  new Int32Array(buffer).set([magic, capacity])
  return Either.right(buffer)
}

const refuse = (rule: string, size?: number) => Either.left(new InvalidInput({ field: "buffer", rule, size }))

/** The capacity of a buffer that another thread made by {@link allocate}. */
export const capacityOf = (
  { bytes, check, magic }: Layout,
  buffer: unknown
): Either.Either<{ readonly buffer: SharedArrayBuffer; readonly capacity: number }, InvalidInput> => {
  if (!isShared(buffer)) {
    const size = Predicate.hasProperty(buffer, "byteLength") ? buffer.byteLength : undefined
    return refuse("must be a SharedArrayBuffer", typeof size === "number" ? size : undefined)
  }
  if (buffer.byteLength < 2 * LINE || buffer.byteLength % 4 !== 0) {
    return refuse(`must have at least ${2 * LINE} bytes, in words of 4`, buffer.byteLength)
  }
  const words = new Int32Array(buffer, 0, 2)
  if (Atomics.load(words, 0) !== magic) return refuse("must be of this kind and version")
  const capacity = Atomics.load(words, CAPACITY)
  if (Either.isLeft(check("buffer", capacity))) return refuse("must hold a capacity in its range", capacity)
  if (buffer.byteLength !== bytes(capacity)) {
    return refuse(`must have ${bytes(capacity)} bytes for its capacity`, buffer.byteLength)
  }
  return Either.right({ buffer, capacity })
}
