/**
 * Protocol Buffers: a table of fields for each message, and one writer. Field numbers come from the table, so that a message
 * is an object of JavaScript with names. A list of scalars is packed, as proto3 prescribes.
 */

export type Scalar =
  | "string"
  | "hex"
  | "bool"
  | "varint"
  | "int64"
  | "sint32"
  | "fixed32"
  | "fixed64"
  | "sfixed64"
  | "double"

/** A field's number, and its type. `varint` holds up to 32 bits. */
export type Field = readonly [number: number, type: Scalar | Message]

export interface Message {
  readonly [name: string]: Field
}

/** A message whose fields are those of a model: the compiler finds a field without a number. */
export type MessageOf<A> = A extends unknown ? { readonly [K in keyof A]-?: Field } : never

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
export const FIXED32 = 5

const WIRE_TYPES: { readonly [S in Scalar]: number } = {
  string: LENGTH,
  hex: LENGTH,
  bool: VARINT,
  varint: VARINT,
  int64: VARINT,
  sint32: VARINT,
  fixed32: FIXED32,
  fixed64: FIXED64,
  sfixed64: FIXED64,
  double: FIXED64
}

const utf8 = new TextEncoder()

/** The value of a hexadecimal digit in lower or upper case. */
const nibble = (code: number): number => (code & 0xf) + (code >> 6) * 9

const FIRST_SIZE = 1024

/** A buffer that has grown beyond this is not kept for the next message. */
const MAX_KEPT = 1024 * 1024

/** Writes into one buffer that grows. A field's content is written before its length, and moved where that is long. */
export class Writer {
  #bytes = new Uint8Array(FIRST_SIZE)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  /** The bytes so far. The writer starts anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#end)
    this.#end = 0
    if (this.#bytes.length > MAX_KEPT) this.#replace(new Uint8Array(FIRST_SIZE))
    return taken
  }

  varint(value: number): void {
    this.#room(5)
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#bytes[this.#end++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#end++] = rest
  }

  #bigVarint(value: bigint): void {
    this.#room(10)
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      this.#bytes[this.#end++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#end++] = Number(rest)
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType)
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Most contents are shorter than 128 bytes, for whose length one byte is left free. */
  sized(content: () => void): void {
    this.#room(1)
    const start = this.#end++
    content()
    const size = this.#end - start - 1
    if (size > 0x7f) {
      const end = this.#end
      this.varint(size)
      const length = this.#bytes.slice(end, this.#end)
      this.#bytes.copyWithin(start + length.length, start + 1, end)
      this.#bytes.set(length, start)
      this.#end = end + length.length - 1
    } else this.#bytes[start] = size
  }

  scalar(type: Scalar, value: string | number | boolean): void {
    switch (type) {
      case "string":
        return this.#string(String(value))
      case "hex":
        return this.#hex(String(value))
      case "bool":
      case "varint":
        return this.varint(Number(value))
      case "int64":
        return this.#bigVarint(BigInt(value))
      case "sint32": {
        const signed = Number(value) | 0
        return this.varint((signed << 1) ^ (signed >> 31))
      }
      case "fixed32":
        return this.#fixed(4, (at) => this.#view.setUint32(at, Number(value), true))
      case "fixed64":
      case "sfixed64":
        return this.#fixed(8, (at) => this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true))
      case "double":
        return this.#fixed(8, (at) => this.#view.setFloat64(at, Number(value), true))
    }
  }

  #string(text: string): void {
    // A UTF-16 unit takes at most three bytes, and the length at most five.
    this.#room(text.length * 3 + 5)
    if (text.length > 0x7f) return this.#longString(text)
    const start = this.#end
    let at = start + 1
    for (let nth = 0; nth < text.length; nth++) {
      const code = text.charCodeAt(nth)
      if (code > 0x7f) return this.#longString(text)
      this.#bytes[at++] = code
    }
    this.#bytes[start] = text.length
    this.#end = at
  }

  #longString(text: string): void {
    this.sized(() => {
      this.#end += utf8.encodeInto(text, this.#bytes.subarray(this.#end)).written
    })
  }

  #hex(digits: string): void {
    this.varint(digits.length / 2)
    this.#room(digits.length / 2)
    for (let at = 0; at + 1 < digits.length; at += 2) {
      this.#bytes[this.#end++] = (nibble(digits.charCodeAt(at)) << 4) | nibble(digits.charCodeAt(at + 1))
    }
  }

  #fixed(size: number, write: (at: number) => void): void {
    this.#room(size)
    write(this.#end)
    this.#end += size
  }

  #room(size: number): void {
    if (this.#end + size <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + size))
    larger.set(this.#bytes.subarray(0, this.#end))
    this.#replace(larger)
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

const write = (writer: Writer, message: Message, value: object): void => {
  for (const [name, found] of Object.entries(value)) {
    const field = message[name]
    if (field !== undefined) writeField(writer, field, found)
  }
}

const writeField = (writer: Writer, [number, type]: Field, value: unknown): void => {
  if (Array.isArray(value)) {
    if (value.length === 0) return
    if (typeof type === "string" && type !== "string" && type !== "hex") {
      writer.tag(number, LENGTH)
      writer.sized(() => value.forEach((item) => isScalar(item) && writer.scalar(type, item)))
    } else value.forEach((item) => writeField(writer, [number, type], item))
  } else if (typeof type === "string") {
    if (!isScalar(value)) return
    writer.tag(number, WIRE_TYPES[type])
    writer.scalar(type, value)
  } else if (typeof value === "object" && value !== null) {
    writer.tag(number, LENGTH)
    writer.sized(() => write(writer, type, value))
  }
}

/** Nothing is written by two callers at a time, because writing is synchronous. */
const writer = new Writer()

/** The bytes of a message. */
export const encode = (message: Message, value: object): Uint8Array => {
  write(writer, message, value)
  return writer.take()
}
