/**
 * The `PayloadStore` on payload servers, over a `HttpClient` of `@effect/platform`: Node, browsers, Deno, edge workers.
 * Agents on several machines share it. `PayloadServer` serves the other end.
 *
 * The wire is `PUT`, `GET`, `HEAD` and `DELETE` of `/v1/payloads/<SHA-256 in hexadecimal>`, with the token as
 * `Authorization: Bearer`. A read verifies the hash of what a server returns: a wrong body is an error, never data.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { make as makeStore, PayloadStore, type Service } from "../services/PayloadStore.js"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Setting from "./internal/Setting.js"
import * as Url from "./internal/Url.js"
import * as Token from "./payloads/Token.js"

/**
 * One payload server.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions {
  /** `http:` or `https:` URL of the server, without `/v1/payloads`. Only its host is ever shown. */
  readonly url: string | Redacted.Redacted
  /** The token that the server asks for. Plain text is redacted at once. Default: none. Use `https:` with it. */
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
   * Maximum bytes of one payload. Default 16 MiB (16,777,216), as for the server. Too low: larger payloads are
   * `TooLarge`. Too high: a server can fill the memory of a reader.
   */
  readonly maxBytes?: number | undefined
  /**
   * Time from a request to the last byte of its reply. Default 30 seconds. Too low: large payloads fail on slow
   * connections. Too high: a silent server is detected late.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Repetitions of an operation after a lost connection, a timeout, or HTTP 408, 429 or 5xx. Default 8, about ten
   * seconds of waiting in all. 0: none. Too low: a restart of the server fails calls. Too high: calls fail late.
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
  /** The servers, at least one and at most 16, in the order in which they are asked. */
  readonly servers: ReadonlyArray<ServerOptions>
  /**
   * Servers that must take a payload before `put` succeeds. Default 2, or 1 with one server. Too low: the loss of one
   * server loses payloads. Too high: `put` fails when fewer servers answer.
   */
  readonly copies?: number | undefined
}

const MAX_SERVERS = 16
const MAX_RETRIES = 100
const DEFAULT_MAX_BYTES = 16 * 1024 * 1024

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

/** Loaded on use: an application that provides a client has loaded these modules anyway; others skip them. */
const loaded = Effect.promise(() => Promise.all([import("./payloads/Remote.js"), import("./payloads/Servers.js")]))

/**
 * Builds the store. Fails with `InvalidInput` that names the option if a URL, a token or a number is invalid. It connects
 * with the first operation.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options | ServersOptions): Effect.Effect<Service, InvalidInput, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const isList = "servers" in options
    const servers = isList ? options.servers : [options]
    yield* Check.integer("servers", servers.length, 1, MAX_SERVERS)
    const addresses = yield* Either.all(
      servers.map((options, index) => server(options, isList ? `servers[${index}].` : ""))
    )
    const wanted = isList ? options.copies : undefined
    const copies = yield* Check.integer("copies", wanted ?? Math.min(2, servers.length), 1, servers.length)
    const maxBytes = yield* Check.integer("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 1)
    const timeout = yield* Check.millis("timeout", options.timeout ?? "30 seconds")
    const retries = yield* Check.integer("retries", options.retries ?? 8, 0, MAX_RETRIES)
    const [Remote, Servers] = yield* loaded
    const remotes = yield* Effect.forEach(addresses, ({ token, ...address }) =>
      Remote.make({ ...address, protocol: Remote.payloadServer(token) }, { maxBytes, timeout })
    )
    return makeStore(Servers.make(remotes, { copies, maxBytes, retries }))
  })

/**
 * The store as a Layer.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import { PayloadStoreHttp } from "@pod-protocol/effect"
 * import * as Layer from "effect/Layer"
 *
 * export const Payloads = PayloadStoreHttp.layer({ url: "https://payloads.example", token: "s3cret" }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options | ServersOptions
): Layer.Layer<PayloadStore, InvalidInput, HttpClient.HttpClient> => Layer.effect(PayloadStore, make(options))

/** Fetch as the client, without its module's weight for those who bring their own. */
const fetch = Layer.unwrapEffect(
  Effect.map(
    Effect.promise(() => import("@effect/platform/FetchHttpClient")),
    ({ layer }) => layer
  )
)

/**
 * As {@link layer}, over the `fetch` of the platform.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFetch = (options: Options | ServersOptions): Layer.Layer<PayloadStore, InvalidInput> =>
  Layer.provide(layer(options), fetch)

const SERVERS: Setting.Setting<ReadonlyArray<Redacted.Redacted>> = {
  name: "POD_PAYLOAD_URL",
  expected: "http: or https: URLs of payload servers, with commas between them",
  parse: (text) => {
    const urls = text
      .split(",")
      .map((url) => url.trim())
      .filter((url) => url !== "")
    const bad = urls.findIndex((url) => Either.isLeft(Url.http("url", url)))
    if (urls.length === 0) return Either.left("there is none")
    return bad === -1 ? Either.right(urls.map((url) => Redacted.make(url))) : Either.left(`URL ${bad + 1} is none`)
  }
}

/**
 * The servers in `POD_PAYLOAD_URL` (one URL, or several separated by commas), each with the token in
 * `POD_PAYLOAD_TOKEN`. `None` if `POD_PAYLOAD_URL` is absent or empty.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<Option.Option<ServersOptions>> = Config.map(
  Config.all({
    urls: Setting.optional(SERVERS),
    token: Setting.optional({
      name: "POD_PAYLOAD_TOKEN",
      expected: "the token of the payload server: letters, digits and - . _ ~ + / with = at the end",
      parse: (text) => Either.mapLeft(Token.make("token", text), () => undefined)
    })
  }),
  ({ token, urls }) =>
    Option.map(urls, (urls) => ({ servers: urls.map((url) => ({ url, token: Option.getOrUndefined(token) })) }))
)

/**
 * As {@link layerFetch}, with the servers of {@link config}. `ConfigError` if `POD_PAYLOAD_URL` is absent.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: Layer.Layer<PayloadStore, ConfigError.ConfigError | InvalidInput> = Layer.unwrapEffect(
  Effect.map(Config.all([Setting.required(SERVERS), config]), ([, found]) =>
    layerFetch(Option.getOrElse(found, (): ServersOptions => ({ servers: [] })))
  )
)
