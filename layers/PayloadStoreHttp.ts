/**
 * The `PayloadStore` on payload servers, over an `HttpClient` of `@effect/platform`: Node, browsers, Deno, edge
 * workers. Agents on several machines share it. `PayloadServer` implements the server.
 *
 * The protocol is `PUT`, `GET`, `HEAD` and `DELETE` of `/v1/payloads/<SHA-256 in hexadecimal>`, with the token as
 * `Authorization: Bearer`. A read verifies the hash of the reply: a wrong body is an error, never data.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { PayloadStore, type Service } from "../services/PayloadStore.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Setting from "./internal/Setting.js"
import * as Url from "./internal/Url.js"
import type { Options, ServersOptions } from "./payloads/HttpStore.js"
import * as HttpStore from "./payloads/HttpStore.js"
import * as Token from "./payloads/Token.js"

export type { LimitOptions, Options, ServerOptions, ServersOptions } from "./payloads/HttpStore.js"

/** Loaded on use. An application with its own client has loaded these modules already. */
const carrier = Effect.flatMap(
  Effect.promise(() => import("./payloads/Exchange.js")),
  ({ overHttpClient }) => overHttpClient
)

/**
 * Builds the store. An invalid URL, token or number fails with `InvalidInput`, which names the option. It connects with
 * the first operation.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options | ServersOptions): Effect.Effect<Service, InvalidInput, HttpClient.HttpClient> =>
  HttpStore.make(options, carrier)

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

/** The client over `fetch`, loaded only if it is used. */
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
    if (urls.length === 0) return Either.left("it has no URL")
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
