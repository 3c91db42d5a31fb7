/** The bytes of the task `seal`: its input is key, length of `info`, `info` and the bytes; its output `enc` and ciphertext. */
import type { Sealed } from "../../src/protocol/Sealed.js"

const KEY = 32
const LENGTH = 4
const HEAD = KEY + LENGTH

export interface Input {
  readonly key: Uint8Array
  readonly info: Uint8Array
  readonly bytes: Uint8Array
}

const view = ({ buffer, byteOffset, length }: Uint8Array): DataView => new DataView(buffer, byteOffset, length)

export const input = ({ bytes, info, key }: Input): Uint8Array => {
  const frame = new Uint8Array(HEAD + info.length + bytes.length)
  frame.set(key)
  view(frame).setUint32(KEY, info.length)
  frame.set(info, HEAD)
  frame.set(bytes, HEAD + info.length)
  return frame
}

export const readInput = (frame: Uint8Array): Input => {
  const end = HEAD + view(frame).getUint32(KEY)
  return { key: frame.subarray(0, KEY), info: frame.subarray(HEAD, end), bytes: frame.subarray(end) }
}

export const output = ({ ciphertext, enc }: Sealed): Uint8Array => {
  const frame = new Uint8Array(KEY + ciphertext.length)
  frame.set(enc)
  frame.set(ciphertext, KEY)
  return frame
}

export const readOutput = (frame: Uint8Array): Sealed => ({ enc: frame.slice(0, KEY), ciphertext: frame.slice(KEY) })
