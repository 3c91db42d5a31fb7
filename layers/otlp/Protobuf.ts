/**
 * Protocol Buffers for the messages of OpenTelemetry's protocol: a table of fields for each message, and one writer.
 *
 * The library of Effect has a writer too, but it knows no exponential histograms, and no message beside a whole request.
 * The outbox needs each span by itself, to count its bytes.
 */
import type * as Model from "./Model.js"

type Scalar = "string" | "hex" | "bool" | "varint" | "int64" | "sint32" | "fixed32" | "fixed64" | "sfixed64" | "double"

/** A field's number, and its type. A list of scalars is packed, as proto3 prescribes. */
type Field = readonly [number: number, type: Scalar | Message]

export interface Message {
  readonly [name: string]: Field
}

/** A message whose fields are those of a model: the compiler finds a field without a number. */
type MessageOf<A> = A extends unknown ? { readonly [K in keyof A]-?: Field } : never

const anyValue: { [name: string]: Field } = {
  stringValue: [1, "string"],
  boolValue: [2, "bool"],
  intValue: [3, "int64"],
  doubleValue: [4, "double"]
}
anyValue["arrayValue"] = [5, { values: [1, anyValue] }]

const keyValue = { key: [1, "string"], value: [2, anyValue] } as const satisfies MessageOf<Model.KeyValue>

export const resource = { attributes: [1, keyValue] } as const satisfies MessageOf<Model.Resource>

export const scope = { name: [1, "string"] } as const satisfies MessageOf<Model.InstrumentationScope>

const event = {
  timeUnixNano: [1, "fixed64"],
  name: [2, "string"],
  attributes: [3, keyValue]
} as const satisfies MessageOf<Model.SpanEvent>

const link = {
  traceId: [1, "hex"],
  spanId: [2, "hex"],
  attributes: [4, keyValue]
} as const satisfies MessageOf<Model.SpanLink>

const status = { message: [2, "string"], code: [3, "varint"] } as const satisfies MessageOf<Model.SpanStatus>

const span = {
  traceId: [1, "hex"],
  spanId: [2, "hex"],
  parentSpanId: [4, "hex"],
  name: [5, "string"],
  kind: [6, "varint"],
  startTimeUnixNano: [7, "fixed64"],
  endTimeUnixNano: [8, "fixed64"],
  attributes: [9, keyValue],
  droppedAttributesCount: [10, "varint"],
  events: [11, event],
  droppedEventsCount: [12, "varint"],
  links: [13, link],
  droppedLinksCount: [14, "varint"],
  status: [15, status],
  flags: [16, "fixed32"]
} as const satisfies MessageOf<Model.Span>

const logRecord = {
  timeUnixNano: [1, "fixed64"],
  severityNumber: [2, "varint"],
  severityText: [3, "string"],
  body: [5, anyValue],
  attributes: [6, keyValue],
  traceId: [9, "hex"],
  spanId: [10, "hex"],
  observedTimeUnixNano: [11, "fixed64"]
} as const satisfies MessageOf<Model.LogRecord>

const times = { startTimeUnixNano: [2, "fixed64"], timeUnixNano: [3, "fixed64"] } as const

const numberDataPoint = {
  ...times,
  asDouble: [4, "double"],
  asInt: [6, "sfixed64"],
  attributes: [7, keyValue]
} as const satisfies MessageOf<Model.NumberDataPoint>

const histogramDataPoint = {
  ...times,
  count: [4, "fixed64"],
  sum: [5, "double"],
  bucketCounts: [6, "fixed64"],
  explicitBounds: [7, "double"],
  attributes: [9, keyValue],
  min: [11, "double"],
  max: [12, "double"]
} as const satisfies MessageOf<Model.HistogramDataPoint>

const buckets = { offset: [1, "sint32"], bucketCounts: [2, "int64"] } as const satisfies MessageOf<
  Model.ExponentialHistogramDataPoint["positive"]
>

const exponentialDataPoint = {
  attributes: [1, keyValue],
  ...times,
  count: [4, "fixed64"],
  sum: [5, "double"],
  scale: [6, "sint32"],
  zeroCount: [7, "fixed64"],
  positive: [8, buckets],
  min: [12, "double"],
  max: [13, "double"]
} as const satisfies MessageOf<Model.ExponentialHistogramDataPoint>

const temporality = { aggregationTemporality: [2, "varint"] } as const

const metric = {
  name: [1, "string"],
  description: [2, "string"],
  unit: [3, "string"],
  gauge: [5, { dataPoints: [1, numberDataPoint] }],
  sum: [7, { dataPoints: [1, numberDataPoint], isMonotonic: [3, "bool"], ...temporality }],
  histogram: [9, { dataPoints: [1, histogramDataPoint], ...temporality }],
  exponentialHistogram: [10, { dataPoints: [1, exponentialDataPoint], ...temporality }]
} as const satisfies MessageOf<Model.Metric>

export const messages: { readonly [S in Model.Signal]: Message } = { traces: span, metrics: metric, logs: logRecord }

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

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

/** Writes into one buffer that grows. A field's content is written before its length, and moved where that is long. */
class Writer {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  /** The bytes so far. The writer starts anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#end)
    this.#end = 0
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
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
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

/** A request: its resource and its scope once, and messages that were encoded before. All signals number them alike. */
export const request = (
  encodedResource: Uint8Array,
  encodedScope: Uint8Array,
  items: ReadonlyArray<Uint8Array>
): Uint8Array => {
  const part = (number: number, bytes: Uint8Array): void => {
    writer.tag(number, LENGTH)
    writer.varint(bytes.length)
    writer.raw(bytes)
  }
  writer.tag(1, LENGTH)
  writer.sized(() => {
    part(1, encodedResource)
    writer.tag(2, LENGTH)
    writer.sized(() => {
      part(1, encodedScope)
      for (const item of items) part(2, item)
    })
  })
  return writer.take()
}

/** The rejected items of a reply: field 1 (int64) of the message in field 1. 0 for bytes that are no such reply. */
export const rejectedOf = (reply: Uint8Array): number => {
  const partial = fieldOne(reply)
  const count = partial instanceof Uint8Array ? fieldOne(partial) : undefined
  return typeof count === "number" ? count : 0
}

/** The first field number 1 of a message, a varint or bytes. It reads no further than the bytes go. */
const fieldOne = (bytes: Uint8Array): number | Uint8Array | undefined => {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 10; shift++) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * 2 ** (7 * shift)
      if (byte < 0x80) break
    }
    return value
  }
  while (at < bytes.length) {
    const tag = varint()
    const isWanted = Math.floor(tag / 8) === 1
    switch (tag % 8) {
      case VARINT: {
        const value = varint()
        if (isWanted) return value
        break
      }
      case LENGTH: {
        const size = varint()
        if (isWanted) return bytes.subarray(at, at + size)
        at += size
        break
      }
      case FIXED64:
        at += 8
        break
      case FIXED32:
        at += 4
        break
      default:
        return undefined
    }
  }
  return undefined
}
