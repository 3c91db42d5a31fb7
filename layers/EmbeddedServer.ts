/**
 * Serves the embedded cluster: JSON-RPC over HTTP on one port, subscriptions over WebSocket on the next port, as a
 * Solana node does. A browser that opens the HTTP port gets an explorer: slots, transactions with logs and errors by name,
 * and the program's accounts decoded, live.
 *
 * @since 0.1.0
 */
import { createServer, type Server } from "node:http"
import type { Socket as TcpSocket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { type Default as HttpApp } from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Function from "effect/Function"
import * as Scope from "effect/Scope"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import { EmbeddedClusterError } from "./embedded/EmbeddedClusterError.js"
import * as Explorer from "./embedded/explorer/Explorer.js"
import * as Admission from "./embedded/rpc/Admission.js"
import * as JsonRpc from "./embedded/rpc/JsonRpc.js"
import * as WebSocketSession from "./embedded/rpc/WebSocketSession.js"
import { EmbeddedCluster, type Service } from "./EmbeddedCluster.js"

/**
 * Options of {@link serve}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServeOptions {
  /** TCP port of HTTP; WebSocket uses the next one. Default 0: any two consecutive free ports. At most 65534. */
  readonly port?: number
  /**
   * Address to listen on. Default 127.0.0.1. Every client that can reach the port can withdraw lamports from the
   * faucet.
   */
  readonly host?: string
  /**
   * Maximum bytes of a request. Default 1 MiB (a Solana node accepts 50 KiB, providers more). A larger request gets
   * HTTP 413, or its WebSocket is closed with code 1009. Too low: batches are refused. Too high: clients can fill the
   * memory.
   */
  readonly maxBodyBytes?: number
  /**
   * Origins of web pages that may use the server (`https://app.example`), or `*` for all. Default: only pages of this
   * machine (`localhost`, `127.0.0.1`, `[::1]`, any port). The server answers other origins with HTTP 403. It also
   * accepts the host names of the given origins. Too few: pages on other hosts cannot use the cluster. `*`: any page
   * that a browser of this machine opens can.
   */
  readonly allowOrigins?: ReadonlyArray<string>
  /**
   * Maximum concurrent TCP connections of each port. Default 4096. The server closes further connections at once. Too
   * low: clients are refused. Too high: clients can exhaust the file descriptors.
   */
  readonly maxConnections?: number
  /**
   * Maximum distinct subscriptions of one connection; a further one fails with -32603. Default 10,000. Too low: clients
   * that follow many accounts are refused. Too high: one client can slow down every block.
   */
  readonly maxSubscriptionsPerConnection?: number
}

/**
 * The addresses of a served cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface Served {
  readonly port: number
  /** `http://host:port` */
  readonly url: string
  /** `ws://host:port`, one port above. */
  readonly wsUrl: string
}

const MAX_PORT = 65_534
const DEFAULT_BODY_BYTES = 1024 * 1024
const DEFAULT_CONNECTIONS = 4096
const DEFAULT_SUBSCRIPTIONS = 10_000
/**
 * How long an idle connection stays open. With Node's default of 5 seconds, the server may close a connection at the
 * moment when a busy client reuses it.
 */
const KEEP_ALIVE_MILLIS = 300_000
/** Attempts to find two consecutive free ports. */
const PORT_TRIES = 32

/**
 * Serves the cluster until the scope closes. Fails with `EmbeddedClusterError` `PortTaken` or `Listen` if it cannot
 * listen, and with `InvalidInput` for an option out of its range.
 *
 * @example
 * ```ts
 * import { EmbeddedCluster } from "@pod-protocol/effect"
 * import * as EmbeddedServer from "@pod-protocol/effect/layers/EmbeddedServer"
 * import * as Effect from "effect/Effect"
 *
 * export const main = Effect.gen(function* () {
 *   const { url, wsUrl } = yield* EmbeddedServer.serve({ port: 8899 })
 *   yield* Effect.log(`${url} and ${wsUrl}`)
 *   return yield* Effect.never
 * }).pipe(Effect.scoped, Effect.provide(EmbeddedCluster.layer({ blockMode: "interval" })))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = (
  options: ServeOptions = {}
): Effect.Effect<Served, EmbeddedClusterError | InvalidInput, EmbeddedCluster | Scope.Scope> =>
  Effect.gen(function* () {
    const { port = 0, host = "127.0.0.1", maxBodyBytes = DEFAULT_BODY_BYTES, allowOrigins = [] } = options
    const { maxConnections = DEFAULT_CONNECTIONS, maxSubscriptionsPerConnection = DEFAULT_SUBSCRIPTIONS } = options
    yield* Check.integer("port", port, 0, MAX_PORT)
    yield* Check.integer("maxBodyBytes", maxBodyBytes, 1)
    yield* Check.integer("maxConnections", maxConnections, 1)
    yield* Check.integer("maxSubscriptionsPerConnection", maxSubscriptionsPerConnection, 1)
    const admission = yield* Admission.make(host, allowOrigins)
    const cluster = yield* EmbeddedCluster
    const attempt = pair(cluster, host, port, {
      maxBodyBytes,
      maxConnections,
      maxSubscriptions: maxSubscriptionsPerConnection,
      admission
    })
    return yield* port === 0
      ? Effect.retry(attempt, { times: PORT_TRIES, while: ({ reason }) => reason === "PortTaken" })
      : attempt
  })

const ONLY_WEBSOCKET = "this port serves WebSocket; JSON-RPC over HTTP is one port below"

/** Starts both servers, or neither: if one fails, it closes the other at once. */
const pair = (cluster: Service, host: string, wanted: number, limits: Limits) =>
  Effect.gen(function* () {
    const inner = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    return yield* Effect.gen(function* () {
      const port = yield* serveHttp(cluster, host, wanted, limits)
      yield* serveWebSocket(cluster, host, port + 1, limits)
      const name = host.includes(":") ? `[${host}]` : host
      return { port, url: `http://${name}:${port}`, wsUrl: `ws://${name}:${port + 1}` }
    }).pipe(
      Scope.extend(inner),
      Effect.onError(() => Scope.close(inner, Exit.void))
    )
  })

const serveHttp = (cluster: Service, host: string, port: number, limits: Limits) =>
  Effect.flatMap(
    HttpMiddleware.withTracerDisabledWhenEffect(
      NodeHttpServer.makeHandler(httpApp(cluster, limits)),
      Function.constTrue
    ),
    (handler) => listen(createServer(handler), host, port, limits.maxConnections)
  )

/**
 * Serves WebSocket. The library `ws` owns the handshake: it answers or ends each refused one, and a session starts only
 * after an accepted one. It also closes the connection with code 1009 when a message is announced above the limit.
 *
 * Race: `makeWebSocket` waits for the server to listen, so it starts first.
 */
const serveWebSocket = (cluster: Service, host: string, port: number, limits: Limits) =>
  Effect.gen(function* () {
    const { admission, maxBodyBytes, maxConnections, maxSubscriptions } = limits
    const server = createServer(({ headers }, response) => {
      const reason = admission.refusal(headers)
      response
        .writeHead(reason === undefined ? 426 : 403, { "content-type": "text/plain" })
        .end(reason ?? ONLY_WEBSOCKET)
    })
    const sockets = NodeSocketServer.makeWebSocket({
      server,
      maxPayload: maxBodyBytes,
      verifyClient: ({ req }, answer) => {
        const reason = admission.refusal(req.headers)
        answer(reason === undefined, 403, reason)
      }
    })
    const { run } = yield* Effect.zipLeft(
      Effect.mapError(sockets, ({ cause }) => refused(host, port, cause)),
      listen(server, host, port, maxConnections),
      { concurrent: true }
    )
    const sessions = run((socket) => Effect.ignore(WebSocketSession.run(cluster, socket, maxSubscriptions)))
    yield* Effect.forkScoped(Effect.interruptible(sessions))
  })

/**
 * Listens until the scope closes, and returns the port. On close it first destroys the connections, because a server
 * waits for its connections and a client may keep one open for ever.
 */
const listen = (
  server: Server,
  host: string,
  port: number,
  maxConnections: number
): Effect.Effect<number, EmbeddedClusterError, Scope.Scope> => {
  const sockets = new Set<TcpSocket>()
  server.maxConnections = maxConnections
  server.keepAliveTimeout = KEEP_ALIVE_MILLIS
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  const start = Effect.async<number, EmbeddedClusterError>((resume) => {
    server.once("error", (cause) => resume(Effect.fail(refused(host, port, cause))))
    server.listen({ host, port }, () => {
      // A connection that the system cannot accept, for lack of file descriptors, must not end the process.
      server.removeAllListeners("error").on("error", Function.constVoid)
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })
  const stop = Effect.async<void>((resume) => {
    server.close(() => resume(Effect.void))
    sockets.forEach((socket) => socket.destroy())
  })
  return Effect.acquireRelease(start, () => stop)
}

const refused = (host: string, port: number, cause: unknown): EmbeddedClusterError => {
  const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"
  return isTaken
    ? new EmbeddedClusterError({ reason: "PortTaken", detail: `port ${port} of ${host} is taken`, cause })
    : new EmbeddedClusterError({ reason: "Listen", detail: `cannot listen on ${host}, port ${port}`, cause })
}

interface Limits {
  readonly maxBodyBytes: number
  readonly maxConnections: number
  readonly maxSubscriptions: number
  readonly admission: Admission.Admission
}

/** The CORS headers for a page of an allowed origin. */
const cors = (origin: string | undefined) => ({
  "access-control-allow-origin": origin ?? "*",
  "access-control-allow-methods": "POST, GET, OPTIONS",
  "access-control-allow-headers": "*",
  vary: "origin"
})

const plain = (status: number, text: string, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.text(text, { status, headers })

/**
 * Answers admitted requests. A request from a foreign page, or with a foreign host name (DNS rebinding), gets 403.
 */
const admitted = <R>(
  { refusal }: Admission.Admission,
  answer: (
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const reason = refusal({ host: request.headers["host"], origin: request.headers["origin"] })
    return reason === undefined ? answer(request) : Effect.succeed(plain(403, reason))
  }).pipe(Effect.withTracerEnabled(false))

const httpApp = (cluster: Service, { admission, maxBodyBytes }: Limits): HttpApp =>
  admitted(admission, (request) => {
    const headers = cors(request.headers["origin"])
    const say = (status: number, text: string) => Effect.succeed(plain(status, text, headers))
    if (request.method === "OPTIONS") return Effect.succeed(HttpServerResponse.empty({ headers }))
    if (request.method === "GET" && request.url.split("?")[0] === "/health") return say(200, "ok")
    const explored = request.method === "GET" ? explore(cluster, request) : undefined
    if (explored !== undefined) return explored
    if (request.method !== "POST") return say(405, "Used HTTP Method is not allowed. POST or OPTIONS is required")
    if (!isJson(request.headers["content-type"])) {
      return say(415, "Supplied content type is not allowed. Content-Type: application/json is required")
    }
    return readBody(request, maxBodyBytes).pipe(
      Effect.flatMap((text) => JsonRpc.answer(text, cluster.request)),
      Effect.map((reply) => HttpServerResponse.text(reply ?? "", { contentType: "application/json", headers })),
      Effect.orElseSucceed(() => plain(413, "the request is too large", { ...headers, connection: "close" }))
    )
  })

/**
 * The explorer's answer to a browser; undefined for other paths. Only its own page may read it, so it has no CORS
 * headers.
 */
const explore = (cluster: Service, { headers, url }: HttpServerRequest.HttpServerRequest) => {
  const found = Explorer.answer(cluster, url, Admission.socketsOf(headers["host"]))
  return (
    found &&
    Effect.map(found, ({ contentType, headers, status, text }) =>
      HttpServerResponse.text(text, { status, contentType, headers })
    )
  )
}

/**
 * Reads the body of the request as text. Fails as soon as the body exceeds the limit. The connection stays open for the
 * answer, which then closes it.
 */
const readBody = (request: HttpServerRequest.HttpServerRequest, maxBytes: number): Effect.Effect<string, "TooLarge"> =>
  Number(request.headers["content-length"] ?? 0) > maxBytes
    ? Effect.fail("TooLarge")
    : Effect.async((resume) => {
        const incoming = NodeHttpServerRequest.toIncomingMessage(request)
        const chunks: Array<Buffer> = []
        let size = 0
        const stop = () => incoming.off("data", onData).off("end", onEnd)
        const onData = (chunk: Buffer) => {
          size += chunk.length
          if (size <= maxBytes) {
            chunks.push(chunk)
            return
          }
          stop().pause()
          resume(Effect.fail("TooLarge"))
        }
        const onEnd = () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8")))
        incoming.on("data", onData).on("end", onEnd)
        return Effect.sync(stop)
      })

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && contentType.split(";")[0]?.trim().toLowerCase() === "application/json"
