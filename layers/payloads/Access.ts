/**
 * Access control of the server: owners by their tokens, and web pages by their origins.
 *
 * Tokens are looked up by their SHA-256, so the time of the comparison reveals nothing about them. The name of an
 * owner, which the storage shows, is a part of that hash.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Hex from "../../services/internal/hex.js"
import * as Utf8 from "../../src/internal/Utf8.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Token from "./Token.js"

/** The owner of payloads that were put without a token. */
const PUBLIC = "public"

const OWNER_DIGITS = 16

type Headers = Readonly<Record<string, string | undefined>>

export interface Access {
  /** The owner of the request; `undefined` if its token is missing or unknown. */
  readonly ownerOf: (headers: Headers) => string | undefined
  /** Whether the request may read payloads. */
  readonly isReadable: (headers: Headers) => boolean
  /** Whether the request may read the metrics; `undefined` if they are not served. */
  readonly mayMeasure: ((headers: Headers) => boolean) | undefined
  /** Whether owners may remove payloads. Without tokens, payloads have no owner. */
  readonly mayRemove: boolean
  /** The CORS headers for the page of the request. */
  readonly cors: (headers: Headers) => Readonly<Record<string, string>>
}

export interface Options {
  readonly tokens: ReadonlyArray<string | Redacted.Redacted>
  readonly publicReads: boolean
  readonly allowOrigins: ReadonlyArray<string>
  readonly metrics: "public" | Redacted.Redacted | undefined
}

const digest = (token: string): string => Hex.encode(Hash.sha256(Utf8.encode(`PoD payload token\n${token}`)))

const BEARER = /^Bearer +([^ ]+) *$/i

/** The SHA-256 of the token in a request. */
const presented = (headers: Headers): string | undefined => {
  const token = BEARER.exec(headers["authorization"] ?? "")?.[1]
  return token === undefined ? undefined : digest(token)
}

const isOrigin = (text: string): boolean => text === "*" || (URL.canParse(text) && new URL(text).origin === text)

export const make = ({ allowOrigins, metrics, publicReads, tokens }: Options): Either.Either<Access, InvalidInput> =>
  Either.gen(function* () {
    const texts = yield* Either.all(tokens.map((token, index) => Token.make(`tokens[${index}]`, token)))
    const owners = new Map(texts.map((token) => digest(Redacted.value(token))).map((hash) => [hash, hash] as const))
    const measuring =
      metrics === undefined || metrics === "public"
        ? metrics
        : digest(Redacted.value(yield* Token.make("metrics", metrics)))
    const bad = allowOrigins.findIndex((origin) => !isOrigin(origin))
    if (bad !== -1) {
      const rule = "must be an origin such as https://app.example, or *"
      return yield* Either.left(new InvalidInput({ field: `allowOrigins[${bad}]`, rule }))
    }
    const ownerOf = (headers: Headers): string | undefined => {
      if (owners.size === 0) return PUBLIC
      const hash = presented(headers)
      return hash === undefined ? undefined : owners.get(hash)?.slice(0, OWNER_DIGITS)
    }
    return {
      ownerOf,
      isReadable: (headers) => publicReads || ownerOf(headers) !== undefined,
      mayMeasure:
        measuring === undefined ? undefined : (headers) => measuring === "public" || presented(headers) === measuring,
      mayRemove: owners.size > 0,
      cors: ({ origin }) => {
        if (allowOrigins.includes("*")) return { "access-control-allow-origin": "*", ...EXPOSED }
        return origin !== undefined && allowOrigins.includes(origin)
          ? { "access-control-allow-origin": origin, vary: "origin", ...EXPOSED }
          : { vary: "origin" }
      }
    }
  })

const EXPOSED = { "access-control-expose-headers": "content-range, etag, retry-after" }

/** The answer to the preflight request of a browser. */
export const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD, PUT, DELETE",
  "access-control-allow-headers": "authorization, content-type, if-none-match, range",
  "access-control-max-age": "600"
}
