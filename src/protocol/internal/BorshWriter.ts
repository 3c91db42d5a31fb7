/** A growing buffer that writes Borsh values and never throws. It keeps the first failure. */

import * as Slab from "../../internal/Slab.js"

/** The reason for which a value cannot be written. */
export interface WriteFailure {
  readonly rule: string
  readonly size: number | bigint | undefined
}

const FIRST_CAPACITY = 256

/** Capacity that is kept between values. No value of the protocol is longer. */
const KEPT_CAPACITY = 16_384

/** Writes values one after the other and grows as needed. */
export class Writer {
  failure: WriteFailure | undefined = undefined
  private offset = 0
  private bytes = new Uint8Array(FIRST_CAPACITY)
  private view = new DataView(this.bytes.buffer)

  fail(rule: string, size?: number | bigint): void {
    this.failure ??= { rule, size }
  }

  /**
   * Reserves `size` zero bytes and returns their offset. It may replace the buffer: call it before you read `bytes` or
   * `view`.
   */
  private grow(size: number): number {
    const start = this.offset
    const end = start + size
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.bytes.length))
      larger.set(this.bytes)
      this.bytes = larger
      this.view = new DataView(larger.buffer)
    }
    this.offset = end
    return start
  }

  u8(value: number): void {
    const at = this.grow(1)
    this.view.setUint8(at, value)
  }

  /** The index of a variant; -1 for a value that a caller without types passed. */
  variant(index: number): void {
    if (index < 0) this.fail("must be a known variant")
    else this.u8(index)
  }

  u16(value: number): void {
    const at = this.grow(2)
    this.view.setUint16(at, value, true)
  }

  u32(value: number): void {
    const at = this.grow(4)
    this.view.setUint32(at, value, true)
  }

  u64(value: bigint): void {
    const at = this.grow(8)
    this.view.setBigUint64(at, value, true)
  }

  raw(bytes: Uint8Array): void {
    const at = this.grow(bytes.length)
    this.bytes.set(bytes, at)
  }

  zeros(size: number): void {
    this.grow(size)
  }

  /** Returns a copy of the written bytes. */
  done(): Uint8Array {
    return Slab.copy(this.bytes, this.offset)
  }

  /** Starts over and keeps the capacity. */
  reset(): void {
    this.failure = undefined
    if (this.bytes.length > KEPT_CAPACITY) {
      this.bytes = new Uint8Array(FIRST_CAPACITY)
      this.view = new DataView(this.bytes.buffer)
    } else {
      this.bytes.fill(0, 0, this.offset)
    }
    this.offset = 0
  }
}
