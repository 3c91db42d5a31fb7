import * as Encoding from "effect/Encoding"

/** Bytes in hexadecimal, by the platform where it can: pieces that are joined by and by are joined again when they are hashed. */
export const encode: (bytes: Uint8Array) => string =
  typeof Buffer === "function"
    ? ({ buffer, byteLength, byteOffset }) => Buffer.from(buffer, byteOffset, byteLength).toString("hex")
    : Encoding.encodeHex
