import { readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createSecureServer } from "node:http2"
import type { Http2ServerRequest, Http2ServerResponse, SecureServerOptions, ServerHttp2Session } from "node:http2"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { TLSSocket } from "node:tls"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const file = (name: string) => readFileSync(new URL(`./tls/${name}`, import.meta.url), "utf8")

/** The self-signed certificate of `localhost` and 127.0.0.1, valid for 100 years. */
export const ca = file("cert.pem")

/** The identity of a TLS server. */
export const identity = { key: file("key.pem"), cert: ca }

export interface Secure {
  readonly url: string
  readonly port: number
  /** The number of connections so far. */
  readonly opened: () => number
  /** The number of open connections. */
  readonly open: () => number
  readonly requests: () => number
  readonly maxInFlight: () => number
  readonly sessions: ReadonlyArray<ServerHttp2Session>
  readonly cut: () => void
}

type Request = Http2ServerRequest | IncomingMessage
type Response = Http2ServerResponse | ServerResponse

/** A reply with its own status and headers. */
export interface Reply {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
  readonly body: string | Uint8Array
}

/** Answers JSON-RPC over TLS with the results of `respond`. */
export const serveSecure = (
  respond: (body: string, request: Request) => Promise<string | Reply>,
  options: { readonly http2?: false | SecureServerOptions } = {}
): Effect.Effect<Secure, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly state: Secure; readonly close: (done: () => void) => void }>((resume) => {
        const sockets = new Set<TLSSocket>()
        const sessions: Array<ServerHttp2Session> = []
        let opened = 0
        let requests = 0
        let inFlight = 0
        let maxInFlight = 0
        const onRequest = (request: Request, response: Response) => {
          requests++
          maxInFlight = Math.max(maxInFlight, ++inFlight)
          response.on("close", () => inFlight--)
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            void respond(Buffer.concat(chunks).toString(), request).then((reply) => {
              response.setHeader("content-type", "application/json")
              if (typeof reply === "string") return void response.end(reply)
              response.statusCode = reply.status
              for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value)
              response.end(reply.body)
            })
          })
        }
        const server =
          options.http2 === false
            ? createServer(identity, onRequest)
            : createSecureServer({ ...identity, allowHTTP1: true, ...options.http2 }, onRequest).on(
                "session",
                (session) => sessions.push(session)
              )
        server.on("secureConnection", (socket: TLSSocket) => {
          opened++
          sockets.add(socket)
          socket.on("error", () => undefined)
          socket.once("close", () => sockets.delete(socket))
        })
        const cut = () => {
          for (const socket of sockets) socket.destroy()
        }
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          const state: Secure = {
            url: `https://127.0.0.1:${port}`,
            port,
            opened: () => opened,
            open: () => sockets.size,
            requests: () => requests,
            maxInFlight: () => maxInFlight,
            sessions,
            cut
          }
          resume(
            Effect.succeed({
              state,
              close: (done) => {
                cut()
                server.close(() => done())
              }
            })
          )
        })
      }),
      ({ close }) => Effect.async<void>((resume) => close(() => resume(Effect.void)))
    ),
    ({ state }) => state
  )

/** Forwards all requests to a node over HTTP. */
export const secureProxy = (target: string): Effect.Effect<Secure, never, Scope.Scope> =>
  serveSecure((body) =>
    fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body }).then((reply) =>
      reply.text()
    )
  )
