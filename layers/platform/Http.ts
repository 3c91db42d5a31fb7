/** Sends POST requests over the `HttpClient` of `@effect/platform`. */
import * as Headers from "@effect/platform/Headers"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Deadline from "../../services/Deadline.js"
import * as UnfollowedClient from "../../services/internal/unfollowedClient.js"
import { RpcError } from "../../services/RpcTransport.js"
import type { HttpReply } from "../../services/wire/HttpStatus.js"
import type * as WireTransport from "../../services/wire/WireTransport.js"
import * as SafeText from "../../src/SafeText.js"
import * as Causes from "../internal/Causes.js"
import type { Endpoint } from "../internal/Url.js"
import * as Encoding from "./Encoding.js"

/** The settings of every call. */
export interface Settings {
  readonly headers: { readonly [name: string]: string }
  /** Milliseconds from the call to the last byte of its reply. */
  readonly timeout: number
}

const causeOf = (error: HttpClientError.HttpClientError): unknown => ("cause" in error ? error.cause : undefined)

/** The message of the error's cause. The client's own message contains the URL, so it is not shown. */
const messageOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "the request failed"
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message
}

const failed = (method: string, host: string) => (error: HttpClientError.HttpClientError) => {
  const cause = causeOf(error)
  return new RpcError({ reason: "Transport", method, host, detail: Causes.explain(cause, messageOf(cause)), cause })
}

const OK = 200

const reply = (
  method: string,
  host: string,
  maxBytes: number,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<HttpReply, RpcError> => {
  const { status } = response
  const retryAfter = Option.getOrElse(Headers.get(response.headers, "retry-after"), () => "")
  const body = text(method, host, maxBytes, response)
  const whole = status === OK ? body : Effect.orElseSucceed(body, () => "")
  return Effect.map(whole, (text) => ({ status, retryAfter, text }))
}

/** Collects the bytes of a stream as text, up to a limit. */
const collect = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  maxBytes: number,
  tooLong: () => RpcError
): Effect.Effect<ReadonlyArray<Uint8Array>, E | RpcError> =>
  Effect.suspend(() => {
    let size = 0
    const chunks: Array<Uint8Array> = []
    return Effect.as(
      Stream.runForEach(stream, (bytes) => {
        size += bytes.length
        if (size > maxBytes) return tooLong()
        chunks.push(bytes)
        return Effect.void
      }),
      chunks
    )
  })

const toText = (chunks: ReadonlyArray<Uint8Array>): string => {
  const decoder = new TextDecoder()
  return chunks.map((bytes) => decoder.decode(bytes, { stream: true })).join("") + decoder.decode()
}

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

const text = (
  method: string,
  host: string,
  maxBytes: number,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<string, RpcError> => {
  const decode = (detail: string) => (cause?: unknown) =>
    new RpcError({ reason: "Decode", method, host, detail, cause })
  const encoding = Option.getOrElse(Headers.get(response.headers, "content-encoding"), () => "")
    .trim()
    .toLowerCase()
  const tooLong = decode(
    `the reply is longer than ${maxBytes} bytes: ask for less, or raise maxReplyBytes and maxSmallReplyBytes`
  )
  const stream = Stream.mapError(response.stream, (error) =>
    Encoding.isError(causeOf(error))
      ? decode(`the reply is not ${SafeText.make(encoding)}, as its content-encoding says`)()
      : failed(method, host)(error)
  )
  const received = collect(stream, maxBytes, tooLong)
  return Effect.flatMap(received, (chunks) => {
    if (!Encoding.isKnown(encoding)) return decode("the reply has a content-encoding that is not known")()
    const format = Encoding.formatOf(encoding, encoding === "" ? (chunks[0] ?? NO_BYTES) : joined(chunks))
    if (format === undefined) return Effect.succeed(toText(chunks))
    return Effect.map(collect(Encoding.undo(format, joined(chunks), maxBytes, decode), maxBytes, tooLong), toText)
  })
}

const NO_BYTES = new Uint8Array()

/** Returns a function that sends a JSON text for a method and returns the reply, up to a limit of bytes. */
export const make = (
  { host, url }: Endpoint,
  { headers, timeout }: Settings
): Effect.Effect<WireTransport.Post, never, HttpClient.HttpClient> =>
  Effect.map(UnfollowedClient.make, (client) => {
    const base = HttpClientRequest.post(Redacted.value(url), { headers, acceptJson: true })
    return (method, body, maxBytes) =>
      client.execute(HttpClientRequest.bodyText(base, body, "application/json")).pipe(
        Effect.mapError(failed(method, host)),
        Effect.flatMap((response) => reply(method, host, maxBytes, response)),
        Deadline.enforce(method, host),
        Deadline.within(timeout)
      )
  })
