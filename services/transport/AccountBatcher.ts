/** Merges reads of single accounts that are made at the same time into one `getMultipleAccounts`. */
import * as Effect from "effect/Effect"
import { integer } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Json from "../../src/solana/Json.js"
import { MAX_MULTIPLE_ACCOUNTS } from "../../src/solana/Limits.js"
import * as Direct from "../internal/direct.js"
import * as Opinion from "../internal/Opinion.js"
import * as LongResult from "../LongResult.js"
import type { RpcTransport } from "../RpcTransport.js"
import { RpcError } from "../RpcTransport.js"
import * as Batcher from "./Batcher.js"

/** The size of merged calls. */
export interface Options {
  /**
   * Maximum accounts in one call, 2 to 100. Default: 100, the maximum of a node. Too low: more calls. Too high: long
   * replies if accounts are large.
   */
  readonly size?: number | undefined
}

const parts = (reply: unknown): { readonly context: unknown; readonly value: ReadonlyArray<unknown> } | undefined =>
  typeof reply === "object" && reply !== null && "context" in reply && "value" in reply && Array.isArray(reply.value)
    ? { context: reply.context, value: reply.value }
    : undefined

/**
 * Merges concurrent `getAccountInfo` calls with equal options. If a merged call fails with an error that is not retryable
 * (one bad address, a reply that is too long), each call is made alone. So the failure of one account fails no other.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.map(integer("size", options.size ?? MAX_MULTIPLE_ACCOUNTS, 2, MAX_MULTIPLE_ACCOUNTS), (size) => {
      const alone = (params: ReadonlyArray<unknown>): Effect.Effect<unknown, RpcError> =>
        transport.request("getAccountInfo", params)

      const together = (
        items: ReadonlyArray<ReadonlyArray<unknown>>
      ): Effect.Effect<ReadonlyArray<unknown>, RpcError> =>
        transport
          .request("getMultipleAccounts", [items.map(([address]) => address), ...(items[0]?.slice(1) ?? [])])
          .pipe(
            Effect.flatMap((reply) => Effect.orElseSucceed(LongResult.whole(reply), () => undefined)),
            Effect.flatMap((reply) => {
              const found = parts(reply)
              return found?.value.length === items.length
                ? Effect.succeed(found.value.map((value) => ({ context: found.context, value })))
                : Effect.fail(
                    new RpcError({
                      reason: "Decode",
                      method: "getMultipleAccounts",
                      host: transport.host,
                      detail: `value: must be an array of ${items.length}`
                    })
                  )
            })
          )

      const batched = Batcher.make<unknown, ReadonlyArray<unknown>>({
        size,
        run: (_, items) => {
          const only = items[0]
          if (items.length === 1 && only !== undefined) {
            return Effect.map(alone(only), (reply) => [Effect.succeed(reply)])
          }
          return Effect.catchAll(
            Effect.map(together(items), (replies) => replies.map((reply) => Effect.succeed(reply))),
            (error) => (error.isRetryable ? Effect.fail(error) : Effect.succeed(items.map(alone)))
          )
        }
      })

      const request: Direct.Request = Direct.over(
        transport.request,
        (method, params) =>
          method === "getAccountInfo"
            ? Effect.withFiberRuntime((fiber) =>
                Opinion.of(fiber) === undefined ? batched(Json.stringify(params.slice(1)), params) : alone(params)
              )
            : transport.request(method, params),
        (start) => (caller, onEnd, method, params) =>
          method === "getAccountInfo" ? undefined : start(caller, onEnd, method, params)
      )
      return { ...transport, request }
    })
