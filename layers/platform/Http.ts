/**
 * One POST on the `HttpClient` of `@effect/platform`.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as HttpStatus from "../../services/rpc/HttpStatus.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Deadline from "../../services/transport/Deadline.js"
import type { Endpoint } from "../internal/Url.js"

/** What holds for every call. */
export interface Settings {
  readonly headers: { readonly [name: string]: string }
  /** Milliseconds from the call to the last byte of its reply. */
  readonly timeout: number
  readonly maxReplyBytes: number
}

const causeOf = (error: HttpClientError.HttpClientError): unknown => ("cause" in error ? error.cause : undefined)

/** The client's own error tells the URL: only what is below it may be shown. */
const describe = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "the request failed"
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message
}

const failed = (method: string, host: string) => (error: HttpClientError.HttpClientError) => {
  const cause = causeOf(error)
  return new RpcError({ reason: "Transport", method, host, detail: describe(cause), cause })
}

const refused = (method: string, host: string, { headers, status }: HttpClientResponse.HttpClientResponse) =>
  HttpStatus.refused(
    method,
    host,
    status,
    Option.getOrElse(Headers.get(headers, "retry-after"), () => "")
  )

const text = (
  method: string,
  host: string,
  maxBytes: number,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<string, RpcError> =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let size = 0
    return response.stream.pipe(
      Stream.mapError(failed(method, host)),
      Stream.runFoldEffect("", (text, bytes) => {
        size += bytes.length
        return size <= maxBytes
          ? Effect.succeed(text + decoder.decode(bytes, { stream: true }))
          : new RpcError({ reason: "Decode", method, host, detail: `the reply is longer than ${maxBytes} bytes` })
      }),
      Effect.map((text) => text + decoder.decode())
    )
  })

/** Gives a function that sends a JSON text for a method and gives the text of the reply. */
export const make = (
  { host, url }: Endpoint,
  { headers, maxReplyBytes, timeout }: Settings
): Effect.Effect<(method: string, body: string) => Effect.Effect<string, RpcError>, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (httpClient) => {
    const client = httpClient.pipe(
      HttpClient.withTracerDisabledWhen(() => true),
      HttpClient.withTracerPropagation(false)
    )
    const base = HttpClientRequest.post(Redacted.value(url), { headers, acceptJson: true })
    return (method, body) =>
      client.execute(HttpClientRequest.bodyText(base, body, "application/json")).pipe(
        Effect.mapError(failed(method, host)),
        Effect.flatMap((response) =>
          response.status === 200 ? text(method, host, maxReplyBytes, response) : refused(method, host, response)
        ),
        Deadline.enforce(method, host),
        Deadline.within(timeout)
      )
  })
