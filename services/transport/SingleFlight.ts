/** Equal reads that are made while one is under way share its answer. */
import * as Effect from "effect/Effect"
import { integer } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Json from "../../src/solana/Json.js"
import * as Opinion from "../internal/Opinion.js"
import type { RpcTransport } from "../RpcTransport.js"
import * as Method from "./Method.js"
import { member, SharedWork } from "./SharedWork.js"

/** How much is watched. */
export interface Options {
  /**
   * Different calls that are watched at a time. Default: 10,000. Calls beyond it are made without sharing. Too low shares
   * less; too high keeps a key of a few hundred bytes for each.
   */
  readonly maxKeys?: number | undefined
}

/**
 * Shares reads of the same method with the same parameters. Followers get the very object that the first got, so nobody
 * may change it. An interrupted first caller hands over to the next. Arrays and subscriptions pass.
 *
 * A call does not wait for one whose deadline is later than its own, nor for one that is retried otherwise. One that is
 * made for an opinion is made by itself.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.map(integer("maxKeys", options.maxKeys ?? 10_000, 1), (maxKeys) => {
      const flights = new Map<string, SharedWork<unknown, void>>()
      return {
        ...transport,
        request: (method, params) => {
          if (!Method.isRead(method)) return transport.request(method, params)
          return Effect.withFiberRuntime((fiber) => {
            if (Opinion.of(fiber) !== undefined) return transport.request(method, params)
            const key = `${method} ${Json.stringify(params)}`
            const self = member(fiber, undefined)
            const flight = flights.get(key)
            if (flight?.admits(self) === true) return flight.join(self)
            if (flight !== undefined || flights.size >= maxKeys) return transport.request(method, params)
            const first = new SharedWork<unknown, void>(self, {
              run: () => Effect.map(transport.request(method, params), (answer) => () => Effect.succeed(answer)),
              ended: () => flights.delete(key)
            })
            flights.set(key, first)
            return first.lead()
          })
        }
      }
    })
