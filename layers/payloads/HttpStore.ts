/** The options of a store on payload servers, and the store over an exchange of requests. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { make as makeStore, type Service } from "../../services/PayloadStore.js"
import * as Check from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as SafeText from "../../src/SafeText.js"
import * as Url from "../internal/Url.js"
import type { Exchange } from "./Exchange.js"
import * as Token from "./Token.js"

/**
 * One payload server.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions {
  /** `http:` or `https:` URL of the server, without `/v1/payloads`. Only its host is ever shown. */
  readonly url: string | Redacted.Redacted
  /** The token that the server requires. Plain text is redacted at once. Default: none. Use it only with `https:`. */
  readonly token?: string | Redacted.Redacted | undefined
}

/**
 * Options of a store on one server or several.
 *
 * @since 0.1.0
 * @category models
 */
export interface LimitOptions {
  /**
   * Maximum bytes of one payload, below 4 GiB. Default 16 MiB (16,777,216), as for the server. Too low: larger payloads
   * are `TooLarge`. Too high: a server can fill the memory of a reader.
   */
  readonly maxBytes?: number | undefined
  /**
   * Time from a request to the last byte of its reply. Default 30 seconds. Too low: large payloads fail on slow
   * connections. Too high: a silent server is detected late.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Maximum concurrent requests to one server, 1 to 10,000. Others wait, and fail if the server falls silent. Default
   * 64. Too low: many calls take longer. Too high: they open more connections than the server accepts.
   */
  readonly concurrency?: number | undefined
  /**
   * Retries of an operation after a lost connection, a timeout, or HTTP 408, 429 or 5xx. Default 8, about ten seconds
   * of waiting in total. 0: none. Too low: a restart of the server fails calls. Too high: calls fail late.
   */
  readonly retries?: number | undefined
}

/**
 * A store on one server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ServerOptions, LimitOptions {}

/**
 * A store on several servers.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServersOptions extends LimitOptions {
  /**
   * The servers, at least one and at most 16, in the order in which they are asked. A server that failed or did not
   * answer is asked last for 5 minutes.
   */
  readonly servers: ReadonlyArray<ServerOptions>
  /**
   * Number of servers that must store a payload before `put` succeeds. Default 2, or 1 with one server. Too low: the
   * loss of one server loses payloads. Too high: `put` fails if fewer servers answer.
   */
  readonly copies?: number | undefined
}

const MAX_SERVERS = 16
const MAX_RETRIES = 100
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
/** The longest array of Node.js 20 has one byte more. */
const MOST_BYTES = 2 ** 32 - 1
const MAX_CONCURRENCY = 10_000

/** The checked limits of {@link LimitOptions}. */
export const limits = (options: LimitOptions) =>
  Either.all({
    maxBytes: Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 1, MOST_BYTES),
    timeout: Check.millis("timeout", options.timeout ?? "30 seconds"),
    retries: Check.integer("retries", options.retries ?? 8, 0, MAX_RETRIES),
    concurrency: Check.integer("concurrency", options.concurrency ?? 64, 1, MAX_CONCURRENCY)
  })

const server = (options: ServerOptions, path: string) =>
  Either.gen(function* () {
    const url = yield* Url.http(`${path}url`, options.url)
    const secret = options.token === undefined ? undefined : yield* Token.make(`${path}token`, options.token)
    return {
      host: url.host,
      url: Redacted.make(url),
      token: Option.fromNullable(secret),
      clean: SafeText.redactor([
        ...SafeText.secretsOf(url.href),
        ...(secret === undefined ? [] : [Redacted.value(secret)])
      ])
    }
  })

/** Loaded on use. An application with its own client has loaded these modules already. */
const loaded = Effect.promise(() => Promise.all([import("./Remote.js"), import("./Servers.js")]))

/** Builds the store. `carrier` opens the connections after the options are checked. */
export const make = <R>(
  options: Options | ServersOptions,
  carrier: Effect.Effect<Exchange, never, R>
): Effect.Effect<Service, InvalidInput, R> =>
  Effect.gen(function* () {
    const isList = "servers" in options
    const servers = isList ? options.servers : [options]
    yield* Check.integer("servers", servers.length, 1, MAX_SERVERS)
    const addresses = yield* Either.all(
      servers.map((options, index) => server(options, isList ? `servers[${index}].` : ""))
    )
    const wanted = isList ? options.copies : undefined
    const copies = yield* Check.integer("copies", wanted ?? Math.min(2, servers.length), 1, servers.length)
    const { maxBytes, retries, ...perRequest } = yield* limits(options)
    const [Remote, Servers] = yield* loaded
    const exchange = yield* carrier
    const remotes = addresses.map(({ token, ...address }) =>
      Remote.make({ ...address, protocol: Remote.payloadServer(token) }, exchange, { maxBytes, ...perRequest })
    )
    return makeStore(Servers.make(remotes, { copies, maxBytes, retries }))
  })
