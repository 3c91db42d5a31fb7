/** An endpoint in process that answers truly, except for one lie. */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { RpcError, RpcTransport } from "../../services/RpcTransport.js"
import * as Answer from "./Answer.js"
import type { Lie } from "./Lies.js"

/** The transport of the liar; `onTold` is called for each false answer. */
export const make =
  ({ method, tell }: Lie, onTold: () => void) =>
  (node: RpcTransport): RpcTransport => {
    const about = (asked: string, said: Either.Either<unknown, RpcError>): Either.Either<unknown, RpcError> => {
      const truth = asked === method ? Answer.fromEither(said) : undefined
      const told = truth === undefined ? undefined : tell(truth)
      if (told === undefined || told === truth) return said
      onTold()
      return Answer.toEither(told, asked, node.host)
    }
    return {
      host: node.host,
      request: (asked, params) =>
        Effect.flatMap(Effect.either(node.request(asked, params)), (said) => about(asked, said)),
      batch: (calls) =>
        Effect.map(node.batch(calls), (answers) =>
          answers.map((said, index) => about(calls[index]?.method ?? "", said))
        ),
      subscribe: (kind, params) =>
        method === `${kind}Notification`
          ? Stream.filterMap(node.subscribe(kind, params), (value) => {
              const truth = Answer.result(value)
              const told = tell(truth)
              if (told !== truth) onTold()
              return told._tag === "Result" ? Option.some(told.result) : Option.none()
            })
          : node.subscribe(kind, params)
    }
  }
