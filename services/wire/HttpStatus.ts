/**
 * JSON-RPC over HTTP: what a reply says, whatever its status.
 *
 * The body decides, then the status. A JSON-RPC response with the id of the call is its answer under any status, since
 * gateways put a status of their own on what the node said. Otherwise the status is the failure, and a piece of the body
 * says why.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Clock from "../internal/clock.js"
import { RpcError } from "../RpcTransport.js"
import type { RpcCall } from "../RpcTransport.js"
import * as JsonRpc from "./JsonRpc.js"
import * as RetryAfter from "./RetryAfter.js"

/**
 * A reply with its whole body.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpReply {
  readonly status: number
  /** The header `Retry-After`, empty for none. */
  readonly retryAfter: string
  /** The body; of a status other than 200 it may be empty although there was one. */
  readonly text: string
}

/**
 * Reads the replies of one endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reader {
  /** The result in the reply to one request. */
  readonly one: (reply: HttpReply, id: number, method: string) => Effect.Effect<unknown, RpcError>
  /** The results in the reply to an array, in the order of the calls. */
  readonly many: (
    reply: HttpReply,
    firstId: number,
    calls: ReadonlyArray<RpcCall>
  ) => Effect.Effect<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError>
}

const OK = 200
const TOO_MANY_REQUESTS = 429

/** Characters of a body that an error shows. */
const MAX_PIECE = 300

/**
 * JSON-RPC codes that say what is wrong with the call itself. Under status 429 any other code may be the limit's own.
 */
const NOT_A_LIMIT: ReadonlySet<number> = new Set([-32002, -32003, -32013, -32015, -32600, -32601, -32602, -32700])

/**
 * The reader for an endpoint. `clean` makes a text from outside fit to be shown: it cuts out what the endpoint's URL and
 * headers keep secret, and control characters.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reader = (host: string, clean: (text: string, maxLength?: number) => string): Reader => {
  const failure = (
    { retryAfter, status }: HttpReply,
    now: number,
    error: Pick<RpcError, "code" | "data" | "detail" | "method"> & { readonly isAnswer: boolean }
  ): RpcError => {
    const wait = Option.getOrUndefined(RetryAfter.parse(retryAfter, now))
    const isLimit = status === TOO_MANY_REQUESTS && !(error.isAnswer && NOT_A_LIMIT.has(error.code ?? 0))
    return new RpcError({
      reason: isLimit ? "RateLimited" : error.isAnswer ? "Node" : "HttpStatus",
      method: error.method,
      host,
      status,
      detail: error.detail,
      ...(error.code === undefined ? {} : { code: error.code }),
      ...(error.data === undefined ? {} : { data: error.data }),
      ...(wait === undefined ? {} : { retryAfter: wait })
    })
  }

  /** A failure of the whole: the node's own words, where the body holds an error, else the body's. */
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
    error.reason === "Node"
      ? failure(reply, now, {
          method: error.method,
          detail: error.detail,
          code: error.code,
          data: error.data,
          isAnswer: true
        })
      : error

  return {
    one: (reply, id, method) =>
      reply.status === OK
        ? JsonRpc.reply(reply.text, id, method, host)
        : Effect.flatMap(Clock.wallMillis, (now) => {
            const response = JsonRpc.read(reply.text, method)
            return response?.id === id
              ? Either.mapLeft(response.outcome, ({ code, data, message }) =>
                  failure(reply, now, { method, detail: message, code, data, isAnswer: true })
                )
              : Either.left(unanswered(reply, method, JsonRpc.errorOf(response), now))
          }),
    many: (reply, firstId, calls) =>
      reply.status === OK
        ? JsonRpc.batchReply(reply.text, firstId, calls, host)
        : Effect.flatMap(Clock.wallMillis, (now) =>
            Either.mapBoth(JsonRpc.batchReply(reply.text, firstId, calls, host), {
              onLeft: () => unanswered(reply, "batch", JsonRpc.errorOf(JsonRpc.read(reply.text, "batch")), now),
              onRight: (items) => items.map(Either.mapLeft(answered(reply, now)))
            })
          )
  }
}
