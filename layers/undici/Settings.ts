/** The options of the undici layer and what they come to. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Record from "effect/Record"
import type * as Redacted from "effect/Redacted"
import * as Check from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as ReplyLimits from "../../services/wire/ReplyLimits.js"
import * as Headers from "../internal/Headers.js"

/** The sockets of one endpoint. */
export interface Options {
  /**
   * `http:` or `https:` URL of the node, or `localhost`, `devnet`, `testnet` or `mainnet-beta`. Its path or query may hold
   * an API key: a plain text is redacted as soon as it is taken, and nothing but the host is ever shown.
   */
  readonly url: string | Redacted.Redacted
  /**
   * `ws:` or `wss:` URL for subscriptions. Default: `url` with the scheme for WebSockets and, where `url` names a
   * port, the next one: 8899 gives 8900, as a validator listens.
   */
  readonly wsUrl?: string | Redacted.Redacted | undefined
  /** Headers of every request and of the WebSocket's opening, e.g. `authorization`. Plain texts are redacted as in `url`. Default: none. */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  /**
   * PEM certificates of the authorities that are trusted, instead of those that Node knows. Default: Node's. For clusters
   * of one's own.
   */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /**
   * Connections at most, over HTTP/1.1; for HTTP/2 see `http2`. Default: 16. Too low: calls wait for one another (16
   * connections carry about 680 calls a second at 20 ms). Too high: providers refuse connections, and each costs a
   * handshake.
   */
  readonly connections?: number | undefined
  /**
   * Connections that are kept open and ready from the start on: over HTTP/1.1 beside those in use, over HTTP/2 in all; one
   * that is taken or lost is replaced. Default: 0. Too low: the first calls of a burst wait for handshakes. Too high:
   * connections that nobody uses, which servers close after a while and which are made again.
   */
  readonly minIdleConnections?: number | undefined
  /**
   * To open a connection, TLS included. Default: 10 seconds. Too low: slow networks cannot connect. Too high: a dead
   * host is noticed late.
   */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /**
   * From the call to the last byte of its reply, the wait for a connection included. Default: 60 seconds. Too low: heavy
   * calls (getProgramAccounts) fail while the node works on them. Too high: a reply that trickles holds its caller.
   */
  readonly requestTimeout?: Duration.DurationInput | undefined
  /**
   * From the request to the first byte of its reply, and from a subscribe call to its answer; above a second it is kept to
   * half a second. Default: 30 seconds. Too low: heavy calls (getProgramAccounts) fail while the node works on them. Too
   * high: a silent node is noticed late.
   */
  readonly headersTimeout?: Duration.DurationInput | undefined
  /**
   * Between two pieces of a reply; above a second it is kept to half a second. Default: 30 seconds. Too low: large replies
   * break off on slow links. Too high: a stalled reply holds its connection.
   */
  readonly bodyTimeout?: Duration.DurationInput | undefined
  /**
   * How long an idle connection is kept. Default: 19 seconds, one below the 20 after which Agave closes it. Too low:
   * more handshakes. Too high: requests are sent into connections that the server just closed.
   */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined
  /**
   * How often a silent connection is asked for a sign of life: by TCP on HTTP/1.1 (whole seconds), by PING frames on HTTP/2
   * and WebSockets. Default: 15 seconds. A WebSocket that stays silent until the next time is lost. Too low: traffic for
   * nothing, and slow networks lose their sockets. Too high: NAT forgets the connection and its death is noticed late.
   */
  readonly keepAliveInterval?: Duration.DurationInput | undefined
  /** How HTTP/2 is spoken where an `https:` server offers it, or `false` for HTTP/1.1 alone. */
  readonly http2?: Http2Options | false | undefined
  /**
   * Bytes of a reply, after decompression too. Default: 64 MiB, about 300,000 small accounts. Too low:
   * getProgramAccounts fails. Too high: a hostile node can fill the memory. At most 511 MiB.
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * The same for methods whose replies are small, as getSlot, getLatestBlockhash, getSignatureStatuses and
   * sendTransaction; 16 times as many for getTransaction and getSignaturesForAddress, and an array of calls may take the
   * sum, all within `maxReplyBytes`. Default: 128 KiB. Too low: errors with long logs are not read. Too high: a hostile
   * node costs memory and time with each call.
   */
  readonly maxSmallReplyBytes?: number | undefined
  /**
   * Bytes of one notification. Default: 16 MiB, which holds the largest account (10 MiB) as base64. Too low: the
   * socket is lost when such an account changes. Too high: a hostile node can fill the memory.
   */
  readonly maxNotificationBytes?: number | undefined
  /**
   * Notifications held for a subscriber that is slower than they come. Default: 1024. When more wait its Stream fails with
   * `Overflow`, after it has read them. Too low: bursts (a busy program) end the Stream. Too high: only
   * `subscriptionBufferBytes` bounds them.
   */
  readonly subscriptionBuffer?: number | undefined
  /**
   * Bytes of the notifications that are held for one subscriber; a single one may be larger. Default: 8 MiB. When more wait
   * its Stream fails with `Overflow`. Too low: bursts end the Stream. Too high: a hostile node can fill the memory.
   */
  readonly subscriptionBufferBytes?: number | undefined
  /**
   * Subscriptions on one WebSocket; one more opens another. Default: 100, what the public mainnet endpoint takes. Too low:
   * many sockets. Too high: the provider refuses subscriptions or closes the socket.
   */
  readonly subscriptionsPerSocket?: number | undefined
}

/** HTTP/2, which carries many calls on one connection. The server is never allowed to push. */
export interface Http2Options {
  /**
   * Connections at most. Default: 2, so that one that is lost does not stop everything. Too low: one lost packet holds up
   * all calls. Too high: handshakes for nothing.
   */
  readonly connections?: number | undefined
  /**
   * Calls on one connection at once; the server's own limit holds too. Default: 100, what most servers allow. Too low:
   * calls wait for one another. Too high: the server refuses streams.
   */
  readonly maxConcurrentStreams?: number | undefined
  /**
   * Bytes of one reply that the server may send ahead of what was read. Default: 1 MiB. Too low: large replies (accounts of a
   * program) take a round trip for each window. Too high: so much memory for each call of a server that floods. At most
   * 2^31 - 1.
   */
  readonly initialWindowSize?: number | undefined
  /** The same for all replies of a connection together. Default: 16 MiB, too low and too high likewise. */
  readonly connectionWindowSize?: number | undefined
  /** Between two PING frames. Default: `keepAliveInterval`, too low and too high as there. */
  readonly pingInterval?: Duration.DurationInput | undefined
  /**
   * For how long a connection may leave a PING unanswered, allow no call, or take no byte of one, before another takes its
   * place; from a second on, or half of it where that is shorter, new calls avoid it. Default: 5 seconds. Too low: slow
   * networks lose connections that work. Too high: calls wait on a dead connection.
   */
  readonly stallTimeout?: Duration.DurationInput | undefined
  /** Refused: undici leaves it at 16 KiB, the protocol's default. */
  readonly maxFrameSize?: number | undefined
  /** Refused: undici does not adapt windows. A larger `initialWindowSize` has the effect. */
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

/** The options with their defaults. */
export interface Settings {
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
  /** Absent where HTTP/2 is not wanted. */
  readonly http2: Http2Settings | undefined
  readonly maxReplyBytes: number
  readonly maxSmallReplyBytes: number
  readonly maxNotificationBytes: number
  readonly subscriptionBuffer: number
  readonly subscriptionBufferBytes: number
  readonly subscriptionsPerSocket: number
}

/** Node's own limit of a timer, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1

/** The largest window of HTTP/2. */
const MAX_WINDOW = 2 ** 31 - 1

const MEBIBYTE = 1024 * 1024

/** More bytes may be a longer text than V8 makes: it would throw in a callback of the socket. */
const MAX_TEXT = 511 * MEBIBYTE

const count = (field: string, value: number, min = 1, max?: number): Either.Either<number, InvalidInput> =>
  Check.integer(field, value, min, max)

const timeout = (field: string, input: Duration.DurationInput): Either.Either<Duration.Duration, InvalidInput> =>
  Either.map(Check.millisBetween(field, input, 1, MAX_TIMEOUT), Duration.millis)

const unsupported = (field: string, value: unknown): Either.Either<void, InvalidInput> =>
  value === undefined
    ? Either.void
    : Either.left(new InvalidInput({ field, rule: "must be left out: undici cannot honour it" }))

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

/** Fills in the defaults and checks what was given. */
export const make = (options: Options): Either.Either<Settings, InvalidInput> =>
  Either.gen(function* () {
    const connections = yield* count("connections", options.connections ?? 16)
    const keepAliveInterval = options.keepAliveInterval ?? "15 seconds"
    return {
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
      http2: yield* http2(options.http2, keepAliveInterval),
      maxReplyBytes: yield* count("maxReplyBytes", options.maxReplyBytes ?? 64 * MEBIBYTE, 1, MAX_TEXT),
      maxSmallReplyBytes: yield* count("maxSmallReplyBytes", options.maxSmallReplyBytes ?? ReplyLimits.SMALL),
      maxNotificationBytes: yield* count(
        "maxNotificationBytes",
        options.maxNotificationBytes ?? 16 * MEBIBYTE,
        1,
        MAX_TEXT
      ),
      subscriptionBuffer: yield* count("subscriptionBuffer", options.subscriptionBuffer ?? 1024),
      subscriptionBufferBytes: yield* count("subscriptionBufferBytes", options.subscriptionBufferBytes ?? 8 * MEBIBYTE),
      subscriptionsPerSocket: yield* count("subscriptionsPerSocket", options.subscriptionsPerSocket ?? 100)
    }
  })
