/**
 * The settings of `Pod.layer`, and their configuration from the environment.
 *
 * @since 0.1.0
 */
import type { Address, Commitment } from "@solana/kit"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Cache from "../services/Cache.js"
import type * as Transactions from "../services/Transactions.js"
import { PROGRAM_ID } from "../src/protocol/Program.js"
import * as Addresses from "../src/solana/Address.js"
import * as Setting from "./internal/Setting.js"
import * as Url from "./internal/Url.js"
import * as PayloadStoreHttp from "./PayloadStoreHttp.js"
import * as Effective from "./podconfig/Effective.js"
import type * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * The options without the URLs. With several endpoints, the options of an endpoint (`connections`, `requestTimeout`, …)
 * are the defaults for each.
 *
 * @since 0.1.0
 * @category models
 */
export type Settings = Omit<RpcPoolUndici.Options, "url" | "wsUrl"> & {
  /** The program's address. Default: the address of the published program. */
  readonly programId?: Address | undefined
  /**
   * Whether the start checks that the cluster has the program, which reveals a wrong or unreachable endpoint early.
   * Default: true. With `false`, the first call connects.
   */
  readonly startCheck?: boolean | undefined
  /** The payload servers. Default: none, so that the `PayloadStore` comes from the context. */
  readonly payloads?: Payloads | undefined
  /** Options of sending and confirming transactions. Default: see `Transactions.Options`. */
  readonly transactions?: Omit<Transactions.Options, "commitment"> | undefined
}

/**
 * The endpoints of the cluster and their options: one endpoint (`url`) or several (`endpoints`). Every other option has
 * a default.
 *
 * @since 0.1.0
 * @category models
 */
export type PodConfig = Settings & (RpcPoolUndici.EndpointsOptions | RpcPoolUndici.Options)

/**
 * One payload server or several; see `PayloadStoreHttp`.
 *
 * @since 0.1.0
 * @category models
 */
export type Payloads = PayloadStoreHttp.Options | PayloadStoreHttp.ServersOptions

/**
 * The default settings.
 *
 * @since 0.1.0
 * @category presets
 */
export const defaults = {
  /** Practically safe from forks, and about one slot slower than `processed`. */
  commitment: "confirmed",
  /** The address of the published program. A public cluster may lack it, which `startCheck` reveals. */
  programId: PROGRAM_ID,
  /** Reveals a wrong endpoint before the first message. */
  startCheck: true
} as const satisfies Settings

/**
 * Settings with a cache.
 *
 * @since 0.1.0
 * @category models
 */
export type CachedSettings = Settings & {
  /** The cache for reads of single accounts; see `Pod.layer`. */
  readonly cache: Cache.Options
}

/**
 * Settings for an application with many sends and reads on its own endpoint. They need memory, and more connections
 * than a public endpoint allows.
 *
 * @example
 * ```ts
 * import { Pod, PodConfig } from "@pod-protocol/effect"
 * import { pipe } from "effect/Function"
 *
 * const settings = pipe(PodConfig.performance, PodConfig.withConnectionPoolSize(50), PodConfig.withBatchSize(20))
 *
 * export const PodLive = Pod.layer({ url: "https://rpc.example", ...settings })
 * ```
 *
 * @since 0.1.0
 * @category presets
 */
export const performance: CachedSettings = {
  /** Over HTTP/1.1, 50 connections carry about 2,000 calls a second at 20 ms; the default carries 680. */
  connections: 50,
  /** The first calls of a burst do not wait for a handshake. */
  minIdleConnections: 4,
  /** After 5 seconds without an answer, another endpoint or a retry is more likely to succeed. */
  requestTimeout: "5 seconds",
  /** Two retries suffice for passing failures; a fourth and fifth attempt only add load to a cluster in trouble. */
  retry: { maxAttempts: 3 },
  /** Concurrent calls share a request: 10 gives most of the gain. */
  arraySize: 10,
  /** Repeated reads of an account come from memory. About 10 MB. */
  cache: { maxEntries: 10_000 },
  /** Transactions do not wait for one another. About 100 MB when all of them are in flight. */
  transactions: { maxInFlight: 4096 }
}

/**
 * Settings for measuring: each call is one request, and no retry hides a failure. Use them with the embedded cluster or
 * a node on loopback. Metrics are off unless the application provides them.
 *
 * @since 0.1.0
 * @category presets
 */
export const benchmark: Settings = {
  /** A retry would hide a failure and add its wait to the time of the call. */
  retry: false,
  /** Equal reads would share a call. */
  coalesce: false,
  /** The first call measures the connection and not the check. */
  startCheck: false,
  /** Calls in an array would be measured together. */
  arraySize: 1,
  /** As many as a benchmark has calls in flight, so that no call waits for a connection. */
  connections: 64
}

/**
 * Sets the maximum of HTTP/1.1 connections to an endpoint, the option `connections`. Default: 16. Too low: calls wait for
 * one another. Too high: providers refuse connections. `http2.connections` is the option for HTTP/2.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withConnectionPoolSize =
  (connections: number) =>
  <S extends Settings>(settings: S): S => ({ ...settings, connections })

/**
 * Sets the maximum time from a call to the last byte of its reply, the option `requestTimeout`. Default: 60 seconds. Too
 * low: slow calls (getProgramAccounts) fail. Too high: a slow reply occupies its caller.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withRequestTimeout =
  (requestTimeout: Duration.DurationInput) =>
  <S extends Settings>(settings: S): S => ({ ...settings, requestTimeout })

/**
 * Sets the maximum of retries of a call: 3 retries are 4 attempts, and 0 allows only the first attempt. Default: 4. Too
 * low: passing failures reach the caller. Too high: a call waits long before it reports a lasting failure.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withRetryAttempts =
  (retries: number) =>
  <S extends Settings>(settings: S): S => ({
    ...settings,
    retry: { ...(settings.retry === false ? {} : settings.retry), maxAttempts: retries + 1 }
  })

/**
 * Sets the maximum of cache entries in memory, and turns the cache on. Default: no cache. Too low: accounts are read
 * again. Too high: each entry takes about 1 KB.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withCacheSize =
  (maxEntries: number) =>
  <S extends Settings & Partial<CachedSettings>>(settings: S): CachedSettings & S => ({
    ...settings,
    cache: { ...settings.cache, maxEntries }
  })

/**
 * Sets the maximum of calls in one JSON-RPC array, the option `arraySize`. Default: 1, no arrays. Too low: each call is a
 * request. Too high: one slow call delays the others of its array, and providers refuse long arrays. It does not affect
 * `Message.sendAll`, which packs messages into transactions.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withBatchSize =
  (arraySize: number) =>
  <S extends Settings>(settings: S): S => ({ ...settings, arraySize })

/**
 * Sets the options of HTTP/2, which an `https:` endpoint may offer. `false` allows only HTTP/1.1.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withHttp2 =
  (http2: Settings["http2"]) =>
  <S extends Settings>(settings: S): S => ({ ...settings, http2 })

/**
 * Sets the maximum of transactions in flight, the option `transactions.maxInFlight`. Default: 1024. Too low: sends wait
 * for one another. Too high: more memory, and an overloaded node drops transactions.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withMaxInFlight =
  (maxInFlight: number) =>
  <S extends Settings>(settings: S): S => ({ ...settings, transactions: { ...settings.transactions, maxInFlight } })

/**
 * A setting, its value as text, and its source: the default, the preset, the environment, or an option of the
 * application. It shows only the host of a URL, and no secret.
 *
 * @since 0.1.0
 * @category models
 */
export type EffectiveSetting = Effective.Setting

/**
 * Lists the settings of a configuration with their sources. `preset` is the preset from which the configuration was
 * made.
 *
 * @example
 * ```ts
 * import { PodConfig } from "@pod-protocol/effect"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 *
 * export const print = PodConfig.configWith(PodConfig.performance).pipe(
 *   Effect.flatMap((config) => PodConfig.effective(config, PodConfig.performance)),
 *   Effect.flatMap((settings) => Console.log(PodConfig.render(settings)))
 * )
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const effective = (
  config: PodConfig & Partial<CachedSettings>,
  preset: Settings & Partial<CachedSettings> = defaults
): Effect.Effect<ReadonlyArray<EffectiveSetting>> =>
  Effect.map(
    Effect.filter(Effective.VARIABLES, (name) =>
      Effect.map(
        Effect.orElseSucceed(Config.string(name), () => ""),
        (text) => text.trim() !== ""
      )
    ),
    (variables) => Effective.list(config, preset, new Set(variables))
  )

/**
 * Effective settings as text: one setting per line, with its value and its source.
 *
 * @since 0.1.0
 * @category conversions
 */
export const render: (settings: ReadonlyArray<EffectiveSetting>) => string = Effective.render

/** Splits a list at its commas. A comma within a URL is written as %2C. */
const listOf = (text: string): ReadonlyArray<Redacted.Redacted> =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .map((item) => Redacted.make(item))

const rpcUrls: Setting.Setting<ReadonlyArray<Redacted.Redacted>> = {
  name: "POD_RPC_URL",
  expected:
    "http: or https: URLs with commas between them; localhost, devnet, testnet and mainnet-beta stand for these clusters",
  parse: (text) => {
    const urls = listOf(text)
    return urls.length === 0 ? Either.left("there is none") : Either.right(urls)
  }
}

const wsUrls: Setting.Setting<ReadonlyArray<Redacted.Redacted>> = {
  name: "POD_WS_URL",
  expected: "ws: or wss: URLs with commas between them, in the order of POD_RPC_URL",
  parse: (text) => Either.right(listOf(text))
}

/** Checks the URLs here, so that the error names the setting. */
const endpointsOf = (
  urls: ReadonlyArray<Redacted.Redacted>,
  wsUrls: ReadonlyArray<Redacted.Redacted>
): Either.Either<ReadonlyArray<RpcPoolUndici.EndpointOptions>, ConfigError.ConfigError> => {
  if (wsUrls.length !== 0 && wsUrls.length !== urls.length) {
    const expected = `Expected as many URLs as POD_RPC_URL has (${urls.length}), or none, but there are ${wsUrls.length}`
    return Either.left(ConfigError.InvalidData(["POD_WS_URL"], expected))
  }
  return Either.all(
    urls.map((url, index) => {
      const endpoint = { url, wsUrl: wsUrls[index] }
      return Either.mapBoth(Url.make(endpoint), {
        onLeft: ({ field, rule }) => {
          const name = field === "url" ? "POD_RPC_URL" : "POD_WS_URL"
          return ConfigError.InvalidData([name], urls.length === 1 ? `It ${rule}` : `URL ${index + 1} ${rule}`)
        },
        onRight: () => endpoint
      })
    })
  )
}

const count = (name: string, min: number, max = Number.MAX_SAFE_INTEGER): Config.Config<Option.Option<number>> =>
  Setting.optional({
    name,
    expected:
      max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
    parse: (text) => {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : -1
      return number >= min && number <= max ? Either.right(number) : Either.left(undefined)
    }
  })

/** "5 seconds", or a number of milliseconds. */
const duration = (name: string): Config.Config<Option.Option<Duration.Duration>> =>
  Setting.optional({
    name,
    expected: "a duration above 0, such as 5 seconds, or a whole number of milliseconds",
    parse: (text) => {
      const input: unknown = /^\d{1,9}$/.test(text) ? Number(text) : text
      const found = Option.filter(Duration.decodeUnknown(input), (time) => Duration.toMillis(time) > 0)
      return Either.fromOption(found, () => undefined)
    }
  })

const set = <A, B>(setting: Option.Option<A>, make: (value: A) => B): B | Record<never, never> =>
  Option.match(setting, { onNone: () => ({}), onSome: make })

/**
 * As {@link config}, over a preset. Each variable that is set overrides the preset: `POD_COMMITMENT`, `POD_PROGRAM_ID`,
 * `POD_START_CHECK`, `POD_CONNECTIONS`, `POD_REQUEST_TIMEOUT` (`5 seconds`, or milliseconds), `POD_RETRY_ATTEMPTS` (the
 * first attempt included), `POD_ARRAY_SIZE`, `POD_CACHE_ENTRIES` (0: no cache) and `POD_MAX_IN_FLIGHT`.
 *
 * @since 0.1.0
 * @category config
 */
export const configWith = <S extends Settings & Partial<CachedSettings>>(
  preset: S
): Config.Config<RpcPoolUndici.EndpointsOptions & S> =>
  Config.all({
    urls: Setting.required(rpcUrls),
    wsUrls: Setting.withDefault(wsUrls, []),
    commitment: Setting.optional(commitment),
    programId: Setting.optional(programId),
    payloads: PayloadStoreHttp.config,
    startCheck: Setting.optional(startCheck),
    connections: count("POD_CONNECTIONS", 1),
    requestTimeout: duration("POD_REQUEST_TIMEOUT"),
    retryAttempts: count("POD_RETRY_ATTEMPTS", 1),
    arraySize: count("POD_ARRAY_SIZE", 1),
    cacheEntries: count("POD_CACHE_ENTRIES", 0, 10_000_000),
    maxInFlight: count("POD_MAX_IN_FLIGHT", 1)
  }).pipe(
    Config.mapOrFail(({ urls, wsUrls, ...found }) =>
      Either.map(endpointsOf(urls, wsUrls), (endpoints) => ({
        ...preset,
        ...set(found.commitment, (commitment) => ({ commitment })),
        ...set(found.programId, (programId) => ({ programId })),
        ...set(found.payloads, (payloads) => ({ payloads })),
        ...set(found.startCheck, (startCheck) => ({ startCheck })),
        ...set(found.connections, (connections) => ({ connections })),
        ...set(found.requestTimeout, (requestTimeout) => ({ requestTimeout })),
        ...set(found.arraySize, (arraySize) => ({ arraySize })),
        ...set(found.retryAttempts, (maxAttempts) => ({
          retry: { ...(preset.retry === false ? undefined : preset.retry), maxAttempts }
        })),
        ...set(found.maxInFlight, (maxInFlight) => ({ transactions: { ...preset.transactions, maxInFlight } })),
        ...set(found.cacheEntries, (maxEntries) => ({
          cache: maxEntries === 0 ? undefined : { ...preset.cache, maxEntries }
        })),
        endpoints
      }))
    )
  )

const commitment: Setting.Setting<Commitment> = {
  name: "POD_COMMITMENT",
  expected: "processed, confirmed or finalized",
  parse: Setting.oneOf({ processed: "processed", confirmed: "confirmed", finalized: "finalized" })
}

const programId: Setting.Setting<Address> = {
  name: "POD_PROGRAM_ID",
  expected: "the address of the program, base58 of 32 bytes",
  parse: (text) => Either.mapLeft(Addresses.parse(text), () => undefined)
}

const startCheck: Setting.Setting<boolean> = {
  name: "POD_START_CHECK",
  expected: "true or false, whether to ask the endpoints for the program at the start",
  parse: Setting.oneOf({ true: true, yes: true, on: true, 1: true, false: false, no: false, off: false, 0: false })
}

/**
 * The configuration from the environment, over {@link defaults}. An empty variable counts as absent. Only `POD_RPC_URL` is
 * required.
 *
 * - `POD_RPC_URL`: one URL, or several separated by commas. The names `localhost`, `devnet`, `testnet` and
 *   `mainnet-beta` stand for the URLs of these clusters.
 * - `POD_WS_URL`: one URL for each of `POD_RPC_URL`, or none. Default: derived from `POD_RPC_URL`.
 * - `POD_PAYLOAD_URL` and `POD_PAYLOAD_TOKEN`: one payload server or several, as above, and their token. Default: none.
 * - the variables of {@link configWith}
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<PodConfig> = /* @__PURE__ */ Config.suspend(() => configWith<Settings>(defaults))
