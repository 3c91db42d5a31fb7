/**
 * A cursor over bytes from outside. It keeps the first failure; later reads return zeros and leave the cursor where it
 * is.
 */
import { WireError } from "../WireError.js"
import * as ShortVec from "./shortVec.js"

const EMPTY = new Uint8Array(0)

export class Reader {
  offset = 0
  failure: WireError | undefined = undefined

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.offset
  }

  fail(reason: WireError["reason"], detail: string, offset = this.offset): void {
    if (this.failure === undefined) this.failure = new WireError({ reason, offset, detail })
  }

  byte(): number {
    if (this.failure !== undefined) return 0
    const value = this.bytes[this.offset]
    if (value === undefined) {
      this.fail("Truncated", "a byte is missing")
      return 0
    }
    this.offset++
    return value
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number): Uint8Array {
    if (this.failure !== undefined) return EMPTY
    if (length > this.left) {
      this.fail("Truncated", `${length} bytes are announced and ${this.left} are left`)
      return EMPTY
    }
    const from = this.offset
    this.offset += length
    return this.bytes.subarray(from, this.offset)
  }

  /** Skips `length` bytes and returns their offset. */
  skip(length: number): number {
    const from = this.offset
    if (this.failure === undefined) {
      if (length > this.left) this.fail("Truncated", `${length} bytes are announced and ${this.left} are left`)
      else this.offset += length
    }
    return from
  }

  /** Reads a compact-u16, which must be in its shortest form. */
  length(): number {
    const from = this.offset
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        const canonical = (byte !== 0 || shift === 0) && value <= ShortVec.MAX
        if (!canonical) this.fail("NonCanonicalLength", "a length is not the shortest form of a u16", from)
        return this.failure === undefined ? value : 0
      }
    }
    this.fail("NonCanonicalLength", "a length is over three bytes", from)
    return 0
  }

  /** Reads a count of items of at least `itemBytes` bytes each. Fails if the remaining bytes cannot hold them. */
  count(itemBytes: number): number {
    const from = this.offset
    const count = this.length()
    if (count * itemBytes > this.left) {
      this.fail("Truncated", `${count} items are announced and ${this.left} bytes are left`, from)
    }
    return this.failure === undefined ? count : 0
  }
}
