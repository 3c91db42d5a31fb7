/**
 * The embedded cluster on a port: JSON-RPC over HTTP, subscriptions over WebSocket on the port above, as Solana has it.
 *
 * @since 0.1.0
 */
import { createServer } from "node:http"
import type { Socket as TcpSocket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { type Default as HttpApp } from "@effect/platform/HttpApp"
import type { HttpServer } from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { InvalidInput } from "../src/InvalidInput.js"
import { EmbeddedCluster, type Service } from "./EmbeddedCluster.js"
import { EmbeddedClusterError } from "./embedded/EmbeddedClusterError.js"
import * as JsonRpc from "./embedded/rpc/JsonRpc.js"
import * as WebSocketSession from "./embedded/rpc/WebSocketSession.js"

/**
 * Where to serve.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServeOptions {
  /** TCP port of HTTP; WebSocket takes the next one. Default 0: any two free ports in a row. At most 65534. */
  readonly port?: number
  /** Address to listen on. Default 127.0.0.1: whoever reaches the port can take lamports from the faucet. */
  readonly host?: string
  /**
   * Bytes of the largest request. Default 1 MiB (a Solana node takes 50 KiB, providers more). Larger ones get HTTP
   * 413, or their WebSocket closed with code 1009. Too low refuses batches, too high lets clients fill the memory.
   */
  readonly maxBodyBytes?: number
}

/**
 * Where a cluster is served.
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
/** Free ports come singly; how often to look for two in a row. */
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
    const { port = 0, host = "127.0.0.1", maxBodyBytes = DEFAULT_BODY_BYTES } = options
    yield* checkCount("port", port, 0, MAX_PORT)
    yield* checkCount("maxBodyBytes", maxBodyBytes, 1, Number.MAX_SAFE_INTEGER)
    const cluster = yield* EmbeddedCluster
    const attempt = pair(cluster, host, port, maxBodyBytes)
    return yield* port === 0
      ? Effect.retry(attempt, { times: PORT_TRIES, while: ({ reason }) => reason === "PortTaken" })
      : attempt
  })

const checkCount = (field: string, value: number, least: number, most: number) =>
  Number.isSafeInteger(value) && value >= least && value <= most
    ? Effect.void
    : Effect.fail(new InvalidInput({ field, rule: `must be a whole number from ${least} to ${most}`, size: value }))

/**
 * Both servers or none: one without the other is closed at once. Their connections are cut before they are closed,
 * since a server waits for its connections and a client may keep one for ever.
 */
const pair = (cluster: Service, host: string, wanted: number, maxBodyBytes: number) =>
  Effect.gen(function* () {
    const outer = yield* Effect.scope
    const inner = yield* Scope.fork(outer, ExecutionStrategy.sequential)
    const connections = new Connections()
    const served = yield* Effect.gen(function* () {
      const http = yield* listen(host, wanted, connections)
      const port = portOf(http)
      const ws = yield* listen(host, port + 1, connections)
      yield* http.serve(httpApp(cluster, maxBodyBytes))
      yield* ws.serve(webSocketApp(cluster, maxBodyBytes))
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
  private readonly sockets = new Set<TcpSocket>()
  private isCut = false

  readonly take = (socket: TcpSocket): void => {
    if (this.isCut) {
      socket.destroy()
      return
    }
    this.sockets.add(socket)
    socket.once("close", () => this.sockets.delete(socket))
  }

  cut(): void {
    this.isCut = true
    for (const socket of this.sockets) socket.destroy()
  }
}

const portOf = ({ address }: HttpServer): number => ("port" in address ? address.port : 0)

const listen = (
  host: string,
  port: number,
  connections: Connections
): Effect.Effect<HttpServer, EmbeddedClusterError, Scope.Scope> =>
  Effect.mapError(
    NodeHttpServer.make(() => createServer().on("connection", connections.take), { host, port }),
    ({ cause }) => refused(host, port, cause)
  )

const refused = (host: string, port: number, cause: unknown): EmbeddedClusterError => {
  const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"
  return isTaken
    ? new EmbeddedClusterError({ reason: "PortTaken", detail: `port ${port} of ${host} is taken`, cause })
    : new EmbeddedClusterError({ reason: "Listen", detail: `cannot listen on ${host}, port ${port}`, cause })
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "POST, GET, OPTIONS",
  "access-control-allow-headers": "*"
}

const plain = (status: number, text: string) => HttpServerResponse.text(text, { status, headers: CORS })

const tooLarge = HttpServerResponse.text("the request is too large", {
  status: 413,
  headers: { ...CORS, connection: "close" }
})

const httpApp = (cluster: Service, maxBodyBytes: number): HttpApp =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.method === "OPTIONS") return HttpServerResponse.empty({ headers: CORS })
    if (request.method === "GET" && request.url.split("?")[0] === "/health") return plain(200, "ok")
    if (request.method !== "POST") return plain(405, "Used HTTP Method is not allowed. POST or OPTIONS is required")
    if (!isJson(request.headers["content-type"])) {
      return plain(415, "Supplied content type is not allowed. Content-Type: application/json is required")
    }
    return yield* readBody(request, maxBodyBytes).pipe(
      Effect.flatMap((text) => JsonRpc.answer(text, cluster.request)),
      Effect.map((reply) => HttpServerResponse.text(reply ?? "", { contentType: "application/json", headers: CORS })),
      Effect.orElseSucceed(() => tooLarge)
    )
  }).pipe(Effect.withTracerEnabled(false))

/**
 * The text of the request's body. Fails as soon as it is longer than allowed, and leaves the connection alive for the
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

const webSocketApp = (cluster: Service, maxBodyBytes: number): HttpApp =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const socket = yield* request.upgrade
    yield* WebSocketSession.run(cluster, socket, maxBodyBytes)
    return HttpServerResponse.empty()
  }).pipe(
    Effect.orElseSucceed(() => plain(426, "this port speaks WebSocket; JSON-RPC over HTTP is one port below")),
    Effect.withTracerEnabled(false)
  )
