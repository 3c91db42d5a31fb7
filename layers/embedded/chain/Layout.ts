/**
 * Readers of the little-endian layouts of Solana's own programs.
 *
 * Invariants: a reader never reads beyond its bytes; too few bytes throw a `RangeError`, which `attempt` turns into
 * `undefined`. Every element of a list takes at least one byte, so a list is never longer than the data.
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Addresses from "../../../src/solana/Address.js"

/** Bytes and a position in them. */
export class Cursor {
  at = 0
  readonly #view: DataView
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** The number of unread bytes. */
  get left(): number {
    return this.#bytes.length - this.at
  }

  /** Moves behind the next `size` bytes. Returns the view and their position. */
  take(size: number): readonly [DataView, number] {
    if (size > this.left) throw new RangeError("the data ends early")
    const at = this.at
    this.at += size
    return [this.#view, at]
  }

  bytes(size: number): Uint8Array {
    const [, at] = this.take(size)
    return this.#bytes.subarray(at, at + size)
  }
}

/** Reads a value and moves the cursor behind it. */
export type Reader<A> = (cursor: Cursor) => A

const number =
  (size: number, get: (view: DataView, at: number) => number): Reader<number> =>
  (cursor) =>
    get(...cursor.take(size))

export const u8 = number(1, (view, at) => view.getUint8(at))
export const u16 = number(2, (view, at) => view.getUint16(at, true))
export const i16 = number(2, (view, at) => view.getInt16(at, true))
export const u32 = number(4, (view, at) => view.getUint32(at, true))
export const f64 = number(8, (view, at) => view.getFloat64(at, true))

/** A count in a double: slots, heights, transactions. */
export const count: Reader<number> = (cursor) => {
  const read = f64(cursor)
  if (!Number.isInteger(read) || read < 0 || read > 2 ** 63) throw new RangeError("not a count")
  return read
}

/** A time in milliseconds in a double. */
export const duration: Reader<number> = (cursor) => {
  const read = f64(cursor)
  if (!(read >= 0 && read <= Number.MAX_SAFE_INTEGER)) throw new RangeError("not a time")
  return read
}

export const u64: Reader<bigint> = (cursor) => {
  const [view, at] = cursor.take(8)
  return view.getBigUint64(at, true)
}

export const i64: Reader<bigint> = (cursor) => {
  const [view, at] = cursor.take(8)
  return view.getBigInt64(at, true)
}

export const u128: Reader<bigint> = (cursor) => {
  const low = u64(cursor)
  return low | (u64(cursor) << 64n)
}

export const bool: Reader<boolean> = (cursor) => u8(cursor) === 1

export const address: Reader<Address> = (cursor) => Addresses.fromBytes(cursor.bytes(Addresses.SIZE))

export const bytes =
  (size: number): Reader<Uint8Array> =>
  (cursor) =>
    cursor.bytes(size)

/** All unread bytes. */
export const rest: Reader<Uint8Array> = (cursor) => cursor.bytes(cursor.left)

/** At most so many bytes. */
export const atMost =
  (size: number, read: Reader<Uint8Array>): Reader<Uint8Array> =>
  (cursor) => {
    const found = read(cursor)
    if (found.length > size) throw new RangeError("too many bytes")
    return found
  }

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Decodes UTF-8. Throws on invalid bytes. */
export const text = (encoded: Uint8Array): string => utf8.decode(encoded)

/** A string with its length in front, as Borsh (`u32`) and bincode (`u64`) write it. */
export const string =
  (length: Reader<number | bigint>): Reader<string> =>
  (cursor) =>
    text(cursor.bytes(Number(length(cursor))))

/** A list with its length in front. */
export const list =
  <A>(length: Reader<number | bigint>, item: Reader<A>): Reader<ReadonlyArray<A>> =>
  (cursor) => {
    const count = Number(length(cursor))
    if (count > cursor.left) throw new RangeError("the list is longer than the data")
    return Array.from({ length: count }, () => item(cursor))
  }

/** A value of fixed size after a `u32` that is 0 if the value is absent. The bytes of the value exist in both cases. */
export const fixedOption =
  <A>(value: Reader<A>): Reader<A | null> =>
  (cursor) => {
    const isSome = u32(cursor) === 1
    const read = value(cursor)
    return isSome ? read : null
  }

/** A value after a byte that is 0 if the value is absent. */
export const option =
  <A>(value: Reader<A>): Reader<A | null> =>
  (cursor) =>
    u8(cursor) === 1 ? value(cursor) : null

/** An address; null if all its bytes are zero. */
export const nonZeroAddress: Reader<Address | null> = (cursor) => {
  const read = address(cursor)
  return read === Addresses.SYSTEM_PROGRAM ? null : read
}

/** The result of `read`; undefined if the bytes do not match its layout. */
export const attempt = <A>(read: () => A | undefined): A | undefined =>
  Option.getOrUndefined(Either.getRight(Either.try(read)))
