/**
 * Sends one request with a complete body, and reads at most a limited number of bytes of the reply. It works over any
 * `HttpClient` of `@effect/platform`; `UndiciExchange` does the same on Node at lower cost.
 *
 * It follows no redirect and requests no compression.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { collect, cut } from "../../services/internal/body.js"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import * as UnfollowedClient from "../../services/internal/unfollowedClient.js"

export type Method = "PUT" | "GET" | "HEAD" | "DELETE"

export interface Request {
  readonly method: Method
  readonly target: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The whole body; `undefined` if it exceeds the limit. */
  readonly body: Uint8Array | undefined
}

/** The connection failed; `cause` has the reason. */
export class Disconnected {
  readonly _tag = "Disconnected"

  constructor(readonly cause: unknown) {}
}

/** The reply was not complete in time. */
export class Late {
  readonly _tag = "Late"
}

export interface Limits {
  /** The maximum bytes of a body, by status. */
  readonly bytesOf: (status: number) => number
  /** Milliseconds to the last byte of the reply. */
  readonly timeout: number
}

/** Makes one request. An interruption closes the connection. */
export type Exchange = (request: Request, limits: Limits) => Effect.Effect<Reply, Disconnected | Late>

/** Only the cause of the client's error. Its message contains the URL, and its request the headers. */
const disconnected = (error: HttpClientError.HttpClientError): Disconnected =>
  new Disconnected("cause" in error ? error.cause : undefined)

/** The body size that the reply states; 0 if it states none, or if the body is compressed. */
const statedSize = (headers: Reply["headers"]): number => {
  const stated = Number(headers["content-length"] ?? 0)
  return headers["content-encoding"] === undefined && Number.isSafeInteger(stated) && stated > 0 ? stated : 0
}

const NO_BYTES = new Uint8Array(0)

const bodyOf = (
  { headers, stream }: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<Uint8Array | undefined, Disconnected> =>
  headers["content-length"] === "0"
    ? Effect.succeed(NO_BYTES)
    : stream.pipe(
        // `fetch` reports an empty body for status 204
        Stream.catchAll((error) => (error.reason === "EmptyBody" ? Stream.empty : Stream.fail(error))),
        Stream.mapError(disconnected),
        (bytes) => collect(bytes, statedSize(headers), limit)
      )

export const overHttpClient: Effect.Effect<Exchange, never, HttpClient.HttpClient> = Effect.map(
  UnfollowedClient.make,
  (client): Exchange =>
    ({ body, headers, method, target }, { bytesOf, timeout }) =>
      client
        .execute(
          HttpClientRequest.make(method)(target, {
            headers,
            body: body === undefined ? HttpBody.empty : HttpBody.uint8Array(ownBytes(body), "application/octet-stream")
          })
        )
        .pipe(
          Effect.mapError(disconnected),
          Effect.flatMap((response) => {
            const { headers, status } = response
            const limit = bytesOf(status)
            const body =
              method === "HEAD"
                ? Effect.succeed(NO_BYTES)
                : statedSize(headers) > limit
                  ? Effect.as(cut(response), undefined)
                  : bodyOf(response, limit)
            return Effect.map(body, (body): Reply => ({ status, headers, body }))
          }),
          TimeLimit.within(timeout, () => new Late())
        )
)

/** A copy for `fetch`, which refuses views of a `SharedArrayBuffer`. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes)
