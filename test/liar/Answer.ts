import * as Either from "effect/Either"
import { RpcError } from "../../services/RpcTransport.js"

/** A node's answer to a call: a result, a JSON-RPC error, or an HTTP status with a page. A notification is a result. */
export type Answer =
  | { readonly _tag: "Result"; readonly result: unknown }
  | { readonly _tag: "Error"; readonly code: number; readonly message: string; readonly data?: unknown }
  | { readonly _tag: "Status"; readonly status: number }
  /** For a notification: it never arrives. */
  | { readonly _tag: "Silence" }

export const result = (value: unknown): Answer => ({ _tag: "Result", result: value })

/** The answer of a transport; `undefined` if there was none. */
export const fromEither = (answer: Either.Either<unknown, RpcError>): Answer | undefined => {
  if (Either.isRight(answer)) return result(answer.right)
  const { code, data, detail, reason } = answer.left
  return reason === "Node" && code !== undefined ? { _tag: "Error", code, message: detail, data } : undefined
}

/** The answer in the form of a transport. */
export const toEither = (answer: Answer, method: string, host: string): Either.Either<unknown, RpcError> => {
  switch (answer._tag) {
    case "Result":
      return Either.right(answer.result)
    case "Error": {
      const { code, data, message } = answer
      return Either.left(new RpcError({ reason: "Node", method, host, code, detail: message, data }))
    }
    case "Status": {
      const { status } = answer
      const reason = status === 429 ? "RateLimited" : "HttpStatus"
      return Either.left(new RpcError({ reason, method, host, status, detail: `HTTP status ${status}` }))
    }
    case "Silence":
      return Either.left(new RpcError({ reason: "Timeout", method, host, detail: "no reply in time" }))
  }
}
