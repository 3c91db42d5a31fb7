/** One endpoint of several: its transport behind its own limits and circuits, its health, and what it is for. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { integer, positive, under } from "../../src/internal/check.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import type { RpcTransport } from "../RpcTransport.js"
import * as ArrayBatcher from "./ArrayBatcher.js"
import * as CircuitBreaker from "./CircuitBreaker.js"
import * as Health from "./Health.js"
import * as Heartbeat from "./Heartbeat.js"
import * as RateLimit from "./RateLimit.js"

/** What an endpoint is asked for. */
export type Role = "read" | "send" | "subscribe"

/** What an endpoint is for, and what it bears. */
export interface Options {
  /**
   * How much of the load it shall bear against the others. Default: 1. Weights matter where endpoints do equally well; too
   * high a weight overloads the endpoint before its latency shows it.
   */
  readonly weight?: number | undefined
  /** Default: all. `send` takes sendTransaction and whatever else is not a read. */
  readonly roles?: ReadonlyArray<Role> | undefined
  /** Its rate. Default: unlimited; a 429 pauses it in any case. */
  readonly limits?: RateLimit.Options | undefined
  /** When it is not asked any more. Default: as `CircuitBreaker.Options` says. */
  readonly circuit?: CircuitBreaker.Options | undefined
  /**
   * Calls made at the same time go as JSON-RPC arrays of up to so many. Default: 1, no arrays, since many providers meter
   * or refuse them. Too low saves little (10 already gives most of it); too high makes one slow item hold up many.
   */
  readonly arraySize?: number | undefined
  /**
   * How its sockets are found dead. Default: as `Heartbeat.Options` says; `false` for a transport that does so itself.
   */
  readonly heartbeat?: Heartbeat.Options | false | undefined
  /**
   * Who ends a call at its deadline: `"timer"`, the default, cuts it off from outside at about 45 µs a call that has a
   * deadline; `"transport"` says that the transport reads `Deadline` and does so itself.
   */
  readonly deadline?: "timer" | "transport" | undefined
}

/** An endpoint, put together. */
export interface Endpoint {
  readonly transport: RpcTransport
  readonly weight: number
  readonly roles: ReadonlySet<Role>
  readonly health: Health.Meter
  /** Of its calls. */
  readonly circuit: CircuitBreaker.Circuit
}

const enforceDeadlines = (transport: RpcTransport): RpcTransport => ({
  ...transport,
  request: (method, params) => Deadline.enforce(method, transport.host)(transport.request(method, params)),
  batch: (calls) => Deadline.enforce("batch", transport.host)(transport.batch(calls))
})

/**
 * Puts an endpoint together. From the socket outwards: heartbeat, deadline, health, rate limit, circuit, arrays. So latency is the
 * node's own and not the wait for a token, an open circuit refuses before the line, and an array is one request.
 */
export const make =
  (options: Options = {}) =>
  (transport: RpcTransport): Effect.Effect<Endpoint, InvalidInput, Scope.Scope> =>
    Effect.gen(function* () {
      const weight = yield* positive("weight", options.weight ?? 1)
      const health = Health.meter(transport.host)
      const circuit = under("circuit")(CircuitBreaker.circuit(options.circuit))
      const calls = yield* circuit
      const subscriptions = yield* circuit
      const alive =
        options.heartbeat === false
          ? transport
          : yield* under("heartbeat")(Heartbeat.make(options.heartbeat)(transport))
      const punctual = options.deadline === "transport" ? alive : enforceDeadlines(alive)
      const limited = yield* under("limits")(RateLimit.make(options.limits)(Health.observe(health)(punctual)))
      const guarded = CircuitBreaker.protect({ calls, subscriptions })(limited)
      const arraySize = yield* integer("arraySize", options.arraySize ?? 1, 1)
      return {
        transport: arraySize === 1 ? guarded : yield* ArrayBatcher.make({ size: arraySize })(guarded),
        weight,
        roles: new Set(options.roles ?? ["read", "send", "subscribe"]),
        health,
        circuit: calls
      }
    })
