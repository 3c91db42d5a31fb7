/**
 * The connections to one endpoint: few that carry many calls over HTTP/2, or many that carry one each over HTTP/1.1, as
 * the server speaks.
 *
 * Over TLS nobody knows before the first handshake. So the first call opens one connection and the others wait for what it
 * finds out, lest a burst open as many connections as HTTP/1.1 needs.
 *
 * @since 0.1.0
 */
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Client, Pool } from "undici"
import type { buildConnector, Dispatcher } from "undici"
import * as Connector from "./Connector.js"
import type { Endpoint } from "../internal/Url.js"
import type { Http2Settings, Settings } from "./Settings.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Connections {
  readonly dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void
  /** To be called when a dispatched call has come to its end. */
  readonly done: () => void
  /** What the server speaks, once that is known. */
  readonly protocol: () => Connector.Protocol | undefined
}

/**
 * Opens nothing before the first call, but for what is to be kept ready. Closed with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (endpoint: Endpoint, settings: Settings): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.flatMap(Connector.make(endpoint, settings), (connector) => {
    const http2 = endpoint.isSecure ? settings.http2 : undefined
    return Effect.acquireRelease(
      Effect.sync(() =>
        http2 === undefined ? plain(endpoint, settings, connector) : either(endpoint, settings, http2, connector)
      ),
      ({ destroy }) => Effect.promise(destroy)
    )
  })

const TAKEN_BACK = new Error("taken back before it was sent")

interface Owned extends Connections {
  readonly destroy: () => Promise<unknown>
}

const clientOptions = (settings: Settings): Client.Options => ({
  headersTimeout: Duration.toMillis(settings.headersTimeout),
  bodyTimeout: Duration.toMillis(settings.bodyTimeout),
  keepAliveTimeout: Duration.toMillis(settings.keepAliveTimeout)
})

const plain = ({ url }: Endpoint, settings: Settings, { connect, keepReady }: Connector.Connector): Owned => {
  keepReady()
  const pool = new Pool(Redacted.value(url).origin, {
    ...clientOptions(settings),
    connect,
    connections: settings.connections,
    pipelining: 1
  })
  return {
    dispatch: (options, handler) => void pool.dispatch(options, handler),
    done: () => undefined,
    protocol: () => "1.1",
    destroy: () => pool.destroy()
  }
}

const either = (
  { url }: Endpoint,
  settings: Settings,
  http2: Http2Settings,
  { connect, keepReady }: Connector.Connector
): Owned => {
  const { origin } = Redacted.value(url)
  const idle = Duration.toMillis(settings.keepAliveTimeout)
  let protocol: Connector.Protocol | undefined
  const kept = Math.min(settings.minIdleConnections, http2.connections)
  let sessions = 0
  let isScouting = false
  let waiting: Array<() => void> = []
  let inFlight = 0
  let idleSince = 0
  let idleTimer: NodeJS.Timeout | undefined
  let warmTimer: NodeJS.Timeout | undefined
  let isDestroyed = false

  const release = () => {
    isScouting = false
    const held = waiting
    waiting = []
    for (const send of held) send()
  }

  const onConnected = (client: Client, socket: Socket) => {
    const agreed = Connector.protocolOf(socket)
    client.pipelining = agreed === "2" ? http2.maxConcurrentStreams : 1
    if (agreed === "2") {
      sessions++
      socket.once("close", () => {
        sessions--
        warmLater()
      })
    }
    if (protocol === agreed) return
    protocol = agreed
    if (agreed === "1.1") {
      renew()
      keepReady()
    }
    release()
  }

  const open = (connections: number): Pool =>
    new Pool(origin, {
      ...clientOptions(settings),
      allowH2: true,
      connections,
      maxConcurrentStreams: http2.maxConcurrentStreams,
      initialWindowSize: http2.initialWindowSize,
      connectionWindowSize: http2.connectionWindowSize,
      pingInterval: Duration.toMillis(http2.pingInterval),
      factory: (origin, options) => {
        const client: Client = new Client(origin, {
          ...options,
          connect: (target: buildConnector.Options, callback: buildConnector.Callback) =>
            connect(target, (...result) => {
              if (result[0] === null) onConnected(client, result[1])
              callback(...result)
            })
        })
        return client
      }
    })

  let few = open(http2.connections)
  const many = open(settings.connections)

  /** Leaves the few to end what they carry. */
  const renew = () => {
    void few.close()
    few = open(http2.connections)
  }

  /** undici closes idle connections of HTTP/1.1 only. */
  const closeIdle = () => {
    idleTimer = undefined
    if (isDestroyed || inFlight > 0) return
    const left = idleSince + idle - performance.now()
    if (left > 0) idleTimer = setTimeout(closeIdle, Math.ceil(left)).unref()
    else renew()
  }

  const scout = () => {
    isScouting = true
    few.once("connectionError", release)
  }

  /** Opens sessions with requests that are taken back before they are sent. */
  const warm = () => {
    if (isDestroyed || protocol === "1.1" || isScouting) return
    for (let nth = sessions; nth < kept; nth++) {
      if (protocol === undefined && !isScouting) scout()
      few.dispatch(
        { path: "/", method: "GET" },
        {
          onRequestStart: (controller) => controller.abort(TAKEN_BACK),
          onResponseError: (_, error) => {
            if (error !== TAKEN_BACK) warmLater()
          }
        }
      )
    }
  }

  const warmLater = () => {
    clearTimeout(warmTimer)
    if (kept > 0 && !isDestroyed) warmTimer = setTimeout(warm, Connector.REWARM_AFTER).unref()
  }

  warm()

  const send = (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) =>
    void (protocol === "1.1" ? many : few).dispatch(options, handler)

  return {
    dispatch: (options, handler) => {
      inFlight++
      if (protocol !== undefined || isDestroyed) return send(options, handler)
      if (isScouting) return void waiting.push(() => send(options, handler))
      scout()
      send(options, handler)
    },
    done: () => {
      inFlight--
      if (inFlight > 0 || kept > 0) return
      idleSince = performance.now()
      idleTimer ??= setTimeout(closeIdle, idle).unref()
    },
    protocol: () => protocol,
    destroy: () => {
      isDestroyed = true
      clearTimeout(idleTimer)
      clearTimeout(warmTimer)
      const ended = Promise.all([few.destroy(), many.destroy()])
      release()
      return ended
    }
  }
}
