/**
 * The options of the undici layer and what they come to.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import type * as RpcPool from "../../services/RpcPool.js"
import { InvalidInput } from "../../src/InvalidInput.js"

/**
 * One endpoint over undici.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends RpcPool.Options {
  /** `http:` or `https:` URL of the node; redacted, since its path or query may hold an API key. */
  readonly url: Redacted.Redacted
  /**
   * `ws:` or `wss:` URL for subscriptions. Default: `url` with the scheme for WebSockets and, where `url` names a
   * port, the next one: 8899 gives 8900, as a validator listens.
   */
  readonly wsUrl?: Redacted.Redacted | undefined
  /** Headers of every request and of the WebSocket's opening, e.g. `authorization`. Default: none. */
  readonly headers?: { readonly [name: string]: Redacted.Redacted } | undefined
  /**
   * Connections at most. Default: 16. Too low: calls on HTTP/1.1 wait for one another (16 connections carry about
   * 680 calls a second at 20 ms). Too high: providers refuse connections, and each costs a handshake. Over HTTP/2 one
   * connection carries 100 calls at once.
   */
  readonly connections?: number | undefined
  /**
   * To open a connection, TLS included. Default: 10 seconds. Too low: slow networks cannot connect. Too high: a dead
   * host is noticed late.
   */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /**
   * From the request to the first byte of its reply, and from a subscribe call to its answer. Default: 30 seconds. Too
   * low: heavy calls (getProgramAccounts) fail while the node works on them. Too high: a silent node is noticed late.
   */
  readonly headersTimeout?: Duration.DurationInput | undefined
  /**
   * Between two pieces of a reply. Default: 30 seconds. Too low: large replies break off on slow links. Too high: a
   * stalled reply holds its connection.
   */
  readonly bodyTimeout?: Duration.DurationInput | undefined
  /**
   * How long an idle connection is kept. Default: 19 seconds, one below the 20 after which Agave closes it. Too low:
   * more handshakes. Too high: requests are sent into connections that the server just closed.
   */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined
  /**
   * Bytes of a reply, after decompression too. Default: 64 MiB, about 300,000 small accounts. Too low:
   * getProgramAccounts fails. Too high: a hostile node can fill the memory.
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * Bytes of one notification. Default: 16 MiB, which holds the largest account (10 MiB) as base64. Too low: the
   * socket is lost when such an account changes. Too high: a hostile node can fill the memory.
   */
  readonly maxNotificationBytes?: number | undefined
  /**
   * Notifications held for a subscriber that is slower than they come. Default: 1024. When they are full its Stream
   * fails with `Overflow`, after it has read them. Too low: bursts (a busy program) end the Stream. Too high: a slow
   * subscriber takes that many times a notification's size in memory.
   */
  readonly subscriptionBuffer?: number | undefined
}

/**
 * The options with their defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  readonly headers: Record.ReadonlyRecord<string, string>
  readonly connections: number
  readonly connectTimeout: Duration.Duration
  readonly headersTimeout: Duration.Duration
  readonly bodyTimeout: Duration.Duration
  readonly keepAliveTimeout: Duration.Duration
  readonly maxReplyBytes: number
  readonly maxNotificationBytes: number
  readonly subscriptionBuffer: number
}

/** Node's own limit of a timer, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/

const count = (field: string, value: number): Either.Either<number, InvalidInput> =>
  Number.isSafeInteger(value) && value >= 1
    ? Either.right(value)
    : Either.left(new InvalidInput({ field, rule: "must be a whole number of at least 1", size: value }))

const timeout = (field: string, input: Duration.DurationInput): Either.Either<Duration.Duration, InvalidInput> => {
  const duration = Duration.decode(input)
  const millis = Duration.toMillis(duration)
  return millis >= 1 && millis <= MAX_TIMEOUT
    ? Either.right(duration)
    : Either.left(new InvalidInput({ field, rule: `must be between 1 and ${MAX_TIMEOUT} milliseconds`, size: millis }))
}

const headers = (
  input: NonNullable<Options["headers"]>
): Either.Either<Record.ReadonlyRecord<string, string>, InvalidInput> => {
  const values = Record.map(input, Redacted.value)
  const isValid = Object.entries(values).every(([name, value]) => TOKEN.test(name) && HEADER_TEXT.test(value))
  return isValid
    ? Either.right(values)
    : Either.left(new InvalidInput({ field: "headers", rule: "must be HTTP header names and values" }))
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Either.Either<Settings, InvalidInput> =>
  Either.all({
    headers: headers(options.headers ?? {}),
    connections: count("connections", options.connections ?? 16),
    connectTimeout: timeout("connectTimeout", options.connectTimeout ?? "10 seconds"),
    headersTimeout: timeout("headersTimeout", options.headersTimeout ?? "30 seconds"),
    bodyTimeout: timeout("bodyTimeout", options.bodyTimeout ?? "30 seconds"),
    keepAliveTimeout: timeout("keepAliveTimeout", options.keepAliveTimeout ?? "19 seconds"),
    maxReplyBytes: count("maxReplyBytes", options.maxReplyBytes ?? 64 * 1024 * 1024),
    maxNotificationBytes: count("maxNotificationBytes", options.maxNotificationBytes ?? 16 * 1024 * 1024),
    subscriptionBuffer: count("subscriptionBuffer", options.subscriptionBuffer ?? 1024)
  })
