/**
 * Sends one request to a collector over the `HttpClient` of `@effect/platform`.
 *
 * - It makes no span and propagates no trace: telemetry of telemetry would never end.
 * - No redirect is followed: the headers may hold a key.
 * - It reads at most 64 KiB of a reply. Every reply gives a verdict.
 * - Texts show only the host of the collector, never its path or headers.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as MonotonicClock from "../../services/internal/clock.js"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import * as UnfollowedClient from "../../services/internal/unfollowedClient.js"
import * as RetryAfter from "../../services/wire/RetryAfter.js"
import * as Causes from "../internal/Causes.js"
import type { Format } from "./Format.js"
import type { Verdict } from "./Outbox.js"
import type { Shown } from "./Shown.js"

export interface Target {
  readonly url: Redacted.Redacted<URL>
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds from a request to the last byte of its reply. */
  readonly timeout: number
}

/** The retryable statuses of OpenTelemetry, and 408. */
const RETRYABLE = [408, 429, 502, 503, 504]

const MAX_REPLY = 64 * 1024
const MAX_DETAIL = 200

/** The first bytes of a reply. It ignores further bytes and failures of reading. */
const bodyOf = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Uint8Array> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    const take = (chunk: Uint8Array): boolean => {
      chunks.push(chunk.subarray(0, MAX_REPLY - size))
      size = Math.min(size + chunk.length, MAX_REPLY)
      return size < MAX_REPLY
    }
    return Effect.map(Effect.ignore(Stream.runDrain(Stream.takeWhile(response.stream, take))), () => {
      const body = new Uint8Array(size)
      let at = 0
      for (const chunk of chunks) {
        body.set(chunk, at)
        at += chunk.length
      }
      return body
    })
  })

const verdictOf =
  (format: Format, { text }: Shown) =>
  (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Verdict> =>
    Effect.gen(function* () {
      const { headers, status } = response
      const body = yield* bodyOf(response)
      if (status >= 200 && status < 300) {
        return /html/i.test(headers["content-type"] ?? "")
          ? { _tag: "Refused", detail: "it answers with an HTML page, so it is not a collector: check the URL" }
          : { _tag: "Taken", rejected: format.rejectedOf(body) }
      }
      if (status === 413) return { _tag: "TooLarge" }
      if (status === 0 || (status >= 300 && status < 400)) {
        return { _tag: "Refused", detail: "it redirects: give the final URL" }
      }
      const now = yield* MonotonicClock.wallMillis
      const wait = RetryAfter.parse(headers["retry-after"] ?? "", now)
      // The body of a reply may be protobuf: only its text is shown.
      const said = text(new TextDecoder().decode(body), MAX_DETAIL)
      const detail = `HTTP ${status}${said === "" ? "" : `: ${said}`}`
      return RETRYABLE.includes(status)
        ? { _tag: "Later", detail, millis: Option.getOrUndefined(Option.map(wait, Duration.toMillis)) }
        : { _tag: "Refused", detail }
    })

export const make = (
  { headers, timeout, url }: Target,
  format: Format,
  shown: Shown
): Effect.Effect<(body: Uint8Array) => Effect.Effect<Verdict>, never, HttpClient.HttpClient> =>
  Effect.map(UnfollowedClient.make, (client) => {
    const base = HttpClientRequest.post(Redacted.value(url), { headers })

    return (body) =>
      client.execute(HttpClientRequest.setBody(base, HttpBody.uint8Array(body, format.contentType))).pipe(
        Effect.flatMap(verdictOf(format, shown)),
        Effect.catchAll((error): Effect.Effect<Verdict> => {
          // The client's message contains the URL, and its request the headers, so only the cause is shown.
          const cause = "cause" in error ? error.cause : undefined
          const said = cause instanceof Error ? cause.message : "the request failed"
          return Effect.succeed({ _tag: "Later", detail: shown.text(Causes.explain(cause, said), MAX_DETAIL) })
        }),
        TimeLimit.orElse(timeout, (): Verdict => ({ _tag: "Later", detail: `no complete reply within ${timeout} ms` }))
      )
  })
