/** Writes the layouts that `Layout` reads: little-endian numbers, and bytes and lists with their length in front. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"

const FIRST_BYTES = 1 << 20

export class Writer {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)
  #at = 0

  /** Reserves bytes and returns their position. */
  #take(size: number): number {
    const at = this.#at
    this.#at += size
    if (this.#at > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at))
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    return at
  }

  u8(value: number): void {
    const at = this.#take(1)
    this.#bytes[at] = value
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  u32(value: number): void {
    const at = this.#take(4)
    this.#bytes.writeUInt32LE(value, at)
  }

  f64(value: number): void {
    const at = this.#take(8)
    this.#bytes.writeDoubleLE(value, at)
  }

  u64(value: bigint): void {
    const at = this.#take(8)
    this.#bytes.writeBigUInt64LE(value, at)
  }

  i64(value: bigint): void {
    const at = this.#take(8)
    this.#bytes.writeBigInt64LE(value, at)
  }

  i128(value: bigint): void {
    this.u64(BigInt.asUintN(64, value))
    this.i64(BigInt.asIntN(64, value >> 64n))
  }

  address(value: Address): void {
    const at = this.#take(Addresses.SIZE)
    this.#bytes.set(Addresses.toBytes(value), at)
  }

  blob(value: Uint8Array): void {
    this.u32(value.length)
    const at = this.#take(value.length)
    this.#bytes.set(value, at)
  }

  text(value: string): void {
    this.blob(Buffer.from(value, "utf8"))
  }

  list<A>(values: Iterable<A>, write: (value: A) => void): void {
    const at = this.#take(4)
    let count = 0
    for (const value of values) {
      write(value)
      count++
    }
    this.#bytes.writeUInt32LE(count, at)
  }

  option<A>(value: A | undefined, write: (value: A) => void): void {
    this.bool(value !== undefined)
    if (value !== undefined) write(value)
  }

  get result(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }
}
