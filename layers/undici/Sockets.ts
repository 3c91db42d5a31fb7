/**
 * WebSockets over undici, since Node 20 has none of its own.
 *
 * @since 0.1.0
 */
import type { Socket as NetSocket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Agent, buildConnector, WebSocket } from "undici"
import type { Socket, SocketHandlers } from "../../services/rpc/Subscriptions.js"
import type { Endpoint } from "./Endpoint.js"
import type { Settings } from "./Settings.js"

/** The close code that a client which is done sends. */
const NORMAL = 1000

/**
 * Gives a function that starts to open a socket. Sockets that are still there when the scope closes are cut. Pings of
 * the server are answered by undici.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { wsUrl }: Endpoint,
  settings: Settings
): Effect.Effect<(handlers: SocketHandlers) => Socket, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => openAgent(settings)),
      ({ agent, sockets }) =>
        Effect.zipRight(
          Effect.sync(() => {
            for (const socket of sockets) socket.destroy()
          }),
          Effect.promise(() => agent.destroy())
        )
    ),
    ({ agent }) =>
      (handlers) =>
        open(new WebSocket(Redacted.value(wsUrl), { dispatcher: agent, headers: settings.headers }), handlers)
  )

/** An agent forgets a connection once it is a WebSocket: the sockets are kept beside it. */
const openAgent = (settings: Settings) => {
  const sockets = new Set<NetSocket>()
  const connect = buildConnector({ timeout: Duration.toMillis(settings.connectTimeout), allowH2: false })
  const agent = new Agent({
    connect: (options, callback) =>
      connect(options, (...result) => {
        const [, socket] = result
        if (socket !== null) {
          sockets.add(socket)
          socket.once("close", () => sockets.delete(socket))
        }
        callback(...result)
      }),
    headersTimeout: Duration.toMillis(settings.headersTimeout),
    bodyTimeout: 0,
    webSocket: { maxPayloadSize: settings.maxNotificationBytes }
  })
  return { agent, sockets }
}

const open = (socket: WebSocket, { onOpen, onText, onLost }: SocketHandlers): Socket => {
  let isOpen = false
  socket.addEventListener("open", () => {
    isOpen = true
    onOpen()
  })
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") onText(data)
    else onLost({ reason: "Decode", detail: "a binary message is not JSON-RPC" })
  })
  socket.addEventListener("close", ({ code }) =>
    onLost(
      isOpen
        ? { reason: "Closed", detail: `the WebSocket was closed (${code})` }
        : { reason: "Connect", detail: "the WebSocket could not be opened" }
    )
  )
  // A failure to connect is told by an error and a close event; an error without a listener would be thrown.
  socket.addEventListener("error", () => undefined)
  return {
    send: (text) => socket.send(text),
    close: () => socket.close(NORMAL)
  }
}
