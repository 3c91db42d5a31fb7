/**
 * The `RpcPool` wherever there is a `HttpClient` of `@effect/platform`: browsers, edge workers, other runtimes.
 *
 * The application says which: `FetchHttpClient.layer`, `NodeHttpClient.layerUndici`, a stub; and likewise how WebSockets
 * are made, e.g. `Socket.layerWebSocketConstructorGlobal`. On Node, `RpcPoolUndici` takes a fraction of the CPU and has the
 * options of sockets, which are the client's own here.
 *
 * The client's spans and trace headers are turned off: they would tell the URL, and so the API key, to the tracer, and the
 * trace to the provider.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as PlatformSocket from "@effect/platform/Socket"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpStatus from "../services/rpc/HttpStatus.js"
import * as JsonRpc from "../services/rpc/JsonRpc.js"
import * as Subscriptions from "../services/rpc/Subscriptions.js"
import * as RpcPool from "../services/RpcPool.js"
import { RpcError, type RpcTransport } from "../services/RpcTransport.js"
import * as Deadline from "../services/transport/Deadline.js"
import type * as Endpoint from "../services/transport/Endpoint.js"
import type * as Endpoints from "../services/transport/Endpoints.js"
import type { EndpointsError } from "../services/transport/EndpointsError.js"
import * as Options_ from "../services/transport/internal/options.js"
import * as Resilience from "../services/transport/Resilience.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as ExtraHeaders from "./internal/Headers.js"
import * as Url from "./internal/Url.js"

/**
 * One endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndpointOptions extends Omit<Endpoint.Options, "deadline"> {
  /** `http:` or `https:` URL of the node; redacted, since its path or query may hold an API key. */
  readonly url: Redacted.Redacted
  /**
   * `ws:` or `wss:` URL for subscriptions. Default: `url` with the scheme for WebSockets and, where `url` names a
   * port, the next one: 8899 gives 8900, as a validator listens.
   */
  readonly wsUrl?: Redacted.Redacted | undefined
  /** Headers of every request. Not of the WebSocket, which browsers give none. Default: none. */
  readonly headers?: { readonly [name: string]: Redacted.Redacted } | undefined
  /**
   * From the call to the last byte of its reply, and from a subscribe call to its answer. Default: 60 seconds. Too low:
   * heavy calls (getProgramAccounts) fail while the node works on them. Too high: a silent node is noticed late.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * Bytes of a reply, after decompression. Default: 64 MiB, about 300,000 small accounts. Too low: getProgramAccounts
   * fails. Too high: a hostile node can fill the memory.
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * Notifications held for a subscription that is read slower than they come. Default: 1024. When they are full it fails
   * with `Overflow`. Too low: bursts end it. Too high: a slow one takes that many times a notification's size in memory.
   */
  readonly subscriptionBuffer?: number | undefined
  /**
   * Subscriptions on one WebSocket; one more opens another. Default: 100, what the public mainnet endpoint takes. Too low:
   * many sockets. Too high: the provider refuses subscriptions or closes the socket.
   */
  readonly subscriptionsPerSocket?: number | undefined
}

/**
 * A pool over one endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends EndpointOptions, RpcPool.Options, Resilience.Options {}

/**
 * A pool over several endpoints of one cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndpointsOptions extends RpcPool.Options, Resilience.Options {
  /** At least one that reads and one that sends. */
  readonly endpoints: ReadonlyArray<EndpointOptions>
}

const causeOf = (error: HttpClientError.HttpClientError): unknown => ("cause" in error ? error.cause : undefined)

/** The client's own error tells the URL: only what is below it may be shown. */
const describe = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "the request failed"
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message
}

/**
 * The bare client for one endpoint: each failure is told as it comes. Fails with `InvalidInput` that names the option when
 * a URL or a number is out of its rule; connects when the first call is made.
 *
 * @since 0.1.0
 * @category constructors
 */
export const transport = (
  options: EndpointOptions
): Effect.Effect<
  RpcTransport,
  InvalidInput,
  HttpClient.HttpClient | PlatformSocket.WebSocketConstructor | Scope.Scope
> =>
  Effect.gen(function* () {
    const { host, url, wsUrl } = yield* Url.make(options)
    const headers = yield* ExtraHeaders.make(options.headers)
    const timeout = yield* Options_.millis("requestTimeout", options.requestTimeout ?? "60 seconds")
    const maxReplyBytes = yield* Options_.integer("maxReplyBytes", options.maxReplyBytes ?? 64 * 1024 * 1024, 1)
    const capacity = yield* Options_.integer("subscriptionBuffer", options.subscriptionBuffer ?? 1024, 1)
    const perSocket = yield* Options_.integer("subscriptionsPerSocket", options.subscriptionsPerSocket ?? 100, 1)
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.withTracerDisabledWhen(() => true),
      HttpClient.withTracerPropagation(false)
    )
    const open = yield* sockets(wsUrl)
    const base = HttpClientRequest.post(Redacted.value(url), { headers, acceptJson: true })
    let nextId = 1

    const failed = (method: string) => (error: HttpClientError.HttpClientError) => {
      const cause = causeOf(error)
      return new RpcError({ reason: "Transport", method, host, detail: describe(cause), cause })
    }

    const refused = (method: string, { headers, status }: HttpClientResponse.HttpClientResponse) =>
      HttpStatus.refused(
        method,
        host,
        status,
        Option.getOrElse(Headers.get(headers, "retry-after"), () => "")
      )

    const text = (method: string, response: HttpClientResponse.HttpClientResponse): Effect.Effect<string, RpcError> =>
      Effect.suspend(() => {
        const decoder = new TextDecoder()
        let size = 0
        return response.stream.pipe(
          Stream.mapError(failed(method)),
          Stream.runFoldEffect("", (text, bytes) => {
            size += bytes.length
            return size <= maxReplyBytes
              ? Effect.succeed(text + decoder.decode(bytes, { stream: true }))
              : new RpcError({
                  reason: "Decode",
                  method,
                  host,
                  detail: `the reply is longer than ${maxReplyBytes} bytes`
                })
          }),
          Effect.map((text) => text + decoder.decode())
        )
      })

    const post = (method: string, body: string): Effect.Effect<string, RpcError> =>
      client.execute(HttpClientRequest.bodyText(base, body, "application/json")).pipe(
        Effect.mapError(failed(method)),
        Effect.flatMap((response) => (response.status === 200 ? text(method, response) : refused(method, response))),
        Deadline.enforce(method, host),
        Deadline.within(timeout)
      )

    return {
      host,
      request: (method, params) =>
        Effect.suspend(() => {
          const id = nextId++
          return Effect.flatMap(post(method, JsonRpc.request(id, method, params)), (reply) =>
            JsonRpc.reply(reply, id, method, host)
          )
        }),
      batch: (calls) =>
        Effect.suspend(() => {
          if (calls.length === 0) return Effect.succeed([])
          const firstId = nextId
          nextId += calls.length
          return Effect.flatMap(post("batch", JsonRpc.batchRequest(firstId, calls)), (reply) =>
            JsonRpc.batchReply(reply, firstId, calls, host)
          )
        }),
      subscribe: Subscriptions.make({ host, open, capacity, perSocket, timeout: Duration.millis(timeout) })
    }
  })

/** The close code that a client which is done sends. */
const NORMAL = 1000

/** Gives a function that starts to open a socket. Those that are open when the scope closes are closed. */
const sockets = (url: Redacted.Redacted<URL>) =>
  Effect.map(
    Effect.all([
      PlatformSocket.WebSocketConstructor,
      Effect.acquireRelease(
        Effect.sync(() => new Set<globalThis.WebSocket>()),
        (sockets) =>
          Effect.sync(() => {
            for (const socket of sockets) socket.close(NORMAL)
          })
      )
    ]),
    ([construct, sockets]) =>
      ({ onOpen, onText, onLost }: Subscriptions.SocketHandlers): Subscriptions.Socket => {
        const socket = construct(Redacted.value(url).href)
        let isOpen = false
        sockets.add(socket)
        socket.addEventListener("open", () => {
          isOpen = true
          onOpen()
        })
        socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
          if (typeof data === "string") onText(data)
          else onLost({ reason: "Decode", detail: "a binary message is not JSON-RPC" })
        })
        socket.addEventListener("close", ({ code }) => {
          sockets.delete(socket)
          onLost(
            isOpen
              ? { reason: "Closed", detail: `the WebSocket was closed (${code})` }
              : { reason: "Connect", detail: "the WebSocket could not be opened" }
          )
        })
        // A failure to connect is told by an error and a close event; some constructors throw an error without a listener.
        socket.addEventListener("error", () => undefined)
        return {
          send: (text) => socket.send(text),
          close: () => socket.close(NORMAL)
        }
      }
  )

/**
 * The endpoints as one transport, as `RpcPoolUndici.endpoints` makes it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const endpoints: (
  options: Options | EndpointsOptions
) => Effect.Effect<
  Endpoints.Endpoints,
  EndpointsError | InvalidInput,
  HttpClient.HttpClient | PlatformSocket.WebSocketConstructor | Scope.Scope
> = Resilience.open(transport)

/**
 * The pool as a Layer.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as Socket from "@effect/platform/Socket"
 * import * as RpcPoolHttpClient from "@pod-protocol/effect/layers/RpcPoolHttpClient"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * export const live = RpcPoolHttpClient.layer({ url: Redacted.make("https://api.devnet.solana.com") }).pipe(
 *   Layer.provide([FetchHttpClient.layer, Socket.layerWebSocketConstructorGlobal])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options | EndpointsOptions
): Layer.Layer<
  RpcPool.RpcPool,
  EndpointsError | InvalidInput,
  HttpClient.HttpClient | PlatformSocket.WebSocketConstructor
> =>
  Layer.scoped(
    RpcPool.RpcPool,
    Effect.map(endpoints(options), (transport) => RpcPool.make(transport, options))
  )
