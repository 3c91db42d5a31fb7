import * as Encoding from "effect/Encoding"

/**
 * Bytes in hexadecimal. Node's `Buffer` makes a flat string. A string that is concatenated in a loop is flattened again when
 * it becomes a key of a Map.
 */
export const encode: (bytes: Uint8Array) => string =
  typeof Buffer === "function"
    ? ({ buffer, byteLength, byteOffset }) => Buffer.from(buffer, byteOffset, byteLength).toString("hex")
    : Encoding.encodeHex
