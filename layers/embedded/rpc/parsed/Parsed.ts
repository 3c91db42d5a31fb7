/** Parsed states and instructions: a type, and its fields as JSON. */
import * as Base58 from "../../../../src/solana/Base58.js"
import * as Base64 from "../../../../src/solana/Base64.js"
import type { Cursor, Reader } from "../../chain/Layout.js"
import * as Layout from "../../chain/Layout.js"
import * as JsonInteger from "../JsonInteger.js"

/** A parsed account or instruction. */
export interface Parsed {
  readonly type: string
  readonly info?: unknown
}

/** Fields by name, in the order of their bytes. */
export type Fields = Readonly<Record<string, Reader<unknown>>>

/** Reads fields to an object. */
export const struct =
  (fields: Fields): Reader<Readonly<Record<string, unknown>>> =>
  (cursor: Cursor) =>
    Object.fromEntries(Object.entries(fields).map(([name, read]) => [name, read(cursor)]))

/** Reads a value and converts it. */
export const map =
  <A, B>(read: Reader<A>, convert: (value: A) => B): Reader<B> =>
  (cursor) =>
    convert(read(cursor))

/** Integers as JSON numbers. */
export const u64 = map(Layout.u64, JsonInteger.fromBigInt)
export const i64 = map(Layout.i64, JsonInteger.fromBigInt)

/** Integers as strings, as a node writes amounts. */
export const u64Text = map(Layout.u64, String)
export const u128Text = map(Layout.u128, String)
export const f64Text = map(Layout.f64, String)

/** Bytes in base64 and in base58. */
export const base64 = (size: number) => map(Layout.bytes(size), Base64.encode)
export const hash = map(Layout.bytes(32), Base58.encode)

/** Bytes in base64; null if all are zero. */
export const base64OrNull = (size: number) =>
  map(Layout.bytes(size), (bytes) => (bytes.every((byte) => byte === 0) ? null : Base64.encode(bytes)))

/** Removes the fields without a value. */
export const present = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))
