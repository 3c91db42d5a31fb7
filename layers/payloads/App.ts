/** Answers the requests of a payload server. */
import type { Default as HttpApp } from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Measured from "../../services/internal/measured.js"
import * as StoreFailure from "../../services/internal/storeFailure.js"
import * as TimeLimit from "../../services/internal/timeLimit.js"
import * as Metrics from "../../services/Metrics.js"
import * as PrometheusServer from "../PrometheusServer.js"
import * as Access from "./Access.js"
import type { Ledger, QuotaExceeded } from "./Ledger.js"
import * as Path from "./Path.js"
import * as Range from "./Range.js"
import { BadBody, receive, receiveWhole } from "./Receive.js"
import { type Entry, PIECE, type Storage, type StorageError } from "./Storage.js"

export interface Settings {
  readonly storage: Storage
  readonly ledger: Ledger
  readonly access: Access.Access
  readonly maxBytes: number
  /** Maximum milliseconds until a body has arrived. */
  readonly bodyTimeout: number
}

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse
type Headers = Readonly<Record<string, string>>

/** Headers that prevent a browser from guessing the type of a payload and from executing it. */
const INERT: Headers = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "sandbox; default-src 'none'",
  "content-disposition": "attachment"
}

/** The rest of the body stays unread, so the connection cannot be reused. */
const CLOSE: Headers = { connection: "close" }

const RETRY: Headers = { "retry-after": "1" }

const METHODS = "GET, HEAD, PUT, DELETE, OPTIONS"

const plain = (status: number, text: string, headers: Headers = {}): Response =>
  HttpServerResponse.text(text, { status, headers })

const empty = (status: number, headers: Headers = {}): Response => HttpServerResponse.empty({ status, headers })

const badBody = ({ reason }: BadBody): Response => {
  switch (reason) {
    case "Mismatch":
      return plain(400, "the SHA-256 of the body is not the hash in the path")
    case "TooLarge":
      return plain(413, "the payload exceeds the limit of the server", CLOSE)
    case "Broken":
      return plain(400, "the body ended early", CLOSE)
  }
}

const storageFailed = ({ reason }: StorageError): Response => {
  switch (reason) {
    case "Full":
      return plain(507, "the storage is full", CLOSE)
    case "Busy":
      return plain(503, "too many concurrent uploads", { ...CLOSE, ...RETRY })
    case "Failed":
      return plain(500, "the storage failed", CLOSE)
  }
}

const say = (status: number, text: string, more?: Headers) => Effect.succeed(plain(status, text, more))

const asked = (method: string, answer: Effect.Effect<Response>): Effect.Effect<Response> =>
  method === "GET" || method === "HEAD" ? answer : say(405, "GET is required", { allow: "GET, HEAD" })

const metrics: Effect.Effect<Response> = Effect.map(Effect.orDie(PrometheusServer.text()), (text) =>
  HttpServerResponse.text(text, { contentType: PrometheusServer.CONTENT_TYPE, headers: INERT })
)

/** The hash of no payload. The health check looks it up in the storage. */
const NONE = "0".repeat(64)

/**
 * Milliseconds for which a refused body is still read and dropped. A client reads the refusal only after it has sent
 * the body.
 */
const LINGER = 1000

const METHODS_COUNTED: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])

export const make = ({ access, bodyTimeout, ledger, maxBytes, storage }: Settings): HttpApp<never, Scope.Scope> => {
  const take = receive(storage, ledger, { maxBytes })

  const health = storage.find(NONE).pipe(
    Effect.as(plain(200, "ok")),
    Effect.catchAll((failure) => Effect.as(failed(failure), plain(503, "the storage cannot be read", RETRY)))
  )

  const whole = (entry: Entry, offset: number, length: number): Effect.Effect<Uint8Array, StorageError> =>
    Effect.map(Stream.runCollect(storage.read(entry, offset, length)), (pieces) => {
      const [only] = pieces
      if (only !== undefined && Chunk.size(pieces) === 1) return only
      const bytes = new Uint8Array(length)
      let at = 0
      for (const piece of pieces) {
        bytes.set(piece, at)
        at += piece.length
      }
      return bytes
    })

  const get = (request: Request, key: string): Effect.Effect<Response, StorageError> =>
    Effect.gen(function* () {
      const entry = (yield* ledger.find(key))[0]
      if (entry === undefined) return plain(404, "no such payload")
      const etag = `"${key}"`
      const headers = { etag, "accept-ranges": "bytes", "cache-control": "private, no-transform", ...INERT }
      const known = request.headers["if-none-match"]
      if (known !== undefined && known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
        return empty(304, headers)
      }
      const range = request.method === "GET" ? Range.parse(request.headers["range"], entry.size) : undefined
      if (range === "unsatisfiable") {
        return plain(416, "the range is outside of the payload", { "content-range": `bytes */${entry.size}` })
      }
      const { length, offset } = range ?? { offset: 0, length: entry.size }
      const status = range === undefined ? 200 : 206
      const partial: Headers =
        range === undefined ? {} : { "content-range": `bytes ${offset}-${offset + length - 1}/${entry.size}` }
      const type = "application/octet-stream"
      if (request.method === "HEAD") {
        return empty(200, { ...headers, "content-type": type, "content-length": String(entry.size) })
      }
      const options = { status, headers: { ...headers, ...partial }, contentType: type }
      return length <= PIECE
        ? HttpServerResponse.uint8Array(length === 0 ? new Uint8Array() : yield* whole(entry, offset, length), options)
        : HttpServerResponse.stream(storage.read(entry, offset, length), { ...options, contentLength: length })
    })

  const put = (request: Request, key: string, owner: string): Effect.Effect<Response, never, Scope.Scope> =>
    Effect.gen(function* () {
      const encoding = request.headers["content-encoding"]
      if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
        return plain(415, "send the payload without a content-encoding")
      }
      const stated = Number(request.headers["content-length"] ?? 0)
      const isTooLarge = stated > maxBytes
      const isShort = request.headers["content-length"] !== undefined && stated <= PIECE && !isTooLarge
      const pull = isShort ? Effect.fail(Option.none()) : yield* Stream.toPull(request.stream)
      const linger = Effect.forever(pull).pipe(TimeLimit.orElse(LINGER, constVoid), Effect.ignore, Effect.interruptible)
      const received = isShort ? short(request, stated, key, owner) : take({ key, owner, pull })
      return yield* (isTooLarge ? Effect.fail(new BadBody("TooLarge")) : received).pipe(
        Effect.tap((size) =>
          Effect.withFiberRuntime((fiber) =>
            Effect.sync(() => Measured.update(fiber, Metrics.payloadBytesReceived, size))
          )
        ),
        Effect.as(plain(200, "")),
        TimeLimit.orElse(bodyTimeout, () => plain(408, "the body did not arrive in time", CLOSE)),
        // The platform runs handlers uninterruptibly. Without this, neither the time limit nor a disconnect would end
        // the handler.
        Effect.interruptible,
        Effect.catchAll((failure) =>
          failed(failure).pipe(
            Effect.tap((response) => (response.headers["connection"] === "close" ? linger : Effect.void))
          )
        )
      )
    })

  /** A body of one piece. A fiber of the request reads it, so that a refusal can be sent even if the body is slow. */
  const short = (request: Request, size: number, key: string, owner: string) =>
    Effect.forkScoped(request.arrayBuffer).pipe(
      Effect.flatMap(Fiber.join),
      Effect.mapError(() => new BadBody("Broken")),
      Effect.filterOrFail(
        (body) => body.byteLength === size,
        () => new BadBody("Broken")
      ),
      Effect.flatMap((body) => receiveWhole(ledger, { bytes: new Uint8Array(body), key, owner }))
    )

  const remove = (key: string, owner: string): Effect.Effect<Response, StorageError> =>
    access.mayRemove
      ? Effect.as(ledger.remove(key, owner), empty(204))
      : Effect.succeed(plain(403, "a payload that was put without a token expires, and cannot be removed"))

  const answer = (request: Request): Effect.Effect<Response, never, Scope.Scope> => {
    const { headers, method } = request
    const path = request.url.split("?")[0] ?? ""
    if (method === "OPTIONS") return Effect.succeed(empty(204, { ...Access.PREFLIGHT, allow: METHODS }))
    if (path === "/health") return asked(method, health)
    const unauthorized = () => say(401, "a token is required", { "www-authenticate": "Bearer" })
    if (path === "/metrics" && access.mayMeasure !== undefined) {
      return access.mayMeasure(headers) ? asked(method, metrics) : unauthorized()
    }
    const target = Path.parse(path)
    if (target === "unknown") return say(404, "no such path")
    if (target === "malformed")
      return say(400, "the last part of the path must be a SHA-256 in 64 lower-case hexadecimal digits")
    const { key } = target
    switch (method) {
      case "GET":
      case "HEAD":
        return access.isReadable(headers) ? Effect.catchAll(get(request, key), failed) : unauthorized()
      case "PUT":
      case "DELETE": {
        const owner = access.ownerOf(headers)
        if (owner === undefined) return unauthorized()
        return method === "PUT" ? put(request, key, owner) : Effect.catchAll(remove(key, owner), failed)
      }
      default:
        return say(405, `one of ${METHODS} is required`, { allow: METHODS })
    }
  }

  return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.withFiberRuntime<Response, never, Scope.Scope>((fiber) =>
      Effect.map(answer(request), (response) => {
        const method = METHODS_COUNTED.has(request.method) ? request.method : "other"
        Measured.update(fiber, Metrics.payloadRequestsOf(method, response.status), 1)
        return HttpServerResponse.setHeaders(response, access.cors(request.headers))
      })
    )
  ).pipe(Effect.withTracerEnabled(false))
}

/** The refusal for a failure. Faults of the storage are logged for the operator. */
const failed = (failure: BadBody | QuotaExceeded | StorageError): Effect.Effect<Response> => {
  switch (failure._tag) {
    case "BadBody":
      return Effect.succeed(badBody(failure))
    case "QuotaExceeded":
      return Effect.succeed(plain(507, "the quota is used up", CLOSE))
    case "StorageError":
      return Effect.as(
        failure.reason === "Busy"
          ? Effect.void
          : Effect.logError(`The payload storage failed: ${StoreFailure.explain(failure.cause)}`),
        storageFailed(failure)
      )
  }
}
