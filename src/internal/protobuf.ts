/**
 * Encodes Protocol Buffers: a table of fields for each message, and one writer. A message is a plain object, and the
 * table maps its member names to field numbers. A list of scalars is packed, as proto3 prescribes.
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

/** Messages are small, so many of them share one buffer. A larger one gets a buffer of its own size. */
const CHUNK = 32 * 1024

/**
 * Writes into a buffer that grows. A content is written before its length is known, and moves if the length needs more
 * than one byte.
 */
export class Writer {
  #bytes = new Uint8Array(CHUNK)
  #view = new DataView(this.#bytes.buffer)
  #start = 0
  #end = 0

  /** Returns the bytes written since the last call. The next message starts behind them. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#end)
    this.#start = this.#end
    if (this.#bytes.length > CHUNK) this.#replace(new Uint8Array(CHUNK), 0)
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

  /**
   * Begins a length-prefixed content and returns its position. Reserves one byte for the length, which is enough below
   * 128 bytes.
   */
  open(): number {
    this.#room(1)
    // Relative to the start of the message, because the buffer may be replaced before `close`
    return this.#end++ - this.#start
  }

  /** Writes the length of the content that `open` began at this position. */
  close(opened: number): void {
    const size = this.#end - this.#start - opened - 1
    if (size <= 0x7f) {
      this.#bytes[this.#start + opened] = size
      return
    }
    const end = this.#end - this.#start
    this.varint(size)
    const length = this.#bytes.slice(this.#start + end, this.#end)
    const from = this.#start + opened
    this.#bytes.copyWithin(from + length.length, from + 1, this.#start + end)
    this.#bytes.set(length, from)
    this.#end--
  }

  /** Writes a field's tag and its value. */
  field(number: number, type: Scalar, value: string | number | bigint | boolean): void {
    this.tag(number, WIRE_TYPES[type])
    this.scalar(type, value)
  }

  scalar(type: Scalar, value: string | number | bigint | boolean): void {
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
      case "fixed32": {
        const at = this.#skip(4)
        return this.#view.setUint32(at, Number(value), true)
      }
      case "fixed64":
      case "sfixed64": {
        const at = this.#skip(8)
        return this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true)
      }
      case "double": {
        const at = this.#skip(8)
        return this.#view.setFloat64(at, Number(value), true)
      }
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
    const opened = this.open()
    this.#end += utf8.encodeInto(text, this.#bytes.subarray(this.#end)).written
    this.close(opened)
  }

  #hex(digits: string): void {
    this.varint(digits.length / 2)
    this.#room(digits.length / 2)
    for (let at = 0; at + 1 < digits.length; at += 2) {
      this.#bytes[this.#end++] = (nibble(digits.charCodeAt(at)) << 4) | nibble(digits.charCodeAt(at + 1))
    }
  }

  /** Reserves bytes for a number, and returns their position. */
  #skip(size: number): number {
    this.#room(size)
    this.#end += size
    return this.#end - size
  }

  /** Moves the message that is being written to a buffer with room for more. */
  #room(size: number): void {
    if (this.#end + size <= this.#bytes.length) return
    const written = this.#end - this.#start
    const larger = new Uint8Array(Math.max(CHUNK, written * 2, written + size))
    larger.set(this.#bytes.subarray(this.#start, this.#end))
    this.#replace(larger, written)
  }

  #replace(bytes: Uint8Array<ArrayBuffer>, end: number): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
    this.#start = 0
    this.#end = end
  }
}

const isScalar = (value: unknown): value is string | number | bigint | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint" || typeof value === "boolean"

const isRecord = (value: object): value is Readonly<Record<string, unknown>> => !Array.isArray(value)

/** Writes a message by its table, without its length. */
export const write = (writer: Writer, message: Message, value: object): void => {
  if (!isRecord(value)) return
  for (const name of Object.keys(value)) {
    const field = message[name]
    if (field !== undefined) writeField(writer, field, value[name])
  }
}

const writeField = (writer: Writer, field: Field, value: unknown): void => {
  const [number, type] = field
  if (Array.isArray(value)) {
    if (value.length === 0) return
    if (typeof type === "string" && type !== "string" && type !== "hex") {
      writer.tag(number, LENGTH)
      const opened = writer.open()
      for (const item of value) if (isScalar(item)) writer.scalar(type, item)
      writer.close(opened)
    } else for (const item of value) writeField(writer, field, item)
  } else if (typeof type === "string") {
    if (isScalar(value)) writer.field(number, type, value)
  } else if (typeof value === "object" && value !== null) {
    writer.tag(number, LENGTH)
    const opened = writer.open()
    write(writer, type, value)
    writer.close(opened)
  }
}

/** Callers share one writer. They cannot interleave, because encoding is synchronous. */
const writer = new Writer()

/** The bytes of a message. */
export const encode = (message: Message, value: object): Uint8Array => {
  write(writer, message, value)
  return writer.take()
}
