/** The options of the undici layer, and their defaults and checks. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Record from "effect/Record"
import type * as Redacted from "effect/Redacted"
import * as WireTransport from "../../services/wire/WireTransport.js"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Headers from "../internal/Headers.js"
import type * as Url from "../internal/Url.js"

/**
 * The connections to one endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Url.Options, WireTransport.Options {
  /**
   * Headers of every request and of the WebSocket handshake, such as `authorization`. Plain texts are redacted as for
   * `url`. Default: none.
   */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  /** PEM certificates of the trusted authorities, in place of Node's. Default: Node's. It is for private clusters. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /**
   * Maximum HTTP/1.1 connections; for HTTP/2 see `http2`. Default: 16. Too low: calls wait for one another (16
   * connections carry about 680 calls a second at 20 ms). Too high: providers refuse connections, and each costs a
   * handshake.
   */
  readonly connections?: number | undefined
  /**
   * Connections kept open and ready from the start: with HTTP/1.1 besides those in use, with HTTP/2 in total. A used or
   * lost connection is replaced. Default: 0. Too low: the first calls of a burst wait for handshakes. Too high: servers
   * close the unused connections after a while, and each is opened again.
   */
  readonly minIdleConnections?: number | undefined
  /**
   * Time limit for opening a connection, TLS included. Default: 10 seconds. Too low: slow networks cannot connect. Too
   * high: a dead host is detected late.
   */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /**
   * Time limit from a call to the last byte of its reply, including the wait for a connection. Default: 60 seconds. Too
   * low: slow calls (getProgramAccounts) fail while the node works on them. Too high: a trickling reply occupies its
   * caller.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * Time limit from a request to the first byte of its reply, and from a subscribe call to its answer. Values above a
   * second are accurate to half a second. Default: 30 seconds. Too low: slow calls (getProgramAccounts) fail while the
   * node works on them. Too high: a silent node is detected late.
   */
  readonly headersTimeout?: Duration.DurationInput | undefined
  /**
   * Time limit between two chunks of a reply. Values above a second are accurate to half a second. Default: 30 seconds.
   * Too low: large replies fail on slow links. Too high: a stalled reply occupies its connection.
   */
  readonly bodyTimeout?: Duration.DurationInput | undefined
  /**
   * Time for which an idle connection is kept. Default: 19 seconds, one below the 20 after which Agave closes it. Too
   * low: more handshakes. Too high: requests go to connections that the server has just closed.
   */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined
  /**
   * Interval of keep-alive probes on a silent connection: TCP probes on HTTP/1.1 (whole seconds), PING frames on HTTP/2
   * and WebSockets. Default: 15 seconds. A WebSocket that stays silent for a further interval is lost. Too low:
   * needless traffic, and slow networks lose their sockets. Too high: NAT drops the connection and its loss is detected
   * late.
   */
  readonly keepAliveInterval?: Duration.DurationInput | undefined
  /** Options of HTTP/2, which is used if an `https:` server offers it. Default: `{}`. `false`: only HTTP/1.1. */
  readonly http2?: Http2Options | false | undefined
}

/** Options of HTTP/2, which carries many calls on one connection. Server push is always disabled. */
export interface Http2Options {
  /**
   * Maximum connections. Default: 2, so that the loss of one does not stop all calls. Too low: one lost packet delays
   * all calls. Too high: needless handshakes.
   */
  readonly connections?: number | undefined
  /**
   * Maximum concurrent calls on one connection; the server's own limit also applies. Default: 100, the limit of most
   * servers. Too low: calls wait for one another. Too high: the server refuses streams.
   */
  readonly maxConcurrentStreams?: number | undefined
  /**
   * Flow-control window of one reply: bytes that the server may send ahead of reads. Default: 1 MiB. Too low: large
   * replies (accounts of a program) take a round trip for each window. Too high: a flooding server costs this much
   * memory per call. At most 2^31 - 1.
   */
  readonly initialWindowSize?: number | undefined
  /**
   * Flow-control window of all replies of a connection together. Default: 16 MiB. Too low and too high as for
   * `initialWindowSize`.
   */
  readonly connectionWindowSize?: number | undefined
  /** Interval between two PING frames. Default: `keepAliveInterval`. Too low and too high as there. */
  readonly pingInterval?: Duration.DurationInput | undefined
  /**
   * Time for which a connection may leave a PING unanswered, accept no call, or accept no byte of one, before another
   * replaces it. After a second, or half of this time if that is shorter, new calls avoid it. Default: 5 seconds. Too
   * low: slow networks lose working connections. Too high: calls wait on a dead connection.
   */
  readonly stallTimeout?: Duration.DurationInput | undefined
  /** Refused: undici keeps it at 16 KiB, the protocol's default. */
  readonly maxFrameSize?: number | undefined
  /** Refused: undici does not adapt windows. A larger `initialWindowSize` has the same effect. */
  readonly adaptiveWindow?: boolean | undefined
}

export interface Http2Settings {
  readonly connections: number
  readonly maxConcurrentStreams: number
  readonly initialWindowSize: number
  readonly connectionWindowSize: number
  readonly pingInterval: Duration.Duration
  readonly stallTimeout: Duration.Duration
}

/** The options with defaults applied. */
export interface Settings extends WireTransport.Settings {
  readonly headers: Record.ReadonlyRecord<string, string>
  readonly ca: Array<string> | undefined
  readonly connections: number
  readonly minIdleConnections: number
  readonly connectTimeout: Duration.Duration
  readonly requestTimeout: Duration.Duration
  readonly headersTimeout: Duration.Duration
  readonly bodyTimeout: Duration.Duration
  readonly keepAliveTimeout: Duration.Duration
  readonly keepAliveInterval: Duration.Duration
  /** Undefined if HTTP/2 is disabled. */
  readonly http2: Http2Settings | undefined
}

/** Maximum delay of a Node timer, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1

/** The largest window of HTTP/2. */
const MAX_WINDOW = 2 ** 31 - 1

const MEBIBYTE = 1024 * 1024

const count = (field: string, value: number, min = 1, max?: number): Either.Either<number, InvalidInput> =>
  Check.integer(field, value, min, max)

const timeout = (field: string, input: Duration.DurationInput): Either.Either<Duration.Duration, InvalidInput> =>
  Either.map(Check.millisBetween(field, input, 1, MAX_TIMEOUT), Duration.millis)

const unsupported = (field: string, value: unknown): Either.Either<void, InvalidInput> =>
  value === undefined
    ? Either.void
    : Either.left(new InvalidInput({ field, rule: "must be omitted: undici does not support it" }))

const http2 = (
  options: Http2Options | false | undefined,
  keepAliveInterval: Duration.DurationInput
): Either.Either<Http2Settings | undefined, InvalidInput> =>
  options === false
    ? Either.right(undefined)
    : Either.gen(function* () {
        yield* unsupported("http2.maxFrameSize", options?.maxFrameSize)
        yield* unsupported("http2.adaptiveWindow", options?.adaptiveWindow)
        return {
          connections: yield* count("http2.connections", options?.connections ?? 2),
          maxConcurrentStreams: yield* count("http2.maxConcurrentStreams", options?.maxConcurrentStreams ?? 100),
          initialWindowSize: yield* count(
            "http2.initialWindowSize",
            options?.initialWindowSize ?? MEBIBYTE,
            1,
            MAX_WINDOW
          ),
          connectionWindowSize: yield* count(
            "http2.connectionWindowSize",
            options?.connectionWindowSize ?? 16 * MEBIBYTE,
            1,
            MAX_WINDOW
          ),
          pingInterval: yield* timeout("http2.pingInterval", options?.pingInterval ?? keepAliveInterval),
          stallTimeout: yield* timeout("http2.stallTimeout", options?.stallTimeout ?? "5 seconds")
        }
      })

/** Applies the defaults and checks the options. */
export const make = (options: Options): Either.Either<Settings, InvalidInput> =>
  Either.gen(function* () {
    const connections = yield* count("connections", options.connections ?? 16)
    const keepAliveInterval = options.keepAliveInterval ?? "15 seconds"
    return {
      ...(yield* WireTransport.settings(options)),
      headers: yield* Headers.make(options.headers),
      ca: options.ca === undefined ? undefined : [options.ca].flat(),
      connections,
      minIdleConnections: yield* count("minIdleConnections", options.minIdleConnections ?? 0, 0, connections),
      connectTimeout: yield* timeout("connectTimeout", options.connectTimeout ?? "10 seconds"),
      requestTimeout: yield* timeout("requestTimeout", options.requestTimeout ?? "60 seconds"),
      headersTimeout: yield* timeout("headersTimeout", options.headersTimeout ?? "30 seconds"),
      bodyTimeout: yield* timeout("bodyTimeout", options.bodyTimeout ?? "30 seconds"),
      keepAliveTimeout: yield* timeout("keepAliveTimeout", options.keepAliveTimeout ?? "19 seconds"),
      keepAliveInterval: yield* timeout("keepAliveInterval", keepAliveInterval),
      http2: yield* http2(options.http2, keepAliveInterval)
    }
  })
