/**
 * Serves the embedded cluster: JSON-RPC over HTTP on one port, subscriptions over WebSocket on the next port, as a
 * Solana node does.
 *
 * @since 0.1.0
 */
import { createServer } from "node:http"
import type { Socket as TcpSocket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { type Default as HttpApp } from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import type { HttpServer } from "@effect/platform/HttpServer"
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
import * as Admission from "./embedded/rpc/Admission.js"
import * as FrameGuard from "./embedded/rpc/FrameGuard.js"
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
   * Address to listen on. Default 127.0.0.1. Every client that reaches the port can withdraw lamports from the faucet.
   */
  readonly host?: string
  /**
   * Maximum bytes of a request. Default 1 MiB (a Solana node accepts 50 KiB, providers more). A larger request gets
   * HTTP 413, or its WebSocket is closed with code 1009. Too low refuses batches; too high lets clients fill the
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
   * low refuses clients; too high lets clients exhaust file descriptors.
   */
  readonly maxConnections?: number
  /**
   * Maximum distinct subscriptions of one connection; a further one fails with -32603. Default 10,000. Too low refuses
   * clients that follow many accounts; too high lets one client slow every block.
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
/** Attempts to find two consecutive free ports. */
const PORT_TRIES = 32

/**
 * Serves the cluster until the scope closes.
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

/**
 * Starts both servers, or neither: if one fails, it closes the other at once. On close it first destroys their
 * connections, because a server waits for its connections and a client may keep one open for ever.
 */
const pair = (cluster: Service, host: string, wanted: number, limits: Limits) =>
  Effect.gen(function* () {
    const outer = yield* Effect.scope
    const inner = yield* Scope.fork(outer, ExecutionStrategy.sequential)
    const connections = new Connections(limits.maxConnections)
    const served = yield* Effect.gen(function* () {
      const http = yield* listen(host, wanted, connections, limits.maxBodyBytes)
      const port = portOf(http)
      const ws = yield* listen(host, port + 1, connections, limits.maxBodyBytes)
      yield* HttpMiddleware.withTracerDisabledWhenEffect(http.serve(httpApp(cluster, limits)), Function.constTrue)
      yield* HttpMiddleware.withTracerDisabledWhenEffect(ws.serve(webSocketApp(cluster, limits)), Function.constTrue)
      const name = host.includes(":") ? `[${host}]` : host
      return { port, url: `http://${name}:${port}`, wsUrl: `ws://${name}:${port + 1}` }
    }).pipe(
      Scope.extend(inner),
      Effect.onError(() => Scope.close(inner, Exit.void))
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => connections.cut()))
    return served
  })

/** The TCP connections of servers that close together. */
class Connections {
  readonly #sockets = new Set<TcpSocket>()
  #isCut = false

  constructor(readonly most: number) {}

  readonly take = (socket: TcpSocket): void => {
    if (this.#isCut) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket))
  }

  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }
}

const portOf = ({ address }: HttpServer): number => ("port" in address ? address.port : 0)

const listen = (
  host: string,
  port: number,
  connections: Connections,
  maxMessageBytes: number
): Effect.Effect<HttpServer, EmbeddedClusterError, Scope.Scope> =>
  Effect.mapError(
    NodeHttpServer.make(
      () =>
        Object.assign(
          createServer()
            .on("connection", connections.take)
            .prependListener("upgrade", (_, socket) => FrameGuard.watch(socket, maxMessageBytes)),
          { maxConnections: connections.most }
        ),
      { host, port }
    ),
    ({ cause }) => refused(host, port, cause)
  )

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
 * Answers admitted requests. A request from a foreign page, or for a host name that was rebound to this machine, gets
 * 403.
 */
const admitted = <R>(
  { refusal }: Admission.Admission,
  answer: (
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const reason = refusal(request.headers)
    return reason === undefined ? answer(request) : Effect.succeed(plain(403, reason))
  }).pipe(Effect.withTracerEnabled(false))

const httpApp = (cluster: Service, { admission, maxBodyBytes }: Limits): HttpApp =>
  admitted(admission, (request) => {
    const headers = cors(request.headers["origin"])
    const say = (status: number, text: string) => Effect.succeed(plain(status, text, headers))
    if (request.method === "OPTIONS") return Effect.succeed(HttpServerResponse.empty({ headers }))
    if (request.method === "GET" && request.url.split("?")[0] === "/health") return say(200, "ok")
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
 * Reads the text of the request's body. Fails as soon as it exceeds the limit, and keeps the connection open for the
 * answer, which ends it.
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

const webSocketApp = (cluster: Service, { admission, maxBodyBytes, maxSubscriptions }: Limits): HttpApp =>
  admitted(admission, (request) =>
    Effect.flatMap(request.upgrade, (socket) =>
      WebSocketSession.run(cluster, socket, { maxMessageBytes: maxBodyBytes, maxSubscriptions })
    ).pipe(
      Effect.as(HttpServerResponse.empty()),
      Effect.orElseSucceed(() => plain(426, "this port speaks WebSocket; JSON-RPC over HTTP is one port below"))
    )
  )
