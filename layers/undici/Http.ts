/**
 * One POST on undici's `dispatch`, its lowest public call.
 *
 * @since 0.1.0
 */
import type { IncomingHttpHeaders } from "node:http"
import * as Zlib from "node:zlib"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { errors } from "undici"
import type { Dispatcher } from "undici"
import { cancelable } from "../../services/internal/cancelable.js"
import type { HttpReply } from "../../services/wire/HttpStatus.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Deadline from "../../services/Deadline.js"
import * as Connections from "./Connections.js"
import type { Endpoint } from "../internal/Url.js"
import type { Settings } from "./Settings.js"

/**
 * Sends a JSON text for a method and gives the reply.
 *
 * @since 0.1.0
 * @category models
 */
export type Post = (method: string, body: string) => Effect.Effect<HttpReply, RpcError>

const ABORTED = new Error("aborted by its caller")

const NO_HEADERS: IncomingHttpHeaders = {}

const isTimeout = (error: Error): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  error instanceof errors.HeadersTimeoutError ||
  error instanceof errors.BodyTimeoutError

const first = (header: string | ReadonlyArray<string> | undefined): string =>
  (typeof header === "string" ? header : header?.[0]) ?? ""

type Resume = (reply: Effect.Effect<HttpReply, RpcError>) => void

const OK = 200

/** All calls to one endpoint. */
interface Route {
  readonly connections: Connections.Connections
  readonly host: string
  readonly isSecure: boolean
  readonly path: string
  readonly headers: Record<string, string>
  readonly maxReplyBytes: number
}

/**
 * One POST on its way, and the fiber that waits for it.
 *
 * It lets go of what it held when it is over. What was in flight at a collection or two moves to the old generation, is
 * collected late there, and would keep the request, its headers and its buffers alive until then: without that, a call
 * costs a sixth more.
 */
class Exchange implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers = NO_HEADERS
  #size = 0
  /** Most replies come in one piece. */
  #body: Buffer | undefined
  #rest: Array<Buffer> | undefined
  readonly #route: Route
  readonly #method: string
  readonly #span: Tracer.AnySpan | undefined
  /** Until it is over. */
  #resume: Resume | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    route: Route,
    method: string,
    body: string,
    left: number,
    span: Tracer.AnySpan | undefined,
    resume: Resume
  ) {
    this.#route = route
    this.#method = method
    this.#span = span
    this.#resume = resume
    this.#timer = setTimeout(Exchange.timeOut, left, this, left)
    const { connections, headers, isSecure, path } = route
    // A POST is not idempotent to HTTP, and undici would not share a connection between two that are not.
    connections.dispatch({ path, method: "POST", headers, body, idempotent: isSecure }, this)
  }

  static timeOut(exchange: Exchange, left: number): void {
    exchange.#breakOff(
      Effect.fail(Deadline.exceeded(exchange.#method, exchange.#route.host, `no answer within ${left} ms`))
    )
  }

  /** Ends it, once; gives who waits, if it was not over yet. */
  #end(): Resume | undefined {
    const resume = this.#resume
    if (resume === undefined) return undefined
    clearTimeout(this.#timer)
    this.#resume = undefined
    this.#timer = undefined
    this.#controller = undefined
    this.#route.connections.done()
    return resume
  }

  #breakOff(outcome: Effect.Effect<HttpReply, RpcError>): void {
    const controller = this.#controller
    this.#end()?.(outcome)
    controller?.abort(ABORTED)
  }

  abort(): void {
    const controller = this.#controller
    this.#end()
    controller?.abort(ABORTED)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#resume === undefined) controller.abort(ABORTED)
    else this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#route.maxReplyBytes) this.#tooLong()
    else if (this.#body === undefined) this.#body = chunk
    else if (this.#rest === undefined) this.#rest = [chunk]
    else this.#rest.push(chunk)
  }

  onResponseEnd(): void {
    const resume = this.#end()
    if (resume === undefined) return
    const { connections } = this.#route
    if (this.#span?._tag === "Span") this.#span.attribute("network.protocol.version", connections.protocol())
    const status = this.#status
    const retryAfter = first(this.#headers["retry-after"])
    const body = text(this.#route, this.#method, this.#headers, this.#whole())
    const reply = Effect.map(body, (text) => ({ status, retryAfter, text }))
    resume(status === OK ? reply : Effect.orElseSucceed(reply, () => ({ status, retryAfter, text: "" })))
  }

  /** The status that came, without the body that did not. */
  #bodiless(): Effect.Effect<HttpReply> {
    return Effect.succeed({ status: this.#status, retryAfter: first(this.#headers["retry-after"]), text: "" })
  }

  #tooLong(): void {
    this.#breakOff(this.#status === OK ? Effect.fail(tooLong(this.#route, this.#method)) : this.#bodiless())
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    const resume = this.#end()
    if (resume === undefined) return
    if (this.#status !== 0 && this.#status !== OK) return resume(this.#bodiless())
    const reason = isTimeout(cause) ? "Timeout" : "Transport"
    const { host } = this.#route
    resume(Effect.fail(new RpcError({ reason, method: this.#method, host, detail: cause.message, cause })))
  }

  #whole(): Buffer {
    const body = this.#body ?? Buffer.alloc(0)
    this.#body = undefined
    return this.#rest === undefined ? body : Buffer.concat([body, ...this.#rest], this.#size)
  }
}

const tooLong = ({ host, maxReplyBytes }: Route, method: string): RpcError =>
  new RpcError({ reason: "Decode", method, host, detail: `the reply is longer than ${maxReplyBytes} bytes` })

const gunzip = (route: Route, method: string, body: Buffer): Effect.Effect<string, RpcError> =>
  Effect.async((resume) =>
    Zlib.gunzip(body, { maxOutputLength: route.maxReplyBytes }, (error, inflated) =>
      resume(
        error === null
          ? Effect.succeed(inflated.toString("utf8"))
          : Effect.fail(
              error instanceof RangeError
                ? tooLong(route, method)
                : new RpcError({
                    reason: "Decode",
                    method,
                    host: route.host,
                    detail: "the reply is not gzip",
                    cause: error
                  })
            )
      )
    )
  )

const text = (
  route: Route,
  method: string,
  headers: IncomingHttpHeaders,
  body: Buffer
): Effect.Effect<string, RpcError> => {
  const encoding = first(headers["content-encoding"]).toLowerCase()
  if (encoding === "" || encoding === "identity") return Effect.succeed(body.toString("utf8"))
  if (encoding === "gzip") return gunzip(route, method, body)
  const detail = "the reply has a content-encoding not asked for"
  return Effect.fail(new RpcError({ reason: "Decode", method, host: route.host, detail }))
}

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
  const route: Route = {
    connections,
    host,
    isSecure,
    path: `${pathname}${search}`,
    headers: {
      ...settings.headers,
      "content-type": "application/json",
      accept: "application/json",
      "accept-encoding": "gzip"
    },
    maxReplyBytes: settings.maxReplyBytes
  }
  return (method, body) =>
    Effect.withFiberRuntime((fiber) => {
      const left = Math.min(requestTimeout, Deadline.of(fiber) - Deadline.now(fiber))
      return left > 0
        ? cancelable((resume) => {
            const exchange = new Exchange(route, method, body, left, fiber.currentSpan, resume)
            return () => exchange.abort()
          })
        : Effect.fail(Deadline.exceeded(method, host, "not sent, its deadline has passed"))
    })
}
