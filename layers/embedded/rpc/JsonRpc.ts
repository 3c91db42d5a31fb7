/** JSON-RPC 2.0: converts the text of a request, or of an array of requests, to the text of the reply. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
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

/**
 * Answers any text. `undefined` if the text holds only notifications. A call that dies is logged and answered with an
 * internal error.
 */
export const answer = (text: string, call: Call): Effect.Effect<string | undefined> => {
  const parsed = Json.parse(text)
  if (Either.isLeft(parsed)) return Effect.succeed(Json.stringify(failure(null, JsonRpcError.parse())))
  const body = parsed.right
  if (!Array.isArray(body)) return Effect.map(answerOne(body, call), (reply) => reply && Json.stringify(reply))
  if (body.length === 0) return Effect.succeed(Json.stringify(failure(null, JsonRpcError.request())))
  return Effect.map(
    Effect.forEach(body, (item) => answerOne(item, call)),
    (replies) => {
      const answered = replies.filter((reply) => reply !== undefined)
      return answered.length === 0 ? undefined : Json.stringify(answered)
    }
  )
}

/** The text of a notification. */
export const notification = (method: string, subscription: number, result: unknown): string =>
  Json.stringify({ jsonrpc: "2.0", method, params: { result, subscription } })

const answerOne = (body: unknown, call: Call): Effect.Effect<object | undefined> => {
  const request = readRequest(body)
  if (Either.isLeft(request)) return Effect.succeed(request.left)
  const { method, params, id } = request.right
  return call(method, params).pipe(
    Effect.map((result) => (id === undefined ? undefined : { jsonrpc: "2.0", id, result })),
    Effect.catchAllDefect((defect) =>
      Effect.zipRight(Effect.logError("a JSON-RPC call died", defect), Effect.fail(JsonRpcError.internal()))
    ),
    Effect.catchAll((error) => Effect.succeed(id === undefined ? undefined : failure(id, error)))
  )
}

const failure = (id: Id, { code, message, data }: JsonRpcError.JsonRpcError): object => ({
  jsonrpc: "2.0",
  id,
  error: data === undefined ? { code, message } : { code, message, data }
})

const readRequest = (body: unknown): Either.Either<Request, object> => {
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

const isId = (id: unknown): id is Id | undefined =>
  id === undefined || id === null || typeof id === "string" || typeof id === "number" || typeof id === "bigint"
