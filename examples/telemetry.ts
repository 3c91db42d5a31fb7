/**
 * An application with an HTTP API. Its traces show each request, down to the confirmation of its message.
 *
 *     npx tsx examples/telemetry.ts
 *
 * A receiver of OpenTelemetry's protocol replaces a collector, and prints the trace as a tree. The request has a
 * `traceparent` header, so its spans belong to the caller's trace.
 */
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Agent, Message, Metrics, Pod, TelemetryOtlp, TestWallets, Wallet } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

// The receiver -----------------------------------------------------------------------------------

const Attribute = Schema.Struct({
  key: Schema.String,
  value: Schema.Record({ key: Schema.String, value: Schema.Unknown })
})
const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  startTimeUnixNano: Schema.String,
  attributes: Schema.Array(Attribute)
})
type Span = typeof Span.Type
const Traces = Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) }))
})

const receiver = (received: Array<Span>) =>
  HttpRouter.empty.pipe(
    HttpRouter.post(
      "/v1/traces",
      Effect.map(HttpServerRequest.schemaBodyJson(Traces), ({ resourceSpans }) => {
        for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) received.push(...spans)
        return HttpServerResponse.unsafeJson({})
      })
    ),
    HttpRouter.all("*", HttpServerResponse.unsafeJson({}))
  )

/** Formats the spans below a parent, ordered by their start. */
const tree = (spans: ReadonlyArray<Span>, parent: string | undefined, indent = ""): ReadonlyArray<string> =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
    .flatMap(({ name, spanId }) => [indent + name, ...tree(spans, spanId, `${indent}  `)])

// The application ----------------------------------------------------------------------------------

/** The agents of this example. A real application has one wallet per process. */
class Agents extends Context.Tag("Agents")<
  Agents,
  { readonly sender: Wallet.Service; readonly recipient: Wallet.Service }
>() {}

const agents = Layer.effect(
  Agents,
  Effect.gen(function* () {
    const registry = yield* Agent.Agent
    const [sender, recipient] = yield* Effect.all([TestWallets.funded, TestWallets.funded])
    yield* Effect.forEach([sender, recipient], (wallet) =>
      registry
        .register({ capabilities: 1n, metadataUri: "https://example.com/agent.json" })
        .pipe(Effect.provideService(Wallet.Wallet, wallet))
    )
    return { sender, recipient }
  })
)

const api = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/messages",
    Effect.gen(function* () {
      const { recipient, sender } = yield* Agents
      const { text } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ text: Schema.String }))
      const messages = yield* Message.Message
      const receipt = yield* messages
        .send({ recipient: recipient.address, payload: text })
        .pipe(Effect.provideService(Wallet.Wallet, sender))
      return HttpServerResponse.unsafeJson({ address: receipt.address })
    })
  )
)

const TRACE = "0af7651916cd43dd8448eb211c80319c"
const CALLER = "b7ad6b7169203331"

const served = NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })

const urlOf = Effect.map(HttpServer.HttpServer, ({ address }) =>
  address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path
)

const application = Effect.gen(function* () {
  yield* HttpServer.serveEffect(api)
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.post(`${yield* urlOf}/messages?token=secret`).pipe(
    HttpClientRequest.setHeader("traceparent", `00-${TRACE}-${CALLER}-01`),
    HttpClientRequest.bodyUnsafeJson({ text: "the payload stays between the two of us" })
  )
  const { status } = yield* client.pipe(HttpClient.withTracerDisabledWhen(() => true)).execute(request)
  yield* Console.log(`POST /messages: ${status}`)
}).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  const received: Array<Span> = []
  yield* HttpServer.serveEffect(receiver(received))
  const otlp = TelemetryOtlp.layer({ url: yield* urlOf, serviceName: "mailbox", protocol: "http/json" })
  const pod = agents.pipe(Layer.provideMerge(TestWallets.layer), Layer.provideMerge(Pod.layerEmbedded))
  yield* application.pipe(
    Effect.provide(served),
    Effect.provide(Layer.provideMerge(otlp, Metrics.layer())),
    Effect.provide(pod)
  )

  // The exporter is closed, so all spans have arrived.
  const trace = received.filter(({ traceId }) => traceId === TRACE)
  yield* Console.log(`Trace ${TRACE}\n${tree(trace, CALLER, "  ").join("\n")}`)
  const exported = JSON.stringify(received)
  yield* Console.log(`Exported with the payload: ${exported.includes("between the two")}`)
  yield* Console.log(`Exported with the token: ${exported.includes("secret")}`)
}).pipe(Effect.scoped)

program.pipe(Effect.provide(served), Effect.provide(NodeHttpClient.layerUndici), NodeRuntime.runMain)
