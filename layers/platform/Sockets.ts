/** Opens WebSockets by the `WebSocketConstructor` of `@effect/platform`. */
import { WebSocketConstructor } from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Loss, Socket, SocketHandlers } from "../../services/wire/Subscriptions.js"
import * as Handshake from "../internal/Handshake.js"
import type { Endpoint } from "../internal/Url.js"

/** The close code of a client that has finished. */
const NORMAL = 1000

/** The status of a refused handshake, if the event has it. The constructor of `ws` puts it into the event's message. */
const statusOf = (event: Event): number | undefined => {
  const message = "message" in event && typeof event.message === "string" ? event.message : ""
  const status = /^Unexpected server response: (\d{3})$/.exec(message)?.[1]
  return status === undefined ? undefined : Number(status)
}

/** The reason of a failed handshake, if the constructor reports one. Its text may hold the URL until it is redacted. */
const causeOf = (event: Event): unknown => ("error" in event ? event.error : undefined)

/**
 * Ends the connection after the close frame, if the socket has this method, as those of `ws` do. Otherwise the socket
 * would still receive all frames that the server queued before its own close frame.
 */
const terminate = (socket: object): void => {
  if ("terminate" in socket && typeof socket.terminate === "function") socket.terminate()
}

/** Returns a function that starts to open a socket. The scope closes the sockets that are still open. */
export const make = ({
  wsUrl
}: Endpoint): Effect.Effect<(handlers: SocketHandlers) => Socket, never, Scope.Scope | WebSocketConstructor> =>
  Effect.map(
    Effect.all([
      WebSocketConstructor,
      Effect.acquireRelease(
        Effect.sync(() => new Set<globalThis.WebSocket>()),
        (sockets) =>
          Effect.sync(() => {
            for (const socket of sockets) socket.close(NORMAL)
          })
      )
    ]),
    ([construct, sockets]) =>
      ({ onOpen, onMessage, onLost }) => {
        const socket = construct(Redacted.value(wsUrl).href)
        socket.binaryType = "arraybuffer"
        let isOpen = false
        sockets.add(socket)
        /** Only the first event that ends the socket counts. */
        const lost = (loss: Loss) => {
          if (sockets.delete(socket)) onLost(loss)
        }
        socket.addEventListener("open", () => {
          isOpen = true
          onOpen()
        })
        const receive = ({ data }: MessageEvent<unknown>) => onMessage(data)
        socket.addEventListener("message", receive)
        socket.addEventListener("close", ({ code }) => lost(isOpen ? Handshake.closed(code) : Handshake.failed({})))
        // After a failed handshake, the constructor of Node 22 emits no close event. After an error of an open socket, all do.
        socket.addEventListener("error", (event) => {
          if (!isOpen) lost(Handshake.failed({ status: statusOf(event), cause: causeOf(event) }))
        })
        return {
          send: (text) => socket.send(text),
          close: () => {
            socket.removeEventListener("message", receive)
            socket.close(NORMAL)
            terminate(socket)
          }
        }
      }
  )
