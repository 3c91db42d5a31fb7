/**
 * An HTTP server of Node on a port. It closes its connections with its scope, because a client may keep a connection
 * open forever. A connection has one request at a time: the next one begins after the answer is sent. Otherwise a client
 * that sends many requests and reads no answer would fill the memory with answers.
 */
import { createServer, IncomingMessage, type Server, type ServerOptions, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpServer from "@effect/platform/HttpServer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Options {
  readonly host: string
  readonly port: number
  /** Maximum open connections. Further ones are closed at once. */
  readonly maxConnections: number
  /** Milliseconds of silence after which a connection is closed. */
  readonly idleTimeout: number
  readonly server: ServerOptions
}

/** The reason for which the server cannot listen, with advice. */
export interface Refusal {
  readonly reason: "PortTaken" | "Listen"
  readonly detail: string
  readonly cause: unknown
}

const refusalOf = ({ host, port }: Options, cause: unknown): Refusal => {
  const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"
  return isTaken
    ? { reason: "PortTaken", detail: `port ${port} of ${host} is taken: choose another, or 0 for any free one`, cause }
    : {
        reason: "Listen",
        detail: `cannot listen on ${host}, port ${port}: check the address, and that this user may use the port`,
        cause
      }
}

type Exchange = readonly [request: IncomingMessage, response: ServerResponse]

/** Makes the requests of each connection wait for the answer to the former one. Meanwhile, no more are read. */
const oneByOne = (server: Server): Server => {
  const waiting = new WeakMap<Socket, Array<Exchange>>()
  const emit = server.emit.bind(server)

  const begin = (socket: Socket, [request, response]: Exchange): void => {
    response.once("close", () => {
      const queue = waiting.get(socket) ?? []
      const next = queue.shift()
      if (queue.length === 0) socket.resume()
      if (next === undefined || socket.destroyed) waiting.delete(socket)
      else begin(socket, next)
    })
    emit("request", request, response)
  }

  server.emit = (event: string, ...args: ReadonlyArray<unknown>): boolean => {
    const [request, response] = args
    if (event !== "request" || !(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) {
      return emit(event, ...args)
    }
    const { socket } = request
    const queue = waiting.get(socket)
    if (queue === undefined) {
      waiting.set(socket, [])
      begin(socket, [request, response])
    } else {
      queue.push([request, response])
      socket.pause()
    }
    return true
  }
  return server
}

export const listen = (options: Options): Effect.Effect<HttpServer.HttpServer, Refusal, Scope.Scope> =>
  Effect.gen(function* () {
    const { host, idleTimeout, maxConnections, port } = options
    const sockets = new Set<Socket>()
    const http = yield* NodeHttpServer.make(
      () => {
        const server = oneByOne(createServer(options.server))
        server.on("connection", (socket) => {
          sockets.add(socket)
          socket.once("close", () => sockets.delete(socket))
        })
        return Object.assign(server, { maxConnections, timeout: idleTimeout })
      },
      { host, port }
    ).pipe(Effect.mapError(({ cause }) => refusalOf(options, cause)))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
    return http
  })

/** The port of the server; `asked` may be 0 for any port. */
export const portOf = ({ address }: HttpServer.HttpServer, asked: number): number =>
  "port" in address ? address.port : asked

/** `http://host:port` */
export const urlOf = (host: string, port: number): string => `http://${host.includes(":") ? `[${host}]` : host}:${port}`
