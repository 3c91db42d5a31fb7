/**
 * A row of a cache's store, with its layout: `version u8 ‖ state u8 ‖ slot u64 ‖ readAt u64 ‖ value ‖ crc32 u32`,
 * little-endian.
 *
 * The checksum also covers the key, so a row that a damaged index returns for another key is refused like a damaged
 * row.
 */
import { crc32 } from "../../src/internal/crc32.js"

/**
 * A row of a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  /**
   * The slot at which the value was read. For a fence: the lowest slot of a value that may replace it. Application
   * values count milliseconds.
   */
  readonly slot: bigint
  /** Unix milliseconds at which the value was read. */
  readonly readAt: number
  /**
   * - `value`: the bytes of the account or of the application's value.
   * - `absent`: the account did not exist.
   * - `fence`: the value was invalidated. Only a value of this slot or a later one can replace it.
   */
  readonly state: "value" | "absent" | "fence"
  /** Empty unless the state is `value`. Not to be written to: a store in memory may keep it. */
  readonly value: Uint8Array
}

const VERSION = 1
const STATES = ["fence", "absent", "value"] as const
const HEAD = 18
const TAIL = 4

export const encode = (key: Uint8Array, { readAt, slot, state, value }: Row): Uint8Array => {
  const frame = new Uint8Array(HEAD + value.length + TAIL)
  const view = new DataView(frame.buffer)
  frame[0] = VERSION
  frame[1] = STATES.indexOf(state)
  view.setBigUint64(2, slot, true)
  view.setBigUint64(10, BigInt(Math.trunc(readAt)), true)
  frame.set(value, HEAD)
  view.setUint32(HEAD + value.length, crc32(frame.subarray(0, HEAD + value.length), crc32(key)), true)
  return frame
}

/** Returns `undefined` for bytes that are not a row of this key. */
export const decode = (key: Uint8Array, frame: Uint8Array): Row | undefined => {
  const state = STATES[frame[1] ?? STATES.length]
  if (frame.length < HEAD + TAIL || frame[0] !== VERSION || state === undefined) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const end = frame.length - TAIL
  if (view.getUint32(end, true) !== crc32(frame.subarray(0, end), crc32(key))) return undefined
  return {
    slot: view.getBigUint64(2, true),
    readAt: Number(view.getBigUint64(10, true)),
    state,
    value: frame.subarray(HEAD, end)
  }
}
