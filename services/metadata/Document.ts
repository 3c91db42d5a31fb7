/**
 * Reads one JSON document over the `HttpClient` in context.
 *
 * - Each URL is checked before its request: the first one, and that of each redirect.
 * - At most the limit of a body is read, after decompression. Deeply nested JSON is not parsed.
 * - Errors contain no path, query or credential of a URL, and the client makes no span.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import * as Json from "../../src/solana/Json.js"
import { collect, cut } from "../internal/body.js"
import * as TimeLimit from "../internal/timeLimit.js"
import * as UnfollowedClient from "../internal/unfollowedClient.js"
import { MetadataError } from "./MetadataError.js"
import { REFUSED_ADDRESS } from "./refusedAddress.js"
import * as Target from "./Target.js"

export interface Limits extends Target.Policy {
  readonly maxBytes: number
  /** Milliseconds from the first request to the last byte, including redirects. */
  readonly timeout: number
  readonly maxRedirects: number
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** JSON types, and the types that file servers send for JSON files. */
const JSON_TYPE = /^(?:application\/(?:[\w.+-]+\+)?json|text\/(?:json|plain)|application\/octet-stream)\s*(?:;|$)/i

/** A request to one host, with the function that removes its secrets from errors. */
interface Asked {
  readonly url: URL
  readonly clean: Outside.Show
}

/** The request after a redirect also removes the secrets of the earlier URLs. */
const askedOf = (url: URL, before?: Asked): Asked => {
  const clean = SafeText.redactor(SafeText.secretsOf(url.href))
  return { url, clean: before === undefined ? clean : (text, length) => clean(before.clean(text, length), length) }
}

const failure = (
  { clean, url }: Asked,
  reason: MetadataError["reason"],
  detail: string,
  status?: number
): MetadataError => new MetadataError({ reason, host: url.host, detail: clean(detail), status })

const MAX_CAUSES = 8

const codeOf = (error: unknown): string | undefined => {
  let cause = error
  for (let nth = 0; nth < MAX_CAUSES && cause instanceof Error; nth++) {
    if ("code" in cause && typeof cause.code === "string") return cause.code
    cause = cause.cause
  }
  return undefined
}

/** The message of the client contains the URL: the error shows only the code. */
const disconnected =
  (asked: Asked) =>
  (error: HttpClientError.HttpClientError): MetadataError => {
    const code = codeOf(error)
    if (code === REFUSED_ADDRESS) return failure(asked, "Address", "its name does not resolve to a public address")
    return failure(asked, "Unavailable", `the request failed${code === undefined ? "" : ` (${code})`}`)
  }

const decoder = new TextDecoder("utf-8", { fatal: true })

const parsed = (asked: Asked, bytes: Uint8Array, encoding: string | undefined): Either.Either<unknown, MetadataError> =>
  Either.try({ try: () => decoder.decode(bytes), catch: () => "it is not UTF-8" }).pipe(
    Either.filterOrLeft(
      (text) => Json.excess(text) === undefined,
      () => "it is nested too deeply"
    ),
    Either.flatMap((text) => Either.mapLeft(Json.parseRounded(text), () => "it is not JSON")),
    Either.mapLeft((detail) =>
      failure(asked, "Json", encoding === undefined ? detail : `${detail}, and it was compressed (${encoding})`)
    )
  )

const bodyOf = (
  asked: Asked,
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<unknown, MetadataError> => {
  const { headers } = response
  const tooLarge = () => failure(asked, "TooLarge", `it has more than ${maxBytes} bytes`)
  const refuse = (error: MetadataError) => Effect.zipRight(cut(response), Effect.fail(error))
  const type = headers["content-type"]
  if (type !== undefined && !JSON_TYPE.test(type)) {
    return refuse(failure(asked, "ContentType", `it is ${SafeText.make(type, 60)}`))
  }
  const encoding = headers["content-encoding"]
  if (encoding === undefined && Number(headers["content-length"] ?? 0) > maxBytes) return refuse(tooLarge())
  return collect(Stream.mapError(response.stream, disconnected(asked)), 0, maxBytes).pipe(
    Effect.flatMap((bytes) => (bytes === undefined ? Effect.fail(tooLarge()) : parsed(asked, bytes, encoding)))
  )
}

/** Fetches the JSON document of a checked URL. */
export const make = ({
  maxBytes,
  maxRedirects,
  timeout,
  ...policy
}: Limits): Effect.Effect<(url: URL) => Effect.Effect<unknown, MetadataError>, never, HttpClient.HttpClient> =>
  Effect.map(UnfollowedClient.make, (client) => {
    const redirected = (
      asked: Asked,
      response: HttpClientResponse.HttpClientResponse,
      left: number
    ): Effect.Effect<unknown, MetadataError> =>
      Effect.zipRight(
        cut(response),
        Effect.suspend(() => {
          const { location } = response.headers
          if (left === 0) return Effect.fail(failure(asked, "Redirect", `it redirects more than ${maxRedirects} times`))
          if (location === undefined) return Effect.fail(failure(asked, "Redirect", "its redirect has no location"))
          return Either.match(Target.parse(location, policy, asked.url), {
            onLeft: ({ detail, reason }) => Effect.fail(failure(asked, reason, `it redirects, and ${detail}`)),
            onRight: (url) => fetch(askedOf(url, asked), left - 1)
          })
        })
      )

    const fetch = (asked: Asked, left: number): Effect.Effect<unknown, MetadataError> =>
      Effect.flatMap(
        Effect.mapError(
          client.execute(
            HttpClientRequest.make("GET")(asked.url, {
              headers: { accept: "application/json", "accept-encoding": "identity" }
            })
          ),
          disconnected(asked)
        ),
        (response) => {
          const { status } = response
          if (REDIRECTS.has(status)) return redirected(asked, response, left)
          if (status === 200) return bodyOf(asked, response, maxBytes)
          // In a browser, Fetch hides the target of a redirect.
          const error =
            status === 0
              ? failure(asked, "Redirect", "it redirects, and this platform hides the target")
              : failure(asked, "Status", `it answers HTTP ${status}`, status)
          return Effect.zipRight(cut(response), Effect.fail(error))
        }
      )

    return (url) => {
      const asked = askedOf(url)
      return fetch(asked, maxRedirects).pipe(
        TimeLimit.within(timeout, () => failure(asked, "Timeout", `the document did not arrive within ${timeout} ms`))
      )
    }
  })
