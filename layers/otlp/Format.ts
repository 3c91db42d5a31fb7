/** The two formats of OpenTelemetry's protocol over HTTP. Messages are encoded one by one, and joined into requests. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { encode } from "../../src/internal/protobuf.js"
import type * as Model from "./Model.js"
import * as Protobuf from "./Protobuf.js"

export interface Format {
  readonly contentType: string
  readonly encode: <S extends Model.Signal>(signal: S, item: Model.Signals[S]) => Uint8Array
  /** Joins encoded items to a request, for one resource and scope. */
  readonly joiner: (
    signal: Model.Signal,
    resource: Model.Resource,
    scope: Model.InstrumentationScope
  ) => (items: ReadonlyArray<Uint8Array>) => Uint8Array
  /** The number of rejected items in a reply; 0 if the reply has none. */
  readonly rejectedOf: (reply: Uint8Array) => number
}

export const protobuf: Format = {
  contentType: "application/x-protobuf",
  encode: (signal, item) => Protobuf.encoders[signal](item),
  joiner: (_, resource, scope) => {
    const encodedResource = encode(Protobuf.resource, resource)
    const encodedScope = encode(Protobuf.scope, scope)
    return (items) => Protobuf.request(encodedResource, encodedScope, items)
  },
  rejectedOf: Protobuf.rejectedOf
}

const utf8 = new TextEncoder()

const NAMES: { readonly [S in Model.Signal]: readonly [resources: string, scopes: string, items: string] } = {
  traces: ["resourceSpans", "scopeSpans", "spans"],
  metrics: ["resourceMetrics", "scopeMetrics", "metrics"],
  logs: ["resourceLogs", "scopeLogs", "logRecords"]
}

const COMMA = utf8.encode(",")

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

const REJECTED = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"]

const decimal = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

export const json: Format = {
  contentType: "application/json",
  encode: (_, item) => utf8.encode(JSON.stringify(item, decimal)),
  joiner: (signal, resource, scope) => {
    const [resources, scopes, names] = NAMES[signal]
    const head = utf8.encode(
      `{"${resources}":[{"resource":${JSON.stringify(resource)},"${scopes}":[{"scope":${JSON.stringify(scope)},"${names}":[`
    )
    const tail = utf8.encode("]}]}]}")
    return (items) => concat([head, ...items.flatMap((item, nth) => (nth === 0 ? [item] : [COMMA, item])), tail])
  },
  rejectedOf: (reply) => {
    const parsed = Either.getOrUndefined(Either.try((): unknown => JSON.parse(new TextDecoder().decode(reply))))
    const partial = Predicate.hasProperty(parsed, "partialSuccess") ? parsed.partialSuccess : undefined
    const counts = REJECTED.map((name) => (Predicate.hasProperty(partial, name) ? Number(partial[name]) : 0))
    return Math.max(0, ...counts.filter(Number.isSafeInteger))
  }
}
