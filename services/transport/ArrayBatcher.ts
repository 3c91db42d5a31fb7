/** Calls that are made at the same time go to the endpoint as one JSON-RPC array. */
import * as Effect from "effect/Effect"
import { integer } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { RpcCall, RpcTransport } from "../RpcTransport.js"
import * as Batcher from "./Batcher.js"
import * as Method from "./Method.js"

/** How long arrays get. */
export interface Options {
  /**
   * Calls in one array. Default: 10, which gives most of the gain. Too low saves little; too high makes one slow call hold
   * up many, and providers refuse long arrays.
   */
  readonly size?: number | undefined
}

/**
 * Sends concurrent calls as arrays. An item's failure is its own. Calls that cannot be repeated safely go alone, since an
 * array is sent again when the fiber that sent it is interrupted.
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
