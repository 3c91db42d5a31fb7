/**
 * An HTTP/1.1 connection: undici's parser and timeouts on an existing socket.
 *
 * Invariants: undici never opens a replacement socket, so a call that finds the socket lost returns to the pool unsent;
 * `onLost` fires when the socket ends, even before undici has taken it.
 */
import type { IncomingHttpHeaders } from "node:http"
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import { Client } from "undici"
import type { Dispatcher } from "undici"
import type { Call, Events, Line, Target } from "./Line.js"
import type { Settings } from "./Settings.js"

const ABORTED = new Error("aborted by its caller")
const GONE = new Error("the connection was lost before the call was sent")

export const make = (socket: Socket, target: Target, settings: Settings, events: Events): Line => {
  let inFlight = 0
  let isGiven = false
  let isLost = false
  let isRetired = false
  const keepAliveTimeout = Duration.toMillis(settings.keepAliveTimeout)

  const client = new Client(target.origin, {
    headersTimeout: Duration.toMillis(settings.headersTimeout),
    bodyTimeout: Duration.toMillis(settings.bodyTimeout),
    keepAliveTimeout,
    // undici would keep a connection for as long as the server offers, up to ten minutes.
    keepAliveMaxTimeout: keepAliveTimeout,
    pipelining: 1,
    // undici ignores a socket that is provided before its `connect` call has returned.
    connect: (_, callback) =>
      queueMicrotask(() => {
        if (isGiven || isLost || socket.destroyed) return callback(GONE, null)
        isGiven = true
        socket.ref()
        callback(null, socket)
      })
  })

  const lose = () => {
    if (isLost) return
    isLost = true
    clearTimeout(idle)
    socket.destroy()
    void client.destroy()
    events.onLost()
  }

  // Watches the socket until undici takes it.
  const idle = setTimeout(lose, keepAliveTimeout).unref()
  socket.unref()
  socket.on("error", () => undefined)
  socket.once("close", lose)
  client.on("disconnect", lose)

  const end = () => {
    inFlight--
    if (isRetired) lose()
    else events.onChange()
  }

  return {
    protocol: "1.1",
    free: () => (isLost || isRetired || socket.destroyed ? 0 : 1 - inFlight),
    inFlight: () => inFlight,
    isSuspect: () => false,
    send: (call) => {
      clearTimeout(idle)
      inFlight++
      client.dispatch(
        { path: target.path, method: "POST", headers: target.headers, body: call.body },
        new Handler(call, events, end)
      )
    },
    retire: () => {
      isRetired = true
      if (inFlight === 0) lose()
    },
    destroy: lose
  }
}

class Handler implements Dispatcher.DispatchHandler {
  #isStarted = false
  readonly #call: Call
  readonly #events: Events
  readonly #end: () => void

  constructor(call: Call, events: Events, end: () => void) {
    this.#call = call
    this.#events = events
    this.#end = end
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#isStarted = true
    this.#call.onStart(() => controller.abort(ABORTED))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // An interim response, such as 103, precedes the final one.
    if (status >= 200) this.#call.onHead(status, headers)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#call.onData(chunk)
  }

  onResponseEnd(): void {
    this.#call.onEnd()
    this.#end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#isStarted) this.#call.onError(error)
    else this.#events.onUnsent(this.#call, error)
    this.#end()
  }
}
