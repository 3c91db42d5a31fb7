import { createServer } from "node:http"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { WebSocketServer } from "ws"
import type { WebSocket } from "ws"

/** A JSON-RPC request as the server read it. */
export interface Call {
  readonly id: number
  readonly method: string
  readonly params: ReadonlyArray<unknown>
}

/** An HTTP request with its whole body. */
export interface Request {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly calls: ReadonlyArray<Call>
}

export interface Server {
  readonly url: string
  readonly wsUrl: string
  readonly port: number
  readonly requests: ReadonlyArray<Request>
  /** Sockets that are open now. */
  readonly sockets: ReadonlySet<Socket>
}

const isCall = (value: unknown): value is Call =>
  typeof value === "object" && value !== null && "id" in value && "method" in value && "params" in value

export const parseCalls = (text: string): ReadonlyArray<Call> => {
  const value: unknown = text === "" ? [] : JSON.parse(text)
  return (Array.isArray(value) ? value : [value]).filter(isCall)
}

const bodyOf = (request: IncomingMessage, then: (body: string) => void) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => then(Buffer.concat(chunks).toString()))
}

/** A server of its own for one test: HTTP as `onRequest` answers, WebSockets as `onSocket` does. */
export const serve = (handlers: {
  readonly onRequest?: (request: Request, response: ServerResponse, raw: IncomingMessage) => void
  readonly onSocket?: (socket: WebSocket, request: IncomingMessage) => void
}): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly server: ReturnType<typeof createServer>; readonly state: Server }>((resume) => {
        const requests: Array<Request> = []
        const sockets = new Set<Socket>()
        // A long turn of the event loop must not close an idle connection that the client is about to use.
        const server = createServer({ keepAliveTimeout: 60_000 }, (raw, response) =>
          bodyOf(raw, (body) => {
            const request = { path: raw.url ?? "", headers: raw.headers, body, calls: parseCalls(body) }
            requests.push(request)
            handlers.onRequest?.(request, response, raw)
          })
        )
        server.on("connection", (socket) => {
          sockets.add(socket)
          socket.once("close", () => sockets.delete(socket))
        })
        if (handlers.onSocket !== undefined) new WebSocketServer({ server }).on("connection", handlers.onSocket)
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          const url = `http://127.0.0.1:${port}`
          resume(Effect.succeed({ server, state: { url, wsUrl: `ws://127.0.0.1:${port}`, port, requests, sockets } }))
        })
      }),
      ({ server, state }) =>
        Effect.async<void>((resume) => {
          for (const socket of state.sockets) socket.destroy()
          server.close(() => resume(Effect.void))
        })
    ),
    ({ state }) => state
  )

/** Answers every call of a request with this result. */
export const answer = (request: Request, response: ServerResponse, result: unknown) => {
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify({ jsonrpc: "2.0", id: request.calls[0]?.id, result }))
}

/** Waits in real time until the condition holds. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.delay(until(condition), "5 millis")))
