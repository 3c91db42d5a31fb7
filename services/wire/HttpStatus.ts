/**
 * Reads JSON-RPC replies from HTTP responses.
 *
 * The body decides first. A JSON-RPC response with the id of the call is the call's answer under any HTTP status, because
 * gateways replace the node's status by their own. Without such a response the call fails by its status, and the error
 * quotes the start of the body.
 */
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Clock from "../internal/clock.js"
import * as Verdict from "../internal/verdict.js"
import { RpcError } from "../RpcTransport.js"
import type { RpcCall } from "../RpcTransport.js"
import * as JsonRpc from "./JsonRpc.js"
import * as RetryAfter from "./RetryAfter.js"

/** A reply with its whole body. */
export interface HttpReply {
  readonly status: number
  /** The header `Retry-After`, empty for none. */
  readonly retryAfter: string
  /** The body. With a status other than 200 the transport may leave it empty. */
  readonly text: string
}

type Items = ReadonlyArray<Either.Either<unknown, RpcError>>

/** Reads the replies of one endpoint. */
export interface Reader {
  /** The result in the reply to one request. `fiber` is the caller's fiber, whose Clock is used. */
  readonly one: <A, E>(
    fiber: Fiber.RuntimeFiber<A, E>,
    reply: HttpReply,
    id: number,
    method: string
  ) => Either.Either<unknown, RpcError>
  /** The results in the reply to an array, in the order of the calls. */
  readonly many: <A, E>(
    fiber: Fiber.RuntimeFiber<A, E>,
    reply: HttpReply,
    firstId: number,
    calls: ReadonlyArray<RpcCall>
  ) => Either.Either<Items, RpcError>
}

const OK = 200

/** Characters of a body that an error quotes. */
const MAX_PIECE = 300

const mapErrors = (answer: Either.Either<Items, RpcError>, f: (error: RpcError) => RpcError) =>
  Either.mapBoth(answer, { onLeft: f, onRight: (items): Items => items.map(Either.mapLeft(f)) })

/** Adds the wait of the `Retry-After` header to the `RateLimited` errors of an answer. */
const withWait = <A, X, E>(
  fiber: Fiber.RuntimeFiber<X, E>,
  { retryAfter: header }: HttpReply,
  answer: Either.Either<A, RpcError>,
  map: (answer: Either.Either<A, RpcError>, f: (error: RpcError) => RpcError) => Either.Either<A, RpcError>
): Either.Either<A, RpcError> =>
  header === ""
    ? answer
    : Option.match(RetryAfter.parse(header, Clock.wall(fiber)), {
        onNone: () => answer,
        onSome: (retryAfter) =>
          map(answer, (error) => (error.reason === "RateLimited" ? new RpcError({ ...error, retryAfter }) : error))
      })

/**
 * The reader for an endpoint. `clean` makes a text from outside safe to show: it removes the secrets of the endpoint's URL
 * and headers, and control characters.
 */
export const reader = (host: string, clean: (text: string, maxLength?: number) => string): Reader => {
  const failure = (
    { retryAfter, status }: HttpReply,
    now: number,
    error: Pick<RpcError, "code" | "data" | "detail" | "method"> & { readonly isAnswer: boolean }
  ): RpcError => {
    const { code, data, detail, isAnswer, method } = error
    const isLimit =
      (Verdict.ofStatus(status) === "limit" && !(isAnswer && Verdict.isOfTheCall(code))) ||
      (code !== undefined && Verdict.ofCode(code, detail) === "limit")
    return new RpcError({
      reason: isLimit ? "RateLimited" : isAnswer ? "Node" : "HttpStatus",
      method,
      host,
      status,
      detail,
      code,
      data,
      retryAfter: Option.getOrUndefined(RetryAfter.parse(retryAfter, now))
    })
  }

  /** The failure of a call without an answer. It quotes the body's JSON-RPC error, or else the body. */
  const unanswered = (
    reply: HttpReply,
    method: string,
    error: JsonRpc.NodeError | undefined,
    now: number
  ): RpcError => {
    const piece = clean(error?.message ?? reply.text, MAX_PIECE).trim()
    const detail = `HTTP status ${reply.status}${piece === "" ? "" : `: ${piece}`}`
    return failure(reply, now, { method, detail, code: error?.code, data: error?.data, isAnswer: false })
  }

  const answered = (reply: HttpReply, now: number) => (error: RpcError) =>
    error.code !== undefined
      ? failure(reply, now, {
          method: error.method,
          detail: error.detail,
          code: error.code,
          data: error.data,
          isAnswer: true
        })
      : error

  return {
    one: (fiber, reply, id, method) => {
      if (reply.status === OK) {
        return withWait(fiber, reply, JsonRpc.reply(reply.text, id, method, host, clean), Either.mapLeft)
      }
      const now = Clock.wall(fiber)
      const response = JsonRpc.read(reply.text, method, clean)
      return response?.id === id
        ? Either.mapLeft(response.outcome, ({ code, data, message }) =>
            failure(reply, now, { method, detail: message, code, data, isAnswer: true })
          )
        : Either.left(unanswered(reply, method, JsonRpc.errorOf(response), now))
    },
    many: (fiber, reply, firstId, calls) => {
      const answers = JsonRpc.batchReply(reply.text, firstId, calls, host, clean)
      if (reply.status === OK) return withWait(fiber, reply, answers, mapErrors)
      const now = Clock.wall(fiber)
      return Either.mapBoth(answers, {
        onLeft: () => unanswered(reply, "batch", JsonRpc.errorOf(JsonRpc.read(reply.text, "batch", clean)), now),
        onRight: (items) => items.map(Either.mapLeft(answered(reply, now)))
      })
    }
  }
}
