/** One endpoint of several: its transport with its limits and circuits, its health and its roles. */
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

/** A kind of call that an endpoint may serve. `send` is sendTransaction and every other method that is not a read. */
export type Role = "read" | "send" | "subscribe"

/** The roles and limits of an endpoint. */
export interface Options {
  /**
   * Share of the load against the other endpoints. Default: 1. Weights decide between endpoints that perform equally. Too
   * low: the endpoint idles. Too high: it is overloaded before its latency shows it.
   */
  readonly weight?: number | undefined
  /** The calls that the endpoint serves. Default: all. */
  readonly roles?: ReadonlyArray<Role> | undefined
  /** The endpoint's rate limits. Default: unlimited. A 429 pauses the endpoint in any case. */
  readonly limits?: RateLimit.Options | undefined
  /** When calls to the endpoint are refused after failures. Default: see `CircuitBreaker.Options`. */
  readonly circuit?: CircuitBreaker.Options | undefined
  /**
   * Maximum calls in one JSON-RPC array; calls made at the same time share an array. Default: 1, no arrays, because many
   * providers meter or refuse them. Too low: little is saved (10 gives most of the gain). Too high: one slow item delays
   * the others.
   */
  readonly arraySize?: number | undefined
  /**
   * When a socket counts as dead. Default: see `Heartbeat.Options`. `false`: for a transport that detects dead sockets
   * itself.
   */
  readonly heartbeat?: Heartbeat.Options | false | undefined
  /**
   * What ends a call at its deadline. `"timer"`, the default: a timer, which costs about 45 µs for each call with a
   * deadline. `"transport"`: the transport, which must read `Deadline`.
   */
  readonly deadline?: "timer" | "transport" | undefined
}

/** An endpoint with its decorators. */
export interface Endpoint {
  readonly transport: RpcTransport
  readonly weight: number
  readonly roles: ReadonlySet<Role>
  readonly health: Health.Meter
  /** The circuit of its calls; subscriptions have another. */
  readonly circuit: CircuitBreaker.Circuit
}

const enforceDeadlines = (transport: RpcTransport): RpcTransport => ({
  ...transport,
  request: (method, params) => Deadline.enforce(method, transport.host)(transport.request(method, params)),
  batch: (calls) => Deadline.enforce("batch", transport.host)(transport.batch(calls))
})

/**
 * Applies the decorators of an endpoint. From the socket outwards: heartbeat, deadline, health, rate limit, circuit, arrays.
 * So the latency excludes the wait for a token, an open circuit refuses a call before it queues, and an array is one request.
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
