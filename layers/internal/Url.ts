/** The parts of a node's URL. Only `host` may be shown: paths, queries and headers may hold API keys. */
import * as Either from "effect/Either"
import * as Function from "effect/Function"
import * as Redacted from "effect/Redacted"
import { InvalidInput } from "../../src/InvalidInput.js"

export interface Endpoint {
  /** The host, with the port if the URL names one. */
  readonly host: string
  readonly isSecure: boolean
  readonly url: Redacted.Redacted<URL>
  readonly wsUrl: Redacted.Redacted<URL>
}

/** A text that may hold an API key. Plain text is redacted at once. */
export type Secret = string | Redacted.Redacted

/** The text of a secret; `undefined` if an untyped caller passed neither form. */
export const textOf = (secret: Secret): string | undefined => {
  const text: unknown = Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
  return typeof text === "string" ? text : undefined
}

export interface Options {
  /**
   * `http:` or `https:` URL of the node, or `localhost`, `devnet`, `testnet` or `mainnet-beta`. Its path or query may
   * hold an API key: plain text is redacted at once, and only the host is ever shown.
   */
  readonly url: string | Redacted.Redacted
  /**
   * `ws:` or `wss:` URL for subscriptions. Default: `url` with the WebSocket scheme and, if `url` names a port, the
   * next port: 8899 gives 8900, as on a validator.
   */
  readonly wsUrl?: string | Redacted.Redacted | undefined
}

const invalid = (field: string, rule: string): Either.Either<never, InvalidInput> =>
  Either.left(new InvalidInput({ field, rule }))

/** The usual names of clusters. */
const CLUSTERS: Readonly<Record<string, string | undefined>> = {
  localhost: "http://localhost:8899",
  devnet: "https://api.devnet.solana.com",
  testnet: "https://api.testnet.solana.com",
  "mainnet-beta": "https://api.mainnet-beta.solana.com"
}

const clusterUrl = (name: string): string => (Object.hasOwn(CLUSTERS, name) ? CLUSTERS[name] : undefined) ?? name

const parse = (
  field: string,
  secret: Secret,
  schemes: readonly [plain: string, secure: string],
  resolve: (text: string) => string = Function.identity
): Either.Either<URL, InvalidInput> => {
  const text = textOf(secret)
  if (text === undefined) return invalid(field, "must be a string, or a Redacted of one")
  const value = resolve(text)
  if (!URL.canParse(value)) return invalid(field, `must be an absolute ${schemes.join(" or ")} URL`)
  const url = new URL(value)
  if (!schemes.includes(url.protocol)) return invalid(field, `must begin with ${schemes.join(" or ")}`)
  if (url.username !== "" || url.password !== "")
    return invalid(field, `must not hold credentials for ${url.host}: use headers`)
  if (url.hash !== "") return invalid(field, "must not have a fragment")
  return Either.right(url)
}

/** Derives the WebSocket URL as web3.js does: the WebSocket scheme, and the next port if the URL names one. */
const deriveWsUrl = (url: URL): Either.Either<URL, InvalidInput> => {
  if (url.port === "65535") return invalid("wsUrl", "must be given: there is no port above 65535")
  const derived = new URL(url)
  derived.protocol = url.protocol === "https:" ? "wss:" : "ws:"
  if (url.port !== "") derived.port = String(Number(url.port) + 1)
  return Either.right(derived)
}

/** Parses an option that is an `http:` or `https:` URL. */
export const http = (field: string, secret: Secret): Either.Either<URL, InvalidInput> =>
  parse(field, secret, ["http:", "https:"])

export const make = (options: Options): Either.Either<Endpoint, InvalidInput> =>
  Either.gen(function* () {
    const url = yield* parse("url", options.url, ["http:", "https:"], clusterUrl)
    const wsUrl = yield* options.wsUrl === undefined ? deriveWsUrl(url) : parse("wsUrl", options.wsUrl, ["ws:", "wss:"])
    return {
      host: url.host,
      isSecure: url.protocol === "https:",
      url: Redacted.make(url),
      wsUrl: Redacted.make(wsUrl)
    }
  })
