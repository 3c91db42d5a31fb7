/**
 * One POST on undici's `dispatch`, its lowest public call.
 *
 * @since 0.1.0
 */
import type { IncomingHttpHeaders } from "node:http"
import * as Zlib from "node:zlib"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { errors } from "undici"
import type { Dispatcher } from "undici"
import * as RetryAfter from "../../services/rpc/RetryAfter.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Deadline from "../../services/transport/Deadline.js"
import * as Connections from "./Connections.js"
import type { Endpoint } from "../internal/Url.js"
import type { Settings } from "./Settings.js"

/**
 * Sends a JSON text for a method and gives the text of the reply.
 *
 * @since 0.1.0
 * @category models
 */
export type Post = (method: string, body: string) => Effect.Effect<string, RpcError>

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const ABORTED = new Error("aborted by its caller")

const isTimeout = (error: Error): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  error instanceof errors.HeadersTimeoutError ||
  error instanceof errors.BodyTimeoutError

/** Most replies come in one piece. */
const joined = (chunks: ReadonlyArray<Buffer>, size: number): Buffer =>
  (chunks.length === 1 ? chunks[0] : undefined) ?? Buffer.concat(chunks, size)

const first = (header: string | ReadonlyArray<string> | undefined): string =>
  (typeof header === "string" ? header : header?.[0]) ?? ""

/**
 * Opens a pool of connections that lives as long as the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (endpoint: Endpoint, settings: Settings): Effect.Effect<Post, never, Scope.Scope> =>
  Effect.map(Connections.make(endpoint, settings), (connections) => post(connections, endpoint, settings))

const post = (connections: Connections.Connections, { host, isSecure, url }: Endpoint, settings: Settings): Post => {
  const requestTimeout = Duration.toMillis(settings.requestTimeout)
  const { pathname, search } = Redacted.value(url)
  const path = `${pathname}${search}`
  const headers: Record<string, string> = {
    ...settings.headers,
    "content-type": "application/json",
    accept: "application/json",
    "accept-encoding": "gzip"
  }

  const tooLong = (method: string) =>
    new RpcError({ reason: "Decode", method, host, detail: `the reply is longer than ${settings.maxReplyBytes} bytes` })

  const exchange = (method: string, body: string): Effect.Effect<Reply, RpcError> =>
    Effect.withFiberRuntime((fiber) => {
      const time = Deadline.now(fiber)
      const left = Math.min(requestTimeout, Deadline.of(fiber) - time)
      if (left <= 0) return Effect.fail(Deadline.exceeded(method, host, "not sent, its deadline has passed"))
      const span = fiber.currentSpan
      return Effect.async((resume) => {
        let controller: Dispatcher.DispatchController | undefined
        let isOver = false
        let status = 0
        let headersOfReply: IncomingHttpHeaders = {}
        let size = 0
        const chunks: Array<Buffer> = []

        const end = (): boolean => {
          if (isOver) return false
          isOver = true
          clearTimeout(timer)
          connections.done()
          return true
        }
        const fail = (error: RpcError) => {
          if (end()) resume(Effect.fail(error))
        }
        const abort = () => {
          if (end()) controller?.abort(ABORTED)
        }
        const timer = setTimeout(() => {
          resume(Effect.fail(Deadline.exceeded(method, host, `no answer within ${left} ms`)))
          abort()
        }, left)

        // A POST is not idempotent to HTTP, and undici would not share a connection between two that are not.
        connections.dispatch(
          { path, method: "POST", headers, body, idempotent: isSecure },
          {
            onRequestStart: (started) => {
              controller = started
              if (isOver) started.abort(ABORTED)
            },
            onResponseStart: (_, code, received) => {
              status = code
              headersOfReply = received
            },
            onResponseData: (_, chunk) => {
              size += chunk.length
              if (size <= settings.maxReplyBytes) return void chunks.push(chunk)
              resume(Effect.fail(tooLong(method)))
              abort()
            },
            onResponseEnd: () => {
              if (!end()) return
              if (span?._tag === "Span") span.attribute("network.protocol.version", connections.protocol())
              resume(Effect.succeed({ status, headers: headersOfReply, body: joined(chunks, size) }))
            },
            onResponseError: (_, cause) =>
              fail(
                new RpcError({
                  reason: isTimeout(cause) ? "Timeout" : "Transport",
                  method,
                  host,
                  detail: cause.message,
                  cause
                })
              )
          }
        )
        return Effect.sync(abort)
      })
    })

  const gunzip = (method: string, body: Buffer): Effect.Effect<Buffer, RpcError> =>
    Effect.async((resume) =>
      Zlib.gunzip(body, { maxOutputLength: settings.maxReplyBytes }, (error, inflated) =>
        resume(
          error === null
            ? Effect.succeed(inflated)
            : Effect.fail(
                error instanceof RangeError
                  ? tooLong(method)
                  : new RpcError({ reason: "Decode", method, host, detail: "the reply is not gzip", cause: error })
              )
        )
      )
    )

  const decoded = (method: string, { headers, body }: Reply): Effect.Effect<Buffer, RpcError> => {
    const encoding = first(headers["content-encoding"]).toLowerCase()
    if (encoding === "" || encoding === "identity") return Effect.succeed(body)
    if (encoding === "gzip") return gunzip(method, body)
    return Effect.fail(
      new RpcError({ reason: "Decode", method, host, detail: "the reply has a content-encoding not asked for" })
    )
  }

  const refused = (method: string, { status, headers }: Reply): Effect.Effect<never, RpcError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const retryAfter = Option.getOrUndefined(RetryAfter.parse(first(headers["retry-after"]), now))
      return Effect.fail(
        new RpcError({
          reason: status === 429 ? "RateLimited" : "HttpStatus",
          method,
          host,
          status,
          detail: `HTTP status ${status}`,
          ...(retryAfter === undefined ? {} : { retryAfter })
        })
      )
    })

  return (method, body) =>
    Effect.flatMap(exchange(method, body), (reply) =>
      reply.status === 200
        ? Effect.map(decoded(method, reply), (bytes) => bytes.toString("utf8"))
        : refused(method, reply)
    )
}
