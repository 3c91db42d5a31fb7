/** An OTLP receiver on a real socket. It decodes with protobufjs and Schemas, which the exporter does not use. */
import { readFileSync } from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import protobuf from "protobufjs"

const Long = Schema.Union(Schema.String, Schema.Number)
const many = <A, I>(item: Schema.Schema<A, I>) => Schema.optionalWith(Schema.Array(item), { default: () => [] })

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  boolValue: Schema.optional(Schema.Boolean),
  intValue: Schema.optional(Long),
  doubleValue: Schema.optional(Schema.Number),
  arrayValue: Schema.optional(Schema.Unknown)
})
const KeyValue = Schema.Struct({ key: Schema.String, value: Value })
const resource = { resource: Schema.Struct({ attributes: many(KeyValue) }) }

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  kind: Schema.Number,
  startTimeUnixNano: Schema.String,
  endTimeUnixNano: Schema.String,
  attributes: many(KeyValue),
  events: many(Schema.Struct({ name: Schema.String, attributes: many(KeyValue) })),
  links: many(Schema.Struct({ traceId: Schema.String, spanId: Schema.String })),
  status: Schema.optional(
    Schema.Struct({ code: Schema.optional(Schema.Number), message: Schema.optional(Schema.String) })
  ),
  flags: Schema.optional(Schema.Number)
})
const NumberPoint = Schema.Struct({
  attributes: many(KeyValue),
  startTimeUnixNano: Schema.optional(Schema.String),
  asDouble: Schema.optional(Schema.Number),
  asInt: Schema.optional(Long)
})
const HistogramPoint = Schema.Struct({
  attributes: many(KeyValue),
  count: Long,
  sum: Schema.Number,
  bucketCounts: many(Long),
  explicitBounds: many(Schema.Number)
})
const ExponentialPoint = Schema.Struct({
  attributes: many(KeyValue),
  count: Long,
  sum: Schema.Number,
  scale: Schema.optionalWith(Schema.Number, { default: () => 0 }),
  zeroCount: Schema.optionalWith(Long, { default: () => 0 }),
  positive: Schema.Struct({
    offset: Schema.optionalWith(Schema.Number, { default: () => 0 }),
    bucketCounts: many(Long)
  })
})
const points = <A, I>(point: Schema.Schema<A, I>) => Schema.optional(Schema.Struct({ dataPoints: many(point) }))
const Metric = Schema.Struct({
  name: Schema.String,
  unit: Schema.optionalWith(Schema.String, { default: () => "" }),
  gauge: points(NumberPoint),
  sum: points(NumberPoint),
  histogram: points(HistogramPoint),
  exponentialHistogram: points(ExponentialPoint)
})
const LogRecord = Schema.Struct({
  severityText: Schema.String,
  severityNumber: Schema.Number,
  body: Value,
  attributes: many(KeyValue),
  traceId: Schema.optional(Schema.String)
})

const requests = {
  traces: Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({ ...resource, scopeSpans: Schema.Array(Schema.Struct({ spans: many(Span) })) })
    )
  }),
  metrics: Schema.Struct({
    resourceMetrics: Schema.Array(
      Schema.Struct({ ...resource, scopeMetrics: Schema.Array(Schema.Struct({ metrics: many(Metric) })) })
    )
  }),
  logs: Schema.Struct({
    resourceLogs: Schema.Array(
      Schema.Struct({ ...resource, scopeLogs: Schema.Array(Schema.Struct({ logRecords: many(LogRecord) })) })
    )
  })
}

const { root } = protobuf.parse(readFileSync(new URL("otlp.proto", import.meta.url), "utf8"), { keepCase: true })
const types = { traces: "otlp.Traces", metrics: "otlp.Metrics", logs: "otlp.Logs" }

const ID = /^(?:traceId|spanId|parentSpanId)$/

/** Ids in the form of OTLP's JSON. */
const withHexIds = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withHexIds)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      ID.test(name) && typeof member === "string" ? Buffer.from(member, "base64").toString("hex") : withHexIds(member)
    ])
  )
}

const parsed = (signal: keyof typeof types, contentType: string, body: Buffer): unknown => {
  if (contentType === "application/json") return JSON.parse(body.toString("utf8"))
  if (contentType !== "application/x-protobuf") throw new Error(`unexpected content-type ${contentType}`)
  const type = root.lookupType(types[signal])
  return withHexIds(type.toObject(type.decode(body), { longs: String, bytes: String }))
}

/** The receiver's answer. `hang` never answers, and `close` closes the connection. */
export type Answer =
  | "hang"
  | "close"
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | Uint8Array
      readonly after?: number
    }

export const OK: Answer = { status: 200, headers: { "content-type": "application/json" }, body: "{}" }

type Received<S extends keyof typeof requests> = Schema.Schema.Type<(typeof requests)[S]>

export interface Receiver {
  readonly url: string
  readonly port: number
  /** The next answers: the last one repeats. */
  answers: Array<Answer>
  readonly spans: () => ReadonlyArray<Schema.Schema.Type<typeof Span>>
  readonly metrics: () => ReadonlyArray<Schema.Schema.Type<typeof Metric>>
  readonly logs: () => ReadonlyArray<Schema.Schema.Type<typeof LogRecord>>
  readonly resources: () => ReadonlyArray<string>
  /** All received bytes of all requests, including headers. */
  readonly raw: () => Buffer
  readonly requests: () => number
  readonly paths: () => ReadonlyArray<string>
  readonly maxOpen: () => number
}

/** Listens until the scope closes. Requests that were answered with an error are not stored. */
export const receiver = (port = 0): Effect.Effect<Receiver, never, Scope.Scope> =>
  Effect.gen(function* () {
    const kept: { [S in keyof typeof requests]: Array<Received<S>> } = { traces: [], metrics: [], logs: [] }
    const raw: Array<Buffer> = []
    const paths: Array<string> = []
    let open = 0
    let maxOpen = 0
    const state: { answers: Array<Answer> } = { answers: [OK] }

    const keep = (path: string, contentType: string, body: Buffer): void => {
      if (path.endsWith("traces")) {
        kept.traces.push(Schema.decodeUnknownSync(requests.traces)(parsed("traces", contentType, body)))
      } else if (path.endsWith("metrics")) {
        kept.metrics.push(Schema.decodeUnknownSync(requests.metrics)(parsed("metrics", contentType, body)))
      } else kept.logs.push(Schema.decodeUnknownSync(requests.logs)(parsed("logs", contentType, body)))
    }

    const server = http.createServer((request, response) => {
      open++
      maxOpen = Math.max(maxOpen, open)
      response.once("close", () => open--)
      const chunks: Array<Buffer> = []
      request.on("error", () => undefined)
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const body = Buffer.concat(chunks)
        const path = request.url ?? ""
        raw.push(Buffer.from(JSON.stringify(request.headers)), Buffer.from(path), body)
        paths.push(path)
        const answer = (state.answers.length > 1 ? state.answers.shift() : state.answers[0]) ?? OK
        if (answer === "hang") return
        if (answer === "close") return void request.socket.destroy()
        if (answer.status === 200) keep(path, request.headers["content-type"] ?? "", body)
        setTimeout(() => response.writeHead(answer.status, answer.headers).end(answer.body), answer.after ?? 0)
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(port, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const bound = server.address() as AddressInfo
    const resources = () => [
      ...kept.traces.flatMap(({ resourceSpans }) => resourceSpans.map((one) => JSON.stringify(one.resource))),
      ...kept.metrics.flatMap(({ resourceMetrics }) => resourceMetrics.map((one) => JSON.stringify(one.resource))),
      ...kept.logs.flatMap(({ resourceLogs }) => resourceLogs.map((one) => JSON.stringify(one.resource)))
    ]
    return Object.assign(state, {
      port: bound.port,
      url: `http://127.0.0.1:${bound.port}`,
      spans: () =>
        kept.traces.flatMap(({ resourceSpans }) =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        ),
      metrics: () =>
        kept.metrics.flatMap(({ resourceMetrics }) =>
          resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
        ),
      logs: () =>
        kept.logs.flatMap(({ resourceLogs }) =>
          resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords))
        ),
      resources,
      raw: () => Buffer.concat(raw),
      requests: () => paths.length,
      paths: () => paths,
      maxOpen: () => maxOpen
    })
  })

/** An attribute's value, of any type. */
export const attribute = (attributes: ReadonlyArray<Schema.Schema.Type<typeof KeyValue>>, key: string): unknown => {
  const value = attributes.find((one) => one.key === key)?.value
  return value?.stringValue ?? value?.boolValue ?? value?.intValue ?? value?.doubleValue ?? value?.arrayValue
}

/** Waits until the condition is true, at most two minutes. */
export const until = (isTrue: () => boolean) =>
  Effect.iterate(0, { while: () => !isTrue(), body: (n) => Effect.as(Effect.sleep("5 millis"), n + 1) }).pipe(
    Effect.timeout("2 minutes")
  )
