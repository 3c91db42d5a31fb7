/**
 * The `RpcPool` over a `HttpClient` of `@effect/platform`: for browsers, edge workers and other runtimes.
 *
 * The application provides the client (`FetchHttpClient.layer`, `NodeHttpClient.layerUndici`, a stub) and the
 * constructor of WebSockets, such as `Socket.layerWebSocketConstructorGlobal`. On Node, `RpcPoolUndici` takes a
 * fraction of the CPU and offers options for sockets; here the client owns the sockets.
 *
 * The layer disables the client's spans and trace headers. The spans would give the URL, and so the API key, to the
 * tracer; the headers would give the trace to the provider.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as PlatformSocket from "@effect/platform/Socket"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as HttpStatus from "../services/wire/HttpStatus.js"
import * as JsonRpc from "../services/wire/JsonRpc.js"
import * as Subscriptions from "../services/wire/Subscriptions.js"
import * as Closing from "../services/internal/closing.js"
import * as ReplyLimits from "../services/wire/ReplyLimits.js"
import * as RpcPool from "../services/RpcPool.js"
import type { RpcTransport } from "../services/RpcTransport.js"
import type * as Endpoint from "../services/transport/Endpoint.js"
import type * as Endpoints from "../services/transport/Endpoints.js"
import type { EndpointsError } from "../services/EndpointsError.js"
import * as Options_ from "../src/internal/check.js"
import * as Resilience from "../services/Resilience.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as ExtraHeaders from "./internal/Headers.js"
import * as Shown from "./internal/Shown.js"
import * as Url from "./internal/Url.js"

/**
 * One endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndpointOptions extends Omit<Endpoint.Options, "deadline"> {
  /**
   * `http:` or `https:` URL of the node, or `localhost`, `devnet`, `testnet` or `mainnet-beta`. Its path or query may
   * hold an API key: plain text is redacted at once, and only the host is ever shown.
   */
  readonly url: string | Redacted.Redacted
  /**
   * `ws:` or `wss:` URL for subscriptions. Default: `url` with the WebSocket scheme and, if `url` names a port, the
   * next port: 8899 gives 8900, as on a validator.
   */
  readonly wsUrl?: string | Redacted.Redacted | undefined
  /**
   * Headers of every request, but not of the WebSocket, for which browsers set none. Plain texts are redacted as for
   * `url`. Default: none.
   */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  /**
   * Time limit from a call to the last byte of its reply, and from a subscribe call to its answer. Default: 60 seconds.
   * Too low: slow calls (getProgramAccounts) fail while the node works on them. Too high: a silent node is detected
   * late.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * Maximum bytes of a reply, after decompression. Default: 64 MiB, about 300,000 small accounts. Too low:
   * getProgramAccounts fails. Too high: a hostile node can fill the memory. At most 511 MiB.
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * The same limit for methods with small replies, such as getSlot, getLatestBlockhash, getSignatureStatuses and
   * sendTransaction. getTransaction and getSignaturesForAddress get 16 times as much. An array of calls gets the sum of
   * its calls. None exceeds `maxReplyBytes`. Default: 128 KiB. Too low: errors with long logs cannot be read. Too high:
   * a hostile node costs memory and time with each call.
   */
  readonly maxSmallReplyBytes?: number | undefined
  /**
   * Maximum bytes of one notification. Default: 16 MiB, which holds the largest account (10 MiB) as base64. Too low: a
   * change of such an account ends the socket. Too high: a hostile node can fill the memory.
   */
  readonly maxNotificationBytes?: number | undefined
  /**
   * Maximum queued notifications of a slowly read subscription. Default: 1024. With more, the subscription fails with
   * `Overflow`. Too low: bursts end it. Too high: only `subscriptionBufferBytes` limits it.
   */
  readonly subscriptionBuffer?: number | undefined
  /**
   * Maximum bytes of the queued notifications of one subscription; a single notification may be larger. Default: 8 MiB.
   * With more, the subscription fails with `Overflow`. Too low: bursts end it. Too high: a hostile node can fill the
   * memory.
   */
  readonly subscriptionBufferBytes?: number | undefined
  /**
   * Maximum subscriptions on one WebSocket; a further one opens another WebSocket. Default: 100, the limit of the
   * public mainnet endpoint. Too low: many sockets. Too high: the provider refuses subscriptions or closes the socket.
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
  /** At least one endpoint for reads and one for sending. */
  readonly endpoints: ReadonlyArray<EndpointOptions>
}

const MEBIBYTE = 1024 * 1024

/** More bytes may exceed V8's maximum string length. */
const MAX_TEXT = 511 * MEBIBYTE

/** Loaded on use: an application that provides a client has loaded these 26 modules anyway; others skip them. */
const loaded = Effect.promise(() => Promise.all([import("./platform/Http.js"), import("./platform/Sockets.js")]))

/**
 * The transport to one endpoint, without retries: it reports each failure as it occurs. Fails with `InvalidInput` that
 * names the option if a URL or a number is invalid. Connects with the first call.
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
    const endpoint = yield* Url.make(options)
    const headers = yield* ExtraHeaders.make(options.headers)
    const timeout = yield* Options_.millis("requestTimeout", options.requestTimeout ?? "60 seconds")
    const maxReplyBytes = yield* Options_.integer("maxReplyBytes", options.maxReplyBytes ?? 64 * MEBIBYTE, 1, MAX_TEXT)
    const maxSmallReplyBytes = yield* Options_.integer(
      "maxSmallReplyBytes",
      options.maxSmallReplyBytes ?? ReplyLimits.SMALL,
      1
    )
    const maxMessageBytes = yield* Options_.integer(
      "maxNotificationBytes",
      options.maxNotificationBytes ?? 16 * MEBIBYTE,
      1,
      MAX_TEXT
    )
    const items = yield* Options_.integer("subscriptionBuffer", options.subscriptionBuffer ?? 1024, 1)
    const bytes = yield* Options_.integer("subscriptionBufferBytes", options.subscriptionBufferBytes ?? 8 * MEBIBYTE, 1)
    const perSocket = yield* Options_.integer("subscriptionsPerSocket", options.subscriptionsPerSocket ?? 100, 1)
    const [Http, Sockets] = yield* loaded
    const post = yield* Http.make(endpoint, { headers, timeout })
    const open = yield* Sockets.make(endpoint)
    const { host } = endpoint
    const clean = Shown.make(endpoint, headers)
    const read = HttpStatus.reader(host, clean)
    const subscribe = yield* Subscriptions.make({
      host,
      open,
      unread: { items, bytes },
      maxMessageBytes,
      perSocket,
      timeout: Duration.millis(timeout)
    })
    const closing = yield* Closing.make()
    const limits = ReplyLimits.make({ maxReplyBytes, maxSmallReplyBytes })
    let nextId = 1

    const transport: RpcTransport = {
      host,
      request: (method, params) =>
        Effect.suspend(() => {
          if (closing.isClosed()) return Effect.fail(Closing.call(method, host))
          const id = nextId++
          return Effect.flatMap(post(method, JsonRpc.request(id, method, params), limits.one(method)), (reply) =>
            read.one(reply, id, method)
          )
        }),
      batch: (calls) =>
        Effect.suspend(() => {
          if (calls.length === 0) return Effect.succeed([])
          if (closing.isClosed()) return Effect.fail(Closing.call("batch", host))
          const firstId = nextId
          nextId += calls.length
          return Effect.flatMap(post("batch", JsonRpc.batchRequest(firstId, calls), limits.many(calls)), (reply) =>
            read.many(reply, firstId, calls)
          )
        }),
      subscribe
    }
    return Shown.protect(transport, clean)
  })

/**
 * The endpoints as one transport, as in `RpcPoolUndici.endpoints`.
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
 *
 * export const live = RpcPoolHttpClient.layer({ url: "https://api.devnet.solana.com" }).pipe(
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
