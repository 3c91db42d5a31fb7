/**
 * The connections to one endpoint: few that carry many calls over HTTP/2, or many that carry one each over HTTP/1.1, as
 * the server supports. Calls without a free line wait in one queue.
 *
 * - Over TLS the version is unknown before the first handshake. The first call opens one connection, and the others
 *   wait for its result, so that a burst does not open as many connections as HTTP/1.1 needs.
 * - New calls avoid a line that does not answer. It does not count as a connection: the pool opens another, and then
 *   retires it.
 * - If a handshake fails, its share of the waiting calls fails too, unless another line answers: then the calls wait
 *   for that line, and the next handshake follows after a pause.
 * - A call that a line returns unsent goes to another line, at most three times.
 */
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { FifoSet } from "../../services/internal/FifoSet.js"
import type { Endpoint } from "../internal/Url.js"
import * as Connector from "./Connector.js"
import * as Http1Line from "./Http1Line.js"
import * as Http2Line from "./Http2Line.js"
import type { Call, Events, Line, Target } from "./Line.js"
import type { Settings } from "./Settings.js"

export interface Connections {
  /** The call ends in a later step. */
  readonly dispatch: (call: Call) => void
  /** Removes a waiting call from the queue. */
  readonly forget: (call: Call) => void
  /** The server's protocol, once it is known. */
  readonly protocol: () => Connector.Protocol | undefined
}

/** Opens no connection before the first call, except the ready ones. The scope closes the pool. */
export const make = (
  endpoint: Endpoint,
  settings: Settings,
  headers: { readonly [name: string]: string }
): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.flatMap(Connector.make(endpoint, settings), (connector) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const { origin, pathname, search } = Redacted.value(endpoint.url)
        return new Lines(endpoint, { origin, path: `${pathname}${search}`, headers }, settings, connector)
      }),
      (lines) => Effect.sync(() => lines.destroy())
    )
  )

const MAX_SENDINGS = 3

class Lines implements Connections {
  readonly #target: Target
  readonly #settings: Settings
  readonly #connector: Connector.Connector
  readonly #idleFor: number
  /** HTTP/2 sessions to keep open. */
  readonly #kept: number
  readonly #waiting = new FifoSet<Call>()
  /** Lines that accept calls. */
  readonly #lines = new Set<Line>()
  /** Lines that accept no more calls and have calls in flight. */
  readonly #ending = new Set<Line>()
  #protocol: Connector.Protocol | undefined
  #opening = 0
  #isPaused = false
  #isDestroyed = false
  #pauseTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #idleSince = 0

  constructor(endpoint: Endpoint, target: Target, settings: Settings, connector: Connector.Connector) {
    this.#target = target
    this.#settings = settings
    this.#connector = connector
    this.#idleFor = Duration.toMillis(settings.keepAliveTimeout)
    const { http2 } = settings
    const mayBeHttp2 = endpoint.isSecure && http2 !== undefined
    this.#kept = mayBeHttp2 ? Math.min(settings.minIdleConnections, http2.connections) : 0
    if (!mayBeHttp2) this.#agree("1.1")
    this.#grow()
  }

  readonly protocol = (): Connector.Protocol | undefined => this.#protocol

  readonly dispatch = (call: Call): void => {
    if (this.#isDestroyed) return queueMicrotask(() => call.onError(new Error("the pool is closed")))
    const line = this.#waiting.size === 0 ? this.#best() : undefined
    if (line !== undefined) return send(line, call)
    this.#waiting.add(call)
    this.#drain()
  }

  readonly forget = (call: Call): void => {
    this.#waiting.delete(call)
  }

  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#pauseTimer)
    clearTimeout(this.#idleTimer)
    for (const line of [...this.#lines, ...this.#ending]) line.destroy()
    this.#fail(this.#waiting.size, new Error("the pool is closed"))
  }

  #agree(protocol: Connector.Protocol): void {
    if (this.#protocol === protocol) return
    this.#protocol = protocol
    if (protocol === "1.1") this.#connector.keepReady()
  }

  /** The line with the fewest calls among those that answer and have room. */
  #best(): Line | undefined {
    let best: Line | undefined
    for (const line of this.#lines) {
      if (line.free() <= 0 || line.isSuspect()) continue
      if (best === undefined || line.inFlight() < best.inFlight()) best = line
    }
    return best
  }

  #drain(): void {
    while (this.#waiting.size > 0) {
      const line = this.#best()
      const call = line === undefined ? undefined : this.#waiting.shift()
      if (line === undefined || call === undefined) break
      send(line, call)
    }
    this.#grow()
  }

  #answering(): number {
    let count = 0
    for (const line of this.#lines) if (!line.isSuspect()) count++
    return count
  }

  /** The number of connections that would help now. */
  #wanted(): number {
    const { connections, http2 } = this.#settings
    const kept = this.#kept - this.#lines.size
    switch (this.#protocol) {
      case undefined:
        return this.#waiting.size > 0 || kept > 0 ? 1 : 0
      case "1.1":
        return Math.min(this.#waiting.size, connections - this.#lines.size)
      case "2": {
        if (http2 === undefined) return 0
        const needed = Math.ceil(this.#waiting.size / http2.maxConcurrentStreams)
        return Math.max(kept, Math.min(needed, http2.connections - this.#answering()))
      }
    }
  }

  #grow(): void {
    if (this.#isDestroyed || this.#isPaused) return
    for (let wanted = this.#wanted() - this.#opening; wanted > 0; wanted--) {
      this.#opening++
      this.#connector.connect((...result) => {
        this.#opening--
        if (result[0] === null) this.#onConnected(result[1])
        else this.#onRefused(result[0])
      })
    }
  }

  #onConnected(socket: Socket): void {
    if (this.#isDestroyed || socket.destroyed) {
      socket.destroy()
      return this.#drain()
    }
    const agreed = Connector.protocolOf(socket)
    this.#agree(agreed)
    if (agreed === "2") {
      for (const line of this.#lines) if (line.isSuspect()) line.retire()
    }
    this.#lines.add(this.#line(agreed, socket))
    this.#drain()
    this.#rest()
  }

  #line(agreed: Connector.Protocol, socket: Socket): Line {
    const { http2 } = this.#settings
    const events: Events = {
      onChange: () => {
        this.#drain()
        this.#rest()
        if (line.inFlight() === 0) this.#ending.delete(line)
      },
      onUnsent: (call, error) => this.#again(call, error),
      onLost: () => {
        if (!this.#lines.delete(line)) return
        if (line.inFlight() > 0) this.#ending.add(line)
        if (this.#waiting.size > 0) this.#drain()
        else if (this.#kept > 0) this.#pause()
      }
    }
    const line =
      agreed === "2" && http2 !== undefined
        ? Http2Line.make(socket, this.#target, this.#settings, http2, events)
        : Http1Line.make(socket, this.#target, this.#settings, events)
    return line
  }

  #again(call: Call, error: Error): void {
    if (call.sendings >= MAX_SENDINGS || this.#isDestroyed) return call.onError(error)
    this.#waiting.add(call)
    queueMicrotask(() => this.#drain())
  }

  /** A failed handshake fails its share of the waiting calls; the last one fails all of them. */
  #onRefused(error: Error): void {
    if (this.#answering() === 0) this.#fail(Math.ceil(this.#waiting.size / (this.#opening + 1)), error)
    if (this.#waiting.size > 0 || this.#kept > 0) this.#pause()
  }

  #fail(count: number, error: Error): void {
    const calls = [...this.#waiting].slice(0, count)
    for (const call of calls) this.#waiting.delete(call)
    for (const call of calls) call.onError(error)
  }

  #pause(): void {
    if (this.#isPaused || this.#isDestroyed) return
    this.#isPaused = true
    this.#pauseTimer = setTimeout(() => {
      this.#isPaused = false
      this.#drain()
    }, Connector.REWARM_AFTER).unref()
  }

  /** Closes idle HTTP/2 sessions; undici closes idle HTTP/1.1 connections. */
  #rest(): void {
    if (this.#protocol !== "2" || this.#kept > 0 || !this.#isIdle()) return
    this.#idleSince = performance.now()
    this.#idleTimer ??= setTimeout(this.#closeIdle, this.#idleFor).unref()
  }

  readonly #closeIdle = (): void => {
    this.#idleTimer = undefined
    if (this.#isDestroyed || !this.#isIdle()) return
    const left = this.#idleSince + this.#idleFor - performance.now()
    if (left > 0) this.#idleTimer = setTimeout(this.#closeIdle, Math.ceil(left)).unref()
    else for (const line of this.#lines) line.retire()
  }

  #isIdle(): boolean {
    for (const line of this.#lines) if (line.inFlight() > 0) return false
    return true
  }
}

const send = (line: Line, call: Call): void => {
  call.sendings++
  line.send(call)
}
