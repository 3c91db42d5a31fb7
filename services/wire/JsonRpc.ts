/** Writes JSON-RPC 2.0 requests and reads the responses. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Outside from "../../src/internal/Outside.js"
import * as SafeText from "../../src/SafeText.js"
import * as Json from "../../src/solana/Json.js"
import * as Verdict from "../internal/verdict.js"
import * as LongResult from "../LongResult.js"
import { RpcError } from "../RpcTransport.js"
import type { RpcCall } from "../RpcTransport.js"

/** Characters of a node's error message that are kept. */
const MAX_MESSAGE = 500

/** The error that a node answered with. */
export interface NodeError {
  readonly code: number
  readonly message: string
  readonly data: unknown
}

/** The id of a call or of a subscription. Ids come from nodes, so only primitive types are allowed as keys. */
export type Id = number | bigint | string

/** A JSON-RPC response. A node that could not read a request answers with the id `null` or without an id. */
export interface Response {
  readonly id: Id | null | undefined
  readonly outcome: Either.Either<unknown, NodeError>
}

export const isId = (value: unknown): value is Id =>
  typeof value === "number" || typeof value === "string" || typeof value === "bigint"

export const request = (id: number, method: string, params: ReadonlyArray<unknown>): string =>
  `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${Json.stringify(params)}}`

/** An array of calls with consecutive ids, starting at `firstId`. */
export const batchRequest = (firstId: number, calls: ReadonlyArray<RpcCall>): string =>
  `[${calls.map(({ method, params }, index) => request(firstId + index, method, params)).join(",")}]`

/** A long text is shown before it is shortened: a secret that was cut in two would not be removed. */
const nodeError = (
  { code, message, data }: { readonly [key: string]: unknown },
  show: Outside.Show
): NodeError | undefined => {
  if (typeof code !== "number" || !Number.isInteger(code)) return undefined
  const text = typeof message === "string" ? message : "no message"
  return {
    code,
    message: text.length > MAX_MESSAGE ? show(text, MAX_MESSAGE) : text,
    data: data === undefined ? data : Outside.value(data, show)
  }
}

/** Reads a parsed value as a response; `undefined` for any other value. `show` makes the texts of an error safe to show. */
export const response = (value: unknown, show: Outside.Show = SafeText.make): Response | undefined => {
  if (!Predicate.isRecord(value)) return undefined
  const { id, error } = value
  if (id !== null && id !== undefined && !isId(id)) return undefined
  if (Predicate.isRecord(error)) {
    const read = nodeError(error, show)
    return read === undefined ? undefined : { id, outcome: Either.left(read) }
  }
  return Object.hasOwn(value, "result") ? { id, outcome: Either.right(value["result"]) } : undefined
}

const refused = (method: string, host: string, { code, message, data }: NodeError): RpcError =>
  new RpcError({
    reason: Verdict.ofCode(code, message) === "limit" ? "RateLimited" : "Node",
    method,
    host,
    detail: message,
    code,
    data
  })

const undecodable = (method: string, host: string, detail: string) =>
  new RpcError({ reason: "Decode", method, host, detail })

const parse = (text: string, method: string, host: string): Either.Either<unknown, RpcError> =>
  Either.mapLeft(LongResult.parseOf(method, text), () =>
    undecodable(method, host, `the reply of ${text.length} characters is not JSON`)
  )

const OBJECT = /^\s*\{/

/**
 * Reads a text as a response; `undefined` for any other text. The page or sentence of a gateway is not parsed: the
 * exception of a parser costs several times as much as the rest of a refused call.
 */
export const read = (text: string, method: string, show?: Outside.Show): Response | undefined =>
  OBJECT.test(text) ? response(Either.getOrUndefined(LongResult.parseOf(method, text)), show) : undefined

/** The error of a response; `undefined` for a result. */
export const errorOf = (response: Response | undefined): NodeError | undefined =>
  response === undefined ? undefined : Option.getOrUndefined(Either.getLeft(response.outcome))

/** Whether a response belongs to a call. An error without an id counts, because the node could not read the request. */
const answers = ({ id, outcome }: Response, expected: number): boolean =>
  id === expected || (Either.isLeft(outcome) && (id === null || id === undefined))

/** The result in the reply to one request. */
export const reply = (
  text: string,
  id: number,
  method: string,
  host: string,
  show?: Outside.Show
): Either.Either<unknown, RpcError> =>
  Either.flatMap(parse(text, method, host), (value) => {
    const read = response(value, show)
    if (read === undefined) return Either.left(undecodable(method, host, "the reply is not a JSON-RPC response"))
    return answers(read, id)
      ? Either.mapLeft(read.outcome, (error) => refused(method, host, error))
      : Either.left(undecodable(method, host, "the reply has the id of another request"))
  })

/**
 * The results in the reply to an array, in the order of the calls. A call without an answer, or with two, fails alone. A
 * response to an unknown id fails the whole array.
 */
export const batchReply = (
  text: string,
  firstId: number,
  calls: ReadonlyArray<RpcCall>,
  host: string,
  show?: Outside.Show
): Either.Either<ReadonlyArray<Either.Either<unknown, RpcError>>, RpcError> =>
  Either.flatMap(parse(text, "batch", host), (value) => {
    if (!Array.isArray(value)) {
      const single = response(value, show)
      return Either.left(
        single !== undefined && Either.isLeft(single.outcome)
          ? refused("batch", host, single.outcome.left)
          : undecodable("batch", host, "the reply to an array is not an array")
      )
    }
    const outcomes = new Map<number, Response["outcome"] | "doubled">()
    for (const item of value) {
      const read = response(item, show)
      if (read === undefined || typeof read.id !== "number" || calls[read.id - firstId] === undefined) {
        return Either.left(undecodable("batch", host, "the reply contains an item that answers none of the calls"))
      }
      outcomes.set(read.id, outcomes.has(read.id) ? "doubled" : read.outcome)
    }
    return Either.right(
      calls.map(({ method }, index) => {
        const outcome = outcomes.get(firstId + index)
        if (outcome === undefined)
          return Either.left(undecodable(method, host, "the reply contains no answer to this call"))
        if (outcome === "doubled") return Either.left(undecodable(method, host, "the reply answers this call twice"))
        return Either.mapLeft(outcome, (error) => refused(method, host, error))
      })
    )
  })
