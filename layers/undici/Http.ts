/**
 * One POST over the connections to an endpoint.
 *
 * Invariants: an exchange ends exactly once, by a reply, an error, the deadline or interruption; it then releases its
 * request and buffers; no callback throws, because the parsers of undici and Node call them; the reply never exceeds
 * its limit, before and after decompression.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as Zlib from "node:zlib"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { errors } from "undici"
import * as Deadline from "../../services/Deadline.js"
import * as Direct from "../../services/internal/direct.js"
import { cancelable } from "../../services/internal/hot.js"
import { RpcError } from "../../services/RpcTransport.js"
import type { HttpReply } from "../../services/wire/HttpStatus.js"
import type * as WireTransport from "../../services/wire/WireTransport.js"
import * as Causes from "../internal/Causes.js"
import type { Endpoint } from "../internal/Url.js"
import * as Connections from "./Connections.js"
import type { Call } from "./Line.js"
import type { Settings } from "./Settings.js"

const NO_HEADERS: IncomingHttpHeaders = {}
const NO_BYTES: Buffer = Buffer.alloc(0)

const isTimeout = (error: Error): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  error instanceof errors.HeadersTimeoutError ||
  error instanceof errors.BodyTimeoutError

const first = (header: string | ReadonlyArray<string> | undefined): string =>
  (typeof header === "string" ? header : header?.[0]) ?? ""

type Resume = (reply: Exit.Exit<HttpReply, RpcError>) => void

const OK = 200

/** A request and the limit of its reply. */
interface Question {
  readonly method: string
  readonly host: string
  readonly maxBytes: number
}

/**
 * A POST in flight, with the callback of its caller.
 *
 * It releases its references when it ends. Objects that survive a collection or two move to the old generation and are
 * collected late. They would keep the request, its headers and its buffers alive until then, which makes a call a sixth
 * more expensive.
 */
class Exchange implements Call {
  body: string
  sendings = 0
  #cancel: (() => void) | undefined
  #status = 0
  #headers = NO_HEADERS
  #size = 0
  /**
   * The bytes so far. Most replies arrive in one chunk; further chunks are copied together, since each chunk has an
   * overhead.
   */
  #bytes = NO_BYTES
  readonly #connections: Connections.Connections
  readonly #question: Question
  readonly #span: Tracer.AnySpan | undefined
  /** Set until the exchange ends. */
  #resume: Resume | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    connections: Connections.Connections,
    question: Question,
    body: string,
    left: number,
    span: Tracer.AnySpan | undefined,
    resume: Resume
  ) {
    this.body = body
    this.#connections = connections
    this.#question = question
    this.#span = span
    this.#resume = resume
    this.#timer = setTimeout(Exchange.timeOut, left, this, left)
    connections.dispatch(this)
  }

  static timeOut(exchange: Exchange, left: number): void {
    const { host, method } = exchange.#question
    exchange.#breakOff(Exit.fail(Deadline.exceeded(method, host, `no answer within ${left} ms`)))
  }

  /** Ends the exchange. Returns the callback on the first call only. */
  #end(): Resume | undefined {
    const resume = this.#resume
    if (resume === undefined) return undefined
    clearTimeout(this.#timer)
    this.body = ""
    this.#resume = undefined
    this.#timer = undefined
    this.#cancel = undefined
    return resume
  }

  #breakOff(outcome: Exit.Exit<HttpReply, RpcError>): void {
    const cancel = this.#cancel
    this.#end()?.(outcome)
    this.#takeBack(cancel)
  }

  abort(): void {
    const cancel = this.#cancel
    this.#end()
    this.#takeBack(cancel)
  }

  #takeBack(cancel: (() => void) | undefined): void {
    if (cancel === undefined) this.#connections.forget(this)
    else cancel()
  }

  onStart(cancel: () => void): void {
    if (this.#resume === undefined) cancel()
    else this.#cancel = cancel
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  onData(chunk: Buffer): void {
    if (this.#resume === undefined) return
    const size = this.#size + chunk.length
    if (size > this.#question.maxBytes) return this.#tooLong()
    if (this.#size === 0) this.#bytes = chunk
    else {
      if (size > this.#bytes.length) {
        const larger = Buffer.allocUnsafe(Math.min(2 * size, this.#question.maxBytes))
        this.#bytes.copy(larger, 0, 0, this.#size)
        this.#bytes = larger
      }
      chunk.copy(this.#bytes, this.#size)
    }
    this.#size = size
  }

  onEnd(): void {
    const resume = this.#end()
    if (resume === undefined) return
    if (this.#span?._tag === "Span") this.#span.attribute("network.protocol.version", this.#connections.protocol())
    const bytes = this.#bytes.subarray(0, this.#size)
    this.#bytes = NO_BYTES
    const encoding = first(this.#headers["content-encoding"]).trim().toLowerCase()
    if (encoding === "" || encoding === "identity") return resume(Exit.succeed(this.#reply(bytes.toString("utf8"))))
    // Until the bytes are decompressed, an abort uses the callback.
    this.#resume = resume
    undo(this.#question, encoding, bytes, (text) =>
      this.#end()?.(
        this.#status === OK
          ? Exit.fromEither(Either.map(text, (text) => this.#reply(text)))
          : Exit.succeed(this.#reply(Either.getOrElse(text, () => "")))
      )
    )
  }

  /** A reply with the received status. */
  #reply(text: string): HttpReply {
    return { status: this.#status, retryAfter: first(this.#headers["retry-after"]), text }
  }

  #tooLong(): void {
    this.#breakOff(this.#status === OK ? Exit.fail(tooLong(this.#question)) : Exit.succeed(this.#reply("")))
  }

  onError(cause: Error): void {
    const resume = this.#end()
    if (resume === undefined) return
    if (this.#status !== 0 && this.#status !== OK) return resume(Exit.succeed(this.#reply("")))
    const { host, method } = this.#question
    const reason = isTimeout(cause) ? "Timeout" : "Transport"
    resume(Exit.fail(new RpcError({ reason, method, host, detail: Causes.explain(cause), cause: withoutBytes(cause) })))
  }
}

/** Removes reply bytes from an error of undici's parser. */
const withoutBytes = (cause: Error): Error =>
  "data" in cause && cause.data !== undefined ? new Error(cause.name === "" ? "not HTTP" : cause.name) : cause

const tooLong = ({ host, maxBytes, method }: Question): RpcError =>
  new RpcError({
    reason: "Decode",
    method,
    host,
    detail: `the reply is longer than ${maxBytes} bytes: ask for less, or raise maxReplyBytes and maxSmallReplyBytes`
  })

type Undo = (
  bytes: Buffer,
  options: { readonly maxOutputLength: number },
  callback: (error: Error | null, undone: Buffer) => void
) => void

/** Some servers send deflate without the zlib header, as browsers accept. */
const inflate: Undo = (bytes, options, callback) =>
  ((bytes[0] ?? 0) & 0x0f) === 8 ? Zlib.inflate(bytes, options, callback) : Zlib.inflateRaw(bytes, options, callback)

/** Decoders for the same encodings as in fetch. Requests ask for gzip only. */
const ENCODINGS: ReadonlyMap<string, Undo> = new Map<string, Undo>([
  ["gzip", Zlib.gunzip],
  ["x-gzip", Zlib.gunzip],
  ["deflate", inflate],
  ["br", Zlib.brotliDecompress]
])

/** Calls back with the text under an encoding. */
const undo = (
  question: Question,
  encoding: string,
  bytes: Buffer,
  onText: (text: Either.Either<string, RpcError>) => void
): void => {
  const { host, maxBytes, method } = question
  const undecodable = (detail: string) => Either.left(new RpcError({ reason: "Decode", method, host, detail }))
  const decode = ENCODINGS.get(encoding)
  if (decode === undefined) return onText(undecodable("the reply has an unknown content-encoding"))
  decode(bytes, { maxOutputLength: maxBytes }, (error, undone) => {
    if (error === null) return onText(Either.right(undone.toString("utf8")))
    const isTooLong = error instanceof RangeError
    onText(
      isTooLong
        ? Either.left(tooLong(question))
        : undecodable(`the reply is not valid ${encoding}, despite its content-encoding`)
    )
  })
}

/** Opens a pool of connections that exists as long as the scope. */
export const make = (endpoint: Endpoint, settings: Settings): Effect.Effect<WireTransport.Post, never, Scope.Scope> =>
  Effect.map(
    Connections.make(endpoint, settings, {
      // Names in lower case, so that these headers replace the same ones of the application.
      ...Record.mapKeys(settings.headers, (name) => name.toLowerCase()),
      "content-type": "application/json",
      accept: "application/json",
      "accept-encoding": "gzip"
    }),
    (connections) => post(connections, endpoint.host, Duration.toMillis(settings.requestTimeout))
  )

const post = (connections: Connections.Connections, host: string, requestTimeout: number): WireTransport.Post => {
  const begin = (
    question: Question,
    body: string,
    left: number,
    span: Tracer.AnySpan | undefined,
    resume: Resume
  ): (() => void) => {
    const exchange = new Exchange(connections, question, body, left, span, resume)
    return () => exchange.abort()
  }
  return Direct.startable(
    (method, body, maxBytes) =>
      Effect.withFiberRuntime((fiber) => {
        const left = Math.min(requestTimeout, Deadline.of(fiber) - Deadline.now(fiber))
        return left > 0
          ? cancelable((resume) => begin({ method, host, maxBytes }, body, left, fiber.currentSpan, resume))
          : Effect.fail(Deadline.exceeded(method, host, "not sent, its deadline has passed"))
      }),
    ({ deadline, now }, onEnd, method, body, maxBytes) => {
      const left = Math.min(requestTimeout, deadline - now)
      return left > 0 ? begin({ method, host, maxBytes }, body, left, undefined, onEnd) : undefined
    }
  )
}
