/** Sends calls that are made at the same time as one JSON-RPC array. */
import * as Effect from "effect/Effect"
import { integer } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { RpcCall, RpcTransport } from "../RpcTransport.js"
import * as Batcher from "./Batcher.js"
import * as Method from "./Method.js"

/** The length of arrays. */
export interface Options {
  /**
   * Maximum calls in one array, at least 2. Default: 10, which gives most of the gain. Too low: little is saved. Too high:
   * one slow call delays many, and providers refuse long arrays.
   */
  readonly size?: number | undefined
}

/**
 * Sends concurrent calls as arrays. A failed item fails its own call only. A call that is not safe to repeat goes alone,
 * because an array is sent again when the fiber that sent it is interrupted.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.map(integer("size", options.size ?? 10, 2), (size) => {
      const batched = Batcher.make<unknown, RpcCall>({
        size,
        run: (_, calls) => {
          const only = calls[0]
          return calls.length === 1 && only !== undefined
            ? Effect.map(transport.request(only.method, only.params), (answer) => [Effect.succeed(answer)])
            : transport.batch(calls)
        }
      })
      return {
        ...transport,
        request: (method, params) =>
          Method.isRepeatable(method) ? batched("", { method, params }) : transport.request(method, params)
      }
    })
