/**
 * One payload server, or one bucket, over the `HttpClient` of `@effect/platform`: each operation is one request, without retries.
 *
 * - Neither a redirect is followed nor a compressed body asked for.
 * - A body is read up to the limit and no further, whatever its `content-length` says.
 * - Errors, causes and spans show the host of the server: not its path, its token, or bytes of a body.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { collect, cut } from "../../services/internal/body.js"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import * as UnfollowedClient from "../../services/internal/unfollowedClient.js"
import { PayloadStoreError } from "../../services/PayloadStore.js"
import type * as Outside from "../../src/internal/Outside.js"
import * as Causes from "../internal/Causes.js"
import * as Path from "./Path.js"

export type Method = "PUT" | "GET" | "HEAD" | "DELETE"

/** What differs between kinds of servers. */
export interface Protocol {
  /** The path of a payload below the URL of its server. */
  readonly pathOf: (key: string) => string
  /** The headers that let the server know who asks. */
  readonly authorize: (method: Method, target: URL, key: string) => Effect.Effect<Record<string, string>, unknown>
  /** What a refusal says beyond its status, from the first bytes of its body. */
  readonly explain?: ((text: string) => Refusal | undefined) | undefined
}

export interface Refusal {
  /** Default: that of the status. */
  readonly reason?: PayloadStoreError["reason"] | undefined
  readonly detail: string
}

/** Where a server is and how to talk to it. */
export interface Address {
  readonly host: string
  readonly url: Redacted.Redacted<URL>
  readonly protocol: Protocol
  /** Cuts out of a text what the URL and the credentials keep secret. */
  readonly clean: Outside.Show
}

/** The protocol of `PayloadServer`. */
export const payloadServer = (token: Option.Option<Redacted.Redacted>): Protocol => ({
  pathOf: Path.of,
  authorize: () =>
    Effect.succeed(Option.isNone(token) ? {} : { authorization: `Bearer ${Redacted.value(token.value)}` })
})

export interface Limits {
  readonly maxBytes: number
  /** Milliseconds from a request to the last byte of its reply. */
  readonly timeout: number
}

/** A failure, and how long the server asked to be left alone. */
export class Failure {
  readonly _tag = "Failure"

  constructor(
    readonly error: PayloadStoreError,
    readonly retryAfter = 0
  ) {}
}

/** The operations of one server on the payload of a hash. */
export interface Remote {
  readonly put: (key: string, bytes: Uint8Array) => Effect.Effect<void, Failure>
  readonly get: (key: string) => Effect.Effect<Uint8Array, Failure>
  readonly has: (key: string) => Effect.Effect<boolean, Failure>
  readonly remove: (key: string) => Effect.Effect<void, Failure>
}

/** Bytes that are read of the body of a refusal. */
const MAX_REFUSAL = 300

const MAX_RETRY_AFTER = 30_000

const REDIRECT = "it redirects to another place: give the final URL"

const REASONS: Readonly<Record<number, PayloadStoreError["reason"] | undefined>> = {
  404: "NotFound",
  408: "Unavailable",
  413: "TooLarge",
  425: "Unavailable",
  429: "Unavailable",
  501: "Refused",
  505: "Refused",
  507: "Full"
}

const reasonOf = (status: number): PayloadStoreError["reason"] =>
  REASONS[status] ?? (status >= 500 ? "Unavailable" : "Refused")

/** The client's own message holds the URL and its request holds the headers: only the cause is told. */
const causeOf = (error: HttpClientError.HttpClientError): unknown => ("cause" in error ? error.cause : undefined)

const seconds = (text: string | undefined): number =>
  text !== undefined && /^\d{1,6}$/.test(text) ? Math.min(Number(text) * 1000, MAX_RETRY_AFTER) : 0

const text = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  collect(
    Stream.orElse(response.stream, () => Stream.empty),
    0,
    MAX_REFUSAL
  ).pipe(Effect.map((bytes) => new TextDecoder().decode(bytes)))

const isDone = ({ status }: HttpClientResponse.HttpClientResponse) => status >= 200 && status < 300

export const make = (
  { clean, host, protocol, url }: Address,
  { maxBytes, timeout }: Limits
): Effect.Effect<Remote, never, HttpClient.HttpClient> => {
  const failure = (key: string, reason: PayloadStoreError["reason"], detail?: string, cause?: unknown) =>
    new Failure(
      new PayloadStoreError({
        reason,
        hash: key,
        host,
        ...(detail === undefined ? {} : { detail: clean(detail) }),
        ...(cause === undefined ? {} : { cause })
      })
    )

  const disconnected = (key: string) => (error: HttpClientError.HttpClientError) => {
    const cause = causeOf(error)
    const said = cause instanceof Error ? cause.message : "the request failed"
    return failure(key, "Unavailable", Causes.explain(cause, said))
  }

  const refusal = (key: string, response: HttpClientResponse.HttpClientResponse): Effect.Effect<never, Failure> =>
    Effect.flatMap(text(response), (said) => {
      const { headers, status } = response
      if (status === 0 || (status >= 300 && status < 400)) return Effect.fail(failure(key, "Refused", REDIRECT))
      const explained = protocol.explain?.(said)
      const detail = explained?.detail ?? said
      const { error } = failure(
        key,
        explained?.reason ?? reasonOf(status),
        `HTTP ${status}${detail === "" ? "" : `: ${detail}`}`
      )
      return Effect.fail(new Failure(error, seconds(headers["retry-after"])))
    })

  const bodyOf = (key: string, response: HttpClientResponse.HttpClientResponse): Effect.Effect<Uint8Array, Failure> => {
    const stated = Number(response.headers["content-length"] ?? 0)
    const isEncoded = response.headers["content-encoding"] !== undefined
    if (!isEncoded && stated > maxBytes) return Effect.zipRight(cut(response), Effect.fail(failure(key, "TooLarge")))
    return collect(
      Stream.mapError(response.stream, disconnected(key)),
      isEncoded || !Number.isSafeInteger(stated) ? 0 : stated,
      maxBytes
    ).pipe(
      Effect.flatMap((bytes) => (bytes === undefined ? Effect.fail(failure(key, "TooLarge")) : Effect.succeed(bytes)))
    )
  }

  const done = (key: string) => (response: HttpClientResponse.HttpClientResponse) => {
    if (!isDone(response)) return refusal(key, response)
    return response.headers["content-length"] === "0" ? Effect.void : Effect.asVoid(text(response))
  }

  return Effect.map(UnfollowedClient.make, (client) => {
    const request = <A>(
      method: Method,
      key: string,
      onReply: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Failure>,
      body: HttpBody.HttpBody = HttpBody.empty
    ): Effect.Effect<A, Failure> =>
      Effect.suspend(() => {
        const target = new URL(Redacted.value(url))
        target.pathname = target.pathname.replace(/\/$/, "") + protocol.pathOf(key)
        return protocol.authorize(method, target, key).pipe(
          Effect.mapError(() => failure(key, "Refused", "the request cannot be signed")),
          Effect.flatMap((authorization) => {
            const headers = { "accept-encoding": "identity", ...authorization }
            return Effect.mapError(
              client.execute(HttpClientRequest.make(method)(target, { headers, body })),
              disconnected(key)
            )
          })
        )
      }).pipe(
        Effect.flatMap(onReply),
        TimeLimit.within(timeout, () => failure(key, "Unavailable", `no whole reply within ${timeout} ms`))
      )

    return {
      put: (key, bytes) =>
        request("PUT", key, done(key), HttpBody.uint8Array(ownBytes(bytes), "application/octet-stream")).pipe(
          // A server without the path answers as if the payload were missing.
          Effect.mapError((failed) =>
            failed.error.reason === "NotFound"
              ? failure(key, "Refused", "HTTP 404: no payload store answers at its URL")
              : failed
          )
        ),
      get: (key) =>
        request("GET", key, (response) => (response.status === 200 ? bodyOf(key, response) : refusal(key, response))),
      has: (key) =>
        request("HEAD", key, (response) => {
          if (isDone(response)) return Effect.succeed(true)
          return response.status === 404 ? Effect.succeed(false) : refusal(key, response)
        }),
      remove: (key) =>
        request("DELETE", key, (response) => (response.status === 404 ? Effect.void : done(key)(response)))
    }
  })
}

/** Fetch takes no view of a `SharedArrayBuffer`. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes)
