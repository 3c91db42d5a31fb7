/**
 * An HTTP/2 session over Node's client.
 *
 * Server failures and their handling:
 * - It does not answer: the line sends a PING if it received nothing for a second while calls wait, and at each
 *   interval. While the PING is unanswered, the line is suspect; after `stallTimeout` it destroys the session.
 * - It accepts no stream, or no byte of a body: the line is suspect after a second. After `stallTimeout` the line
 *   retires, and calls with an unsent body go to another line.
 * - It refuses a stream, or sends GOAWAY with a lower last stream: the server did not process the call, which goes to
 *   another line. The line waits for calls up to the last stream.
 * - It breaks the protocol: Node destroys the session.
 *
 * Any received frame counts as an answer to the PING. A late timer (a stalled event loop, a suspended machine) blames
 * no server: the waits restart.
 */
import * as Http2 from "node:http2"
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import { errors } from "undici"
import type { Call, Events, Line, Target } from "./Line.js"
import type { Http2Settings, Settings } from "./Settings.js"

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = Http2.constants

/** Milliseconds of silence after which the line sends a PING and calls avoid it. */
const SILENCE = 1000

/** Maximum memory of a session's streams in MiB, by Node's count. Above it Node refuses streams. */
const MAX_SESSION_MEMORY = 128

/** A call and its stream. */
interface Sending {
  readonly call: Call
  readonly since: number
}

export const make = (
  socket: Socket,
  target: Target,
  settings: Settings,
  { connectionWindowSize, initialWindowSize, maxConcurrentStreams, ...http2 }: Http2Settings,
  events: Events
): Line => {
  const headersTimeout = Duration.toMillis(settings.headersTimeout)
  const bodyTimeout = Duration.toMillis(settings.bodyTimeout)
  const pingInterval = Duration.toMillis(http2.pingInterval)
  const stallTimeout = Duration.toMillis(http2.stallTimeout)
  const silence = Math.min(SILENCE, stallTimeout / 2)
  const tick = Math.max(1, Math.min(silence, pingInterval))

  const session = Http2.connect(target.origin, {
    createConnection: () => socket,
    maxSessionMemory: MAX_SESSION_MEMORY,
    peerMaxConcurrentStreams: maxConcurrentStreams,
    settings: { enablePush: false, initialWindowSize }
  })

  let inFlight = 0
  let isRetired = false
  let isLost = false
  /** The highest stream that the server will answer, after GOAWAY. */
  let lastStream = Infinity
  /** Calls with an unsent body, oldest first. */
  const unsent = new Map<Http2.ClientHttp2Stream, Sending>()

  let heardAt = performance.now()
  let pingedAt = heardAt
  let isPinged = false
  let blockedAt: number | undefined
  let tickedAt = heardAt

  /** Records a frame that Node understood. After a protocol error Node continues to read but ignores the data. */
  const hear = () => {
    heardAt = performance.now()
    isPinged = false
  }

  const ping = (now: number) => {
    if (session.destroyed) return
    pingedAt = now
    isPinged = true
    session.ping((error) => {
      if (error === null) hear()
    })
  }

  const allowed = () => Math.min(maxConcurrentStreams, session.remoteSettings?.maxConcurrentStreams ?? Infinity)
  const isClosed = () => isRetired || session.closed || session.destroyed

  /** Milliseconds since the server last accepted data. */
  const stalledFor = (now: number): number => {
    const [oldest] = unsent.values()
    return Math.max(blockedAt === undefined ? 0 : now - blockedAt, oldest === undefined ? 0 : now - oldest.since)
  }

  const isSuspect = () => {
    const now = performance.now()
    return (isPinged && now - pingedAt > silence) || stalledFor(now) > silence
  }

  const lose = (why: Error) => {
    if (!session.destroyed) session.destroy(why)
    lost()
  }

  const lost = () => {
    if (isLost) return
    isLost = true
    events.onLost()
  }

  const retire = () => {
    isRetired = true
    if (!session.closed && !session.destroyed) session.close()
    lost()
  }

  /** Returns the calls that the server has not accepted; the others stay. */
  const giveUp = () => {
    for (const stream of unsent.keys()) stream.close(NGHTTP2_REFUSED_STREAM)
    retire()
  }

  const watch = () => {
    const now = performance.now()
    const isLate = now - tickedAt > 2 * tick + silence
    tickedAt = now
    if (session.destroyed) return
    if (allowed() > 0) blockedAt = undefined
    else blockedAt ??= now
    if (isLate) {
      if (isPinged) pingedAt = now
      if (blockedAt !== undefined) blockedAt = now
      heardAt = now
      return
    }
    if (isPinged && now - pingedAt > stallTimeout) return lose(new Error("the server did not answer a PING of HTTP/2"))
    const isSilent = inFlight > 0 && now - heardAt > silence
    if (!isPinged && (isSilent || now - pingedAt >= pingInterval)) ping(now)
    if (!isRetired && stalledFor(now) > stallTimeout) giveUp()
    else if (isSuspect()) events.onChange()
  }

  const watching = setInterval(watch, tick).unref()

  session.on("error", () => undefined)
  session.on("connect", () => {
    if (!session.destroyed) session.setLocalWindowSize(connectionWindowSize)
  })
  session.on("remoteSettings", events.onChange)
  session.on("goaway", (_, last) => {
    lastStream = last
    lost()
  })
  session.on("close", () => {
    clearInterval(watching)
    lost()
  })
  socket.on("error", () => undefined)
  socket.once("close", () => lose(new Error("the server closed the connection")))
  session.unref()

  const open = (call: Call): Http2.ClientHttp2Stream | Error => {
    try {
      return session.request({
        ...target.headers,
        ":method": "POST",
        ":path": target.path,
        "content-length": Buffer.byteLength(call.body)
      })
    } catch (error) {
      return error instanceof Error ? error : new Error("the HTTP/2 session accepts no calls")
    }
  }

  const send = (call: Call) => {
    const stream = open(call)
    if (stream instanceof Error) return events.onUnsent(call, stream)
    let isAnswered = false
    let isEnded = false
    let failure: Error | undefined

    const end = (tell: () => void) => {
      if (isEnded) return
      isEnded = true
      tell()
    }
    const timeOut = () => {
      const why = isAnswered ? new errors.BodyTimeoutError() : new errors.HeadersTimeoutError()
      end(() => call.onError(why))
      stream.close(NGHTTP2_CANCEL)
    }

    if (inFlight++ === 0) session.ref()
    unsent.set(stream, { call, since: performance.now() })
    call.onStart(() => {
      isEnded = true
      stream.close(NGHTTP2_CANCEL)
    })
    stream.setTimeout(headersTimeout, timeOut)
    stream.on("response", (headers) => {
      hear()
      isAnswered = true
      stream.setTimeout(bodyTimeout, timeOut)
      if (!isEnded) call.onHead(headers[":status"] ?? 0, headers)
    })
    stream.on("data", (chunk: Buffer) => {
      hear()
      if (!isEnded) call.onData(chunk)
    })
    stream.on("end", () => {
      if (isAnswered) end(() => call.onEnd())
    })
    stream.on("error", (error) => {
      failure = error
    })
    stream.on("close", () => {
      const isUnsent =
        unsent.delete(stream) || stream.rstCode === NGHTTP2_REFUSED_STREAM || (stream.id ?? 0) > lastStream
      if (--inFlight === 0 && !session.destroyed) session.unref()
      end(() => {
        const error = failure ?? new Error("the server ended the call before its reply was complete")
        if (isUnsent && !isAnswered) events.onUnsent(call, error)
        else call.onError(error)
      })
      events.onChange()
    })
    stream.end(call.body, () => unsent.delete(stream))
  }

  return {
    protocol: "2",
    free: () => (isClosed() ? 0 : Math.max(0, allowed() - inFlight)),
    inFlight: () => inFlight,
    isSuspect,
    send,
    retire,
    destroy: () => {
      clearInterval(watching)
      session.destroy()
      lost()
    }
  }
}
