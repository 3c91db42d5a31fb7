/** WebSockets over undici, since Node 20 has none of its own. */
import type { Socket as NetSocket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Agent, buildConnector, ping, WebSocket } from "undici"
import type { Loss, Socket, SocketHandlers } from "../../services/wire/Subscriptions.js"
import type { Dispatcher } from "undici"
import * as Handshake from "../internal/Handshake.js"
import type { Endpoint } from "../internal/Url.js"
import type { Settings } from "./Settings.js"

/** The close code that a client which is done sends. */
const NORMAL = 1000

/**
 * Gives a function that starts to open a socket. Sockets that are still there when the scope closes are cut. Pings of
 * the server are answered by undici; each keep-alive interval a ping is sent, and a socket on which nothing at all came
 * since the last one is lost.
 */
export const make = (
  { wsUrl }: Endpoint,
  settings: Settings
): Effect.Effect<(handlers: SocketHandlers) => Socket, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Set<Line>()),
      (lines) =>
        Effect.suspend(() => Effect.forEach(lines, ({ cut }) => cut, { concurrency: "unbounded", discard: true }))
    ),
    (lines) => (handlers) => {
      const line = openLine(settings)
      lines.add(line)
      const forget = () => {
        if (lines.delete(line)) Effect.runFork(line.cut)
      }
      return open(Redacted.value(wsUrl), line, settings, forget, handlers)
    }
  )

/** What a WebSocket runs on. */
interface Line {
  readonly dispatcher: Dispatcher
  /** Status with which the server refused the handshake, if it did. */
  readonly status: () => number | undefined
  /** The connection, once there is one. */
  readonly socket: () => NetSocket | undefined
  /** Why there is none. */
  readonly error: () => Error | undefined
  /** Ends the connection, and never fails. */
  readonly cut: Effect.Effect<void>
}

/** A WebSocket does not tell the status with which its handshake was refused. */
const refusals =
  (refused: (status: number) => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) =>
        handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, message) => {
        refused(status)
        handler.onResponseStart?.(controller, status, headers, message)
      },
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error)
    })

/** An agent forgets a connection once it is a WebSocket: the socket is kept beside it. */
const openLine = (settings: Settings): Line => {
  let socket: NetSocket | undefined
  let failure: Error | undefined
  let status: number | undefined
  const connect = buildConnector({
    timeout: Duration.toMillis(settings.connectTimeout),
    ca: settings.ca,
    allowH2: false
  })
  const agent = new Agent({
    connect: (options, callback) =>
      connect(options, (...result) => {
        if (result[0] === null) socket = result[1]
        else failure = result[0]
        callback(...result)
      }),
    headersTimeout: Duration.toMillis(settings.headersTimeout),
    bodyTimeout: 0,
    webSocket: { maxPayloadSize: settings.maxNotificationBytes }
  })
  return {
    dispatcher: agent.compose(
      refusals((refusal) => {
        status = refusal
      })
    ),
    status: () => status,
    socket: () => socket,
    error: () => failure,
    cut: Effect.suspend(() => {
      socket?.destroy()
      return Effect.ignore(Effect.tryPromise(() => agent.destroy()))
    })
  }
}

const open = (
  url: URL,
  line: Line,
  settings: Settings,
  forget: () => void,
  { onOpen, onMessage, onLost }: SocketHandlers
): Socket => {
  const socket = new WebSocket(url, { dispatcher: line.dispatcher, headers: settings.headers })
  socket.binaryType = "arraybuffer"
  let isOpen = false
  let isClosing = false
  let heard = 0

  const lost = (loss: Loss) => {
    clearInterval(pulse)
    forget()
    onLost(loss)
  }

  const beat = () => {
    if (isClosing) return lost({ reason: "Closed", detail: "the server did not answer the closing of the WebSocket" })
    if (!isOpen) return
    const read = line.socket()?.bytesRead ?? 0
    if (read === heard) {
      return lost({ reason: "Closed", detail: "the WebSocket was silent and did not answer a ping" })
    }
    heard = read
    const pinged = Either.try(() => ping(socket))
    if (Either.isLeft(pinged)) {
      lost({ reason: "Closed", detail: "a ping could not be sent on the WebSocket", cause: pinged.left })
    }
  }

  const pulse = setInterval(beat, Duration.toMillis(settings.keepAliveInterval)).unref()

  socket.addEventListener("open", () => {
    isOpen = true
    onOpen()
  })
  socket.addEventListener("message", ({ data }) => onMessage(data))
  socket.addEventListener("close", ({ code }) => {
    const why = line.error()
    lost(
      isOpen ? Handshake.closed(code) : Handshake.failed({ status: line.status(), detail: why?.message, cause: why })
    )
  })
  // A failure to connect gives an error and a close event; an error without a listener would be thrown.
  socket.addEventListener("error", () => undefined)
  return {
    send: (text) => socket.send(text),
    close: () => {
      isClosing = true
      socket.close(NORMAL)
    }
  }
}
