/**
 * WebSockets over undici, because Node 20 has no WebSocket client.
 *
 * Invariants: every loss is reported, whether by a close event, by silence or by a failed ping; closing the scope
 * destroys every connection, even one whose server does not answer the close frame. No callback throws.
 */
import type { Socket as NetSocket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Agent, buildConnector, ping, WebSocket } from "undici"
import type { Dispatcher } from "undici"
import type { Loss, Socket, SocketHandlers } from "../../services/wire/Subscriptions.js"
import * as Handshake from "../internal/Handshake.js"
import type { Endpoint } from "../internal/Url.js"
import type { Settings } from "./Settings.js"

/** The close code of a client that has finished. */
const NORMAL = 1000

/**
 * Maximum bytes that a server may still send after the close frame. They are received and buffered until a message is
 * complete, although no subscriber needs them.
 */
const MAX_AFTER_CLOSE = 256 * 1024

/**
 * Returns a function that starts to open a socket. The scope destroys the sockets that are open or opening. undici
 * answers the server's pings. Each keep-alive interval the client sends a ping; a socket that received nothing since the
 * last ping is lost.
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

/** The connection of a WebSocket. */
interface Line {
  readonly dispatcher: Dispatcher
  /** Status with which the server refused the handshake, if any. */
  readonly status: () => number | undefined
  /** The TCP or TLS socket, once it exists. */
  readonly socket: () => NetSocket | undefined
  /** The reason why there is no socket, or no reply on it. */
  readonly error: () => Error | undefined
  /** Ends the connection; never fails. */
  readonly cut: Effect.Effect<void>
}

/** Captures the status of a refused handshake and the error of a failed one, which a WebSocket does not report. */
const observed =
  (onRefused: (status: number) => void, onFailed: (error: Error) => void): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) =>
        handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, message) => {
        // An interim response, such as 103, refuses nothing.
        if (status >= 200) onRefused(status)
        handler.onResponseStart?.(controller, status, headers, message)
      },
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) => {
        onFailed(error)
        handler.onResponseError?.(controller, error)
      }
    })

/** Stores the socket, because undici's agent forgets a connection that becomes a WebSocket. */
const openLine = (settings: Settings): Line => {
  let socket: NetSocket | undefined
  let failure: Error | undefined
  let status: number | undefined
  const ending = new AbortController()
  const connect = buildConnector({
    timeout: Duration.toMillis(settings.connectTimeout),
    ca: settings.ca,
    allowH2: false,
    signal: ending.signal
  })
  const agent = new Agent({
    connect: (options, callback) =>
      connect(options, (...result) => {
        if (result[0] === null) {
          socket = result[1]
          // An error while the socket changes its owner must end only the connection, not the process.
          socket.on("error", (error) => (failure ??= error))
        } else failure ??= result[0]
        callback(...result)
      }),
    headersTimeout: Duration.toMillis(settings.headersTimeout),
    bodyTimeout: 0,
    webSocket: { maxPayloadSize: settings.maxNotificationBytes }
  })
  return {
    dispatcher: agent.compose(
      observed(
        (refusal) => {
          status = refusal
        },
        (error) => {
          failure ??= error
        }
      )
    ),
    status: () => status,
    socket: () => socket,
    error: () => failure,
    cut: Effect.suspend(() => {
      ending.abort()
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
    if (isClosing)
      return lost({ reason: "Closed", detail: "the server did not answer the close frame of the WebSocket" })
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
    lost(isOpen ? Handshake.closed(code) : Handshake.failed({ status: line.status(), cause: line.error() }))
  })
  // A failed connection emits an error and a close event. An error without a listener would be thrown.
  socket.addEventListener("error", () => undefined)
  return {
    send: (text) => socket.send(text),
    close: () => {
      if (isClosing) return
      isClosing = true
      socket.close(NORMAL)
      let left = MAX_AFTER_CLOSE
      line.socket()?.on("data", ({ length }) => {
        left -= length
        if (left < 0) lost({ reason: "Closed", detail: "the server continued to send after the WebSocket was closed" })
      })
    }
  }
}
