/**
 * Who may use the server: owners by their tokens, and web pages by their origins.
 *
 * Tokens are looked up by their SHA-256, so the time of the comparison says nothing about them. An owner's name, which
 * the storage shows, is a part of that hash.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Hex from "../../services/internal/hex.js"
import * as Utf8 from "../../src/internal/Utf8.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Hash from "../../src/solana/Hash.js"
import * as Token from "./Token.js"

/** The owner of what is put without a token. */
const PUBLIC = "public"

const OWNER_DIGITS = 16

type Headers = Readonly<Record<string, string | undefined>>

export interface Access {
  /** The owner that the request acts for; `undefined` if it may not. */
  readonly ownerOf: (headers: Headers) => string | undefined
  /** Whether anybody may read. */
  readonly isReadable: (headers: Headers) => boolean
  /** Whether the request may read the server's numbers; `undefined` if nobody may. */
  readonly mayMeasure: ((headers: Headers) => boolean) | undefined
  /** Whether an owner may remove: nobody owns what is put without a token. */
  readonly mayRemove: boolean
  /** The headers for the page that the request comes from. */
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

/** The SHA-256 of the token that a request brings. */
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

/** The answer to the question of a browser that precedes a request. */
export const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD, PUT, DELETE",
  "access-control-allow-headers": "authorization, content-type, if-none-match, range",
  "access-control-max-age": "600"
}
