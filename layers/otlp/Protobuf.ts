/**
 * Protocol Buffers for the messages of OpenTelemetry's protocol: a table of fields for each message.
 *
 * Effect's library has a writer too, but it supports no exponential histograms and encodes only whole requests. The
 * outbox needs each span on its own, to count its bytes.
 */
import {
  encode,
  type Field,
  FIXED32,
  FIXED64,
  LENGTH,
  type MessageOf,
  VARINT,
  write,
  Writer
} from "../../src/internal/protobuf.js"
import type * as Model from "./Model.js"

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

/** Callers share one writer. They cannot interleave, because encoding is synchronous. */
const writer = new Writer()

const attributes = (number: number, all: Model.Attributes): void => {
  for (const { key, value } of all) {
    writer.tag(number, LENGTH)
    const opened = writer.open()
    writer.field(1, "string", key)
    writer.tag(2, LENGTH)
    const ofValue = writer.open()
    if ("stringValue" in value) writer.field(1, "string", value.stringValue)
    else write(writer, anyValue, value)
    writer.close(ofValue)
    writer.close(opened)
  }
}

/** A span by hand: by a table it takes twice as long, and an application makes many spans. */
const encodeSpan = (span: Model.Span): Uint8Array => {
  writer.field(1, "hex", span.traceId)
  writer.field(2, "hex", span.spanId)
  if (span.parentSpanId !== undefined) writer.field(4, "hex", span.parentSpanId)
  writer.field(5, "string", span.name)
  writer.field(6, "varint", span.kind)
  writer.field(7, "fixed64", span.startTimeUnixNano)
  writer.field(8, "fixed64", span.endTimeUnixNano)
  attributes(9, span.attributes)
  writer.field(10, "varint", span.droppedAttributesCount)
  for (const event of span.events) {
    writer.tag(11, LENGTH)
    const opened = writer.open()
    writer.field(1, "fixed64", event.timeUnixNano)
    writer.field(2, "string", event.name)
    attributes(3, event.attributes)
    writer.close(opened)
  }
  writer.field(12, "varint", span.droppedEventsCount)
  for (const link of span.links) {
    writer.tag(13, LENGTH)
    const opened = writer.open()
    writer.field(1, "hex", link.traceId)
    writer.field(2, "hex", link.spanId)
    attributes(4, link.attributes)
    writer.close(opened)
  }
  writer.field(14, "varint", span.droppedLinksCount)
  writer.tag(15, LENGTH)
  const ofStatus = writer.open()
  if (span.status.message !== undefined) writer.field(2, "string", span.status.message)
  writer.field(3, "varint", span.status.code)
  writer.close(ofStatus)
  writer.field(16, "fixed32", span.flags)
  return writer.take()
}

export const encoders: { readonly [S in Model.Signal]: (item: Model.Signals[S]) => Uint8Array } = {
  traces: encodeSpan,
  metrics: (item) => encode(metric, item),
  logs: (item) => encode(logRecord, item)
}

/**
 * Joins a request: the resource and the scope once, then the encoded messages. All signals use the same field numbers.
 */
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
  const ofResource = writer.open()
  part(1, encodedResource)
  writer.tag(2, LENGTH)
  const ofScope = writer.open()
  part(1, encodedScope)
  for (const item of items) part(2, item)
  writer.close(ofScope)
  writer.close(ofResource)
  return writer.take()
}

/** The rejected items of a reply: field 1 (int64) of the message in field 1. 0 for any other bytes. */
export const rejectedOf = (reply: Uint8Array): number => {
  const partial = fieldOne(reply)
  const count = partial instanceof Uint8Array ? fieldOne(partial) : undefined
  return typeof count === "number" ? count : 0
}

/** The first field with number 1 of a message, a varint or bytes. It never reads beyond the bytes. */
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
