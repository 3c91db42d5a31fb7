/**
 * Opens connections, and keeps some ready before they are needed.
 *
 * Invariants: every socket is counted once; a ready connection is given to at most one caller; after the scope closes,
 * no ready connection stays open and no new one is kept.
 */
import { Socket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { buildConnector } from "undici"
import * as Metrics from "../../services/Metrics.js"
import type { Endpoint } from "../internal/Url.js"
import type { Settings } from "./Settings.js"

/** A version of HTTP, named as in OpenTelemetry. */
export type Protocol = "1.1" | "2"

/** Milliseconds before a lost or failed ready connection is replaced. */
export const REWARM_AFTER = 500

const CLOSED = new Error("the pool is closed")

export interface Connector {
  /** Provides a socket, or the error. */
  readonly connect: (
    callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void
  ) => void
  /** Starts to keep connections ready. It is for HTTP/1.1; an HTTP/2 session is ready by itself. */
  readonly keepReady: () => void
}

/** The protocol negotiated with the server. */
export const protocolOf = (socket: Socket): Protocol =>
  "alpnProtocol" in socket && socket.alpnProtocol === "h2" ? "2" : "1.1"

/** Provides connections, ready ones first. The scope destroys the ready ones and those under construction. */
export const make = (endpoint: Endpoint, settings: Settings): Effect.Effect<Connector, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Reserve(endpoint, settings)),
    (reserve) => Effect.sync(() => reserve.close())
  )

class Reserve implements Connector {
  readonly #open: buildConnector.connector
  readonly #target: buildConnector.Options
  readonly #host: string
  readonly #wanted: number
  readonly #most: number
  readonly #ready: Array<Socket> = []
  /** All open sockets, also those under construction. */
  readonly #sockets = new Set<Socket>()
  #connected = 0
  #opening = 0
  #timer: NodeJS.Timeout | undefined
  #isKept = false

  constructor({ host, isSecure, url }: Endpoint, settings: Settings) {
    const { hostname, port, protocol } = Redacted.value(url)
    this.#open = buildConnector({
      timeout: Duration.toMillis(settings.connectTimeout),
      allowH2: isSecure && settings.http2 !== undefined,
      ca: settings.ca,
      keepAlive: true,
      keepAliveInitialDelay: Duration.toMillis(settings.keepAliveInterval)
    })
    this.#target = { host, hostname, protocol, port }
    this.#host = host
    this.#wanted = settings.minIdleConnections
    this.#most = settings.connections
  }

  readonly keepReady = (): void => {
    this.#isKept = true
    this.#fill()
  }

  readonly connect: Connector["connect"] = (callback) => {
    const socket = this.#ready.shift()
    if (socket === undefined) {
      this.#start((...result) => {
        if (result[0] === null) this.#count(result[1])
        callback(...result)
      })
      return
    }
    socket.ref()
    this.#fill()
    queueMicrotask(() => callback(null, socket))
  }

  close(): void {
    this.#isKept = false
    clearTimeout(this.#timer)
    for (const socket of this.#sockets) socket.destroy(CLOSED)
  }

  /**
   * Opens a connection. undici returns its socket at once, although the types do not say so. The option `signal` would keep
   * each socket in memory after its end, because Node's sockets never remove their listeners from a signal.
   */
  #start(callback: buildConnector.Callback): void {
    const socket: unknown = this.#open(this.#target, callback)
    if (!(socket instanceof Socket)) return
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket))
  }

  #fill(): void {
    while (
      this.#isKept &&
      this.#ready.length + this.#opening < this.#wanted &&
      this.#connected + this.#opening < this.#most
    ) {
      this.#opening++
      this.#start((...result) => {
        this.#opening--
        if (result[0] !== null) return this.#fillLater()
        this.#keep(result[1])
      })
    }
  }

  #keep(socket: Socket): void {
    this.#count(socket)
    if (!this.#isKept || this.#connected > this.#most) {
      socket.destroy()
      return
    }
    socket.unref()
    this.#ready.push(socket)
    socket.once("close", () => {
      const at = this.#ready.indexOf(socket)
      if (at >= 0) this.#ready.splice(at, 1)
      this.#fillLater()
    })
  }

  #fillLater(): void {
    clearTimeout(this.#timer)
    if (this.#isKept) this.#timer = setTimeout(() => this.#fill(), REWARM_AFTER).unref()
  }

  #count(socket: Socket): void {
    const open = Metrics.rpcConnections.pipe(
      Metric.tagged("server.address", this.#host),
      Metric.tagged("network.protocol.version", protocolOf(socket))
    )
    this.#connected++
    open.unsafeModify(1, [])
    socket.once("close", () => {
      this.#connected--
      open.unsafeModify(-1, [])
    })
  }
}
