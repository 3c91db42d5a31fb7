/** Shares one answer among equal reads that are made while the first of them is in flight. */
import * as Effect from "effect/Effect"
import { integer } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Json from "../../src/solana/Json.js"
import * as Direct from "../internal/direct.js"
import * as Opinion from "../internal/Opinion.js"
import { SharedWork } from "../internal/SharedWork.js"
import type { RpcTransport } from "../RpcTransport.js"
import { member } from "./member.js"
import * as Method from "./Method.js"

/** The bound of shared calls. */
export interface Options {
  /**
   * Maximum number of different calls in flight that are shared. Default: 10,000. Further calls are not shared. Too low:
   * fewer calls are shared. Too high: each keeps a key of a few hundred bytes.
   */
  readonly maxKeys?: number | undefined
}

/**
 * Shares reads of one method with equal parameters. All callers get the same object, so no caller may change it. If the
 * first caller is interrupted, the next one makes the call. Arrays and subscriptions pass through unchanged.
 *
 * A call joins only a call with the same retry policy and no later deadline. A call for a second `Opinion` is not shared.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<RpcTransport, InvalidInput> =>
    Effect.map(integer("maxKeys", options.maxKeys ?? 10_000, 1), (maxKeys) => {
      const flights = new Map<string, SharedWork<unknown, void>>()
      const request: Direct.Request = Direct.over(
        transport.request,
        (method, params) => {
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
        },
        (start) => (caller, onEnd, method, params) =>
          Method.isRead(method) ? undefined : start(caller, onEnd, method, params)
      )
      return { ...transport, request }
    })
