/**
 * JSON-RPC 2.0: converts the text of a request, or of an array of requests, to the text of the reply.
 *
 * Invariants: any text gets an answer. An array is answered in several turns of the event loop, so that other requests
 * are answered in between. Its requests and its reply are bounded, because a small array can request a large reply many
 * times.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as EventLoop from "../../../services/internal/eventLoop.js"
import * as Json from "../../../src/solana/Json.js"
import * as JsonRpcError from "./JsonRpcError.js"

/** Answers a call. */
export type Call = (method: string, params: ReadonlyArray<unknown>) => Effect.Effect<unknown, JsonRpcError.JsonRpcError>

type Id = string | number | bigint | null

interface Request {
  readonly method: string
  readonly params: ReadonlyArray<unknown>
  /** A request without an id is a notification, which gets no reply. */
  readonly id: Id | undefined
}

/** Maximum requests of an array. */
const MAX_REQUESTS = 10_000

/** Maximum characters of the replies to an array: half of the longest string of V8. */
const MAX_REPLY_CHARACTERS = 256 * 1024 * 1024

/** A turn costs about 30 µs, a call some 10 µs to some milliseconds. */
const REQUESTS_PER_TURN = 16

/**
 * Answers any text. `undefined` if the text holds only notifications. A call that dies is logged and answered with an
 * internal error.
 */
export const answer = (
  text: string,
  call: Call,
  maxReplyCharacters = MAX_REPLY_CHARACTERS
): Effect.Effect<string | undefined> => {
  const parsed = Json.parseBounded(text)
  if (Either.isLeft(parsed)) return Effect.succeed(textOf(failure(null, JsonRpcError.parse())))
  const body = parsed.right
  if (!Array.isArray(body)) return answerOne(body, call)
  if (body.length === 0) return Effect.succeed(textOf(failure(null, JsonRpcError.request())))
  return body.length > MAX_REQUESTS
    ? Effect.succeed(textOf(failure(null, JsonRpcError.request(`an array of at most ${MAX_REQUESTS} requests`))))
    : answerAll(body, call, maxReplyCharacters)
}

const answerAll = (
  requests: ReadonlyArray<unknown>,
  call: Call,
  maxCharacters: number
): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const replies: Array<string> = []
    let characters = 0
    for (const [index, request] of requests.entries()) {
      if (index > 0 && index % REQUESTS_PER_TURN === 0) yield* EventLoop.next
      const reply = yield* answerOne(request, characters > maxCharacters ? tooLong : call)
      if (reply === undefined) continue
      characters += reply.length
      replies.push(reply)
    }
    return replies.length === 0 ? undefined : `[${replies.join(",")}]`
  })

const tooLong: Call = () => Effect.fail(JsonRpcError.internal("the earlier replies are too long: send smaller arrays"))

/** The text of a notification. */
export const notification = (method: string, subscription: number, result: unknown): string =>
  Json.stringify({ jsonrpc: "2.0", method, params: { result, subscription } })

const answerOne = (body: unknown, call: Call): Effect.Effect<string | undefined> => {
  const request = readRequest(body)
  if (Either.isLeft(request)) return Effect.succeed(textOf(request.left))
  const { method, params, id } = request.right
  return call(method, params).pipe(
    Effect.map((result) => (id === undefined ? undefined : textOf({ jsonrpc: "2.0", id, result }))),
    Effect.catchAllDefect((defect) =>
      Effect.zipRight(Effect.logError("a JSON-RPC call died", defect), Effect.fail(JsonRpcError.internal()))
    ),
    Effect.catchAll((error) => Effect.succeed(id === undefined ? undefined : textOf(failure(id, error))))
  )
}

interface Reply {
  readonly jsonrpc: "2.0"
  readonly id: Id
  readonly result?: unknown
  readonly error?: object
}

/** The text of a reply. A text above V8's maximum string length becomes an error. */
const textOf = (reply: Reply): string =>
  Either.getOrElse(
    Either.try(() => Json.stringify(reply)),
    () => Json.stringify(failure(reply.id, JsonRpcError.internal("the reply is too long")))
  )

const failure = (id: Id, { code, message, data }: JsonRpcError.JsonRpcError): Reply => ({
  jsonrpc: "2.0",
  id,
  error: data === undefined ? { code, message } : { code, message, data }
})

const readRequest = (body: unknown): Either.Either<Request, Reply> => {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return Either.left(failure(null, JsonRpcError.request()))
  }
  const fields: { readonly [field: string]: unknown } = { ...body }
  const { id, method, params } = fields
  if (!isId(id)) return Either.left(failure(null, JsonRpcError.request()))
  if (fields["jsonrpc"] !== "2.0") {
    return Either.left(failure(id ?? null, JsonRpcError.request("unsupported JSON-RPC protocol version")))
  }
  if (typeof method !== "string") return Either.left(failure(id ?? null, JsonRpcError.request()))
  if (params === undefined || params === null) return Either.right({ method, params: [], id })
  return Array.isArray(params)
    ? Either.right({ method, params, id })
    : Either.left(failure(id ?? null, JsonRpcError.params("Invalid params: expected an array")))
}

/** A number beyond JSON's range is not an id: the answer could not contain it. */
const isId = (id: unknown): id is Id | undefined =>
  id === undefined || id === null || ["string", "bigint"].includes(typeof id) || Number.isFinite(id)
