/**
 * Combines several endpoints of one cluster into one transport.
 *
 * - A read goes to the best endpoint by latency, load, errors and weight (see `Choice`). If it fails there, it goes to the
 *   next one: to each endpoint at most once, within the deadline of the call.
 * - A transaction goes to the endpoint that accepted the last one, or to several at once.
 * - A subscription stays at one endpoint until its socket is lost. The next attempt starts with another endpoint.
 */
import type { Slot } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { integer, millis, positive } from "../../src/internal/check.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Deadline from "../Deadline.js"
import type { EndpointsError } from "../EndpointsError.js"
import * as Clock from "../internal/clock.js"
import * as Closing from "../internal/closing.js"
import * as Direct from "../internal/direct.js"
import * as Opinion from "../internal/Opinion.js"
import { slotFrom } from "../internal/slot.js"
import type { RpcTransport, SubscriptionKind } from "../RpcTransport.js"
import { RpcError, SubscriptionError } from "../RpcTransport.js"
import { SubscriptionObserver } from "../SubscriptionObserver.js"
import * as Choice from "./Choice.js"
import type * as CircuitBreaker from "./CircuitBreaker.js"
import type { Endpoint, Role } from "./Endpoint.js"
import type { Call } from "./Failover.js"
import * as Failover from "./Failover.js"
import type * as Health from "./Health.js"
import type { Membership } from "./Membership.js"
import * as Cluster from "./Membership.js"
import * as Method from "./Method.js"

export { EndpointsError } from "../EndpointsError.js"

/** Milliseconds for which an endpoint that lost a subscription is chosen after the others. */
const AVOID_AFTER_LOSS = 10_000

/** When a slow read is sent to a second endpoint too. */
export interface HedgeOptions {
  /**
   * Minimum wait before the second read, also for an endpoint whose 95th percentile is lower. Default: 20 ms. Too low:
   * reads are doubled without gain. Too high: only very slow reads are hedged.
   */
  readonly after?: Duration.DurationInput | undefined
  /**
   * Maximum share of reads that get a second read. Default: 0.05, those above the 95th percentile. Too low: slow reads
   * stay slow. Too high: the load doubles when the whole cluster is slow.
   */
  readonly ratio?: number | undefined
}

/** How calls are distributed over the endpoints. */
export interface Options {
  /**
   * Base58 genesis hash that the endpoints must have, or `"any"` to skip the check. Default: all endpoints must have the
   * same one.
   */
  readonly genesis?: string | undefined
  /**
   * Timeout of the genesis check at the start. Default: 10 seconds. Too low: a slow endpoint is unused until a probe
   * reaches it. Too high: a dead endpoint delays the start.
   */
  readonly startTimeout?: Duration.DurationInput | undefined
  /**
   * Time between two `getSlot` probes of each endpoint, which keep its slot and health current. Default: 5 seconds.
   * `Infinity` for no probes. Too low: probes use up the rate limit. Too high: lag and recovery are noticed late.
   */
  readonly probeInterval?: Duration.DurationInput | undefined
  /**
   * Lag in slots above which an endpoint comes after the others. Default: 50 (20 seconds), more than the 32 slots by which
   * finalized replies trail. Too low: the choice changes often. Too high: reads return old state.
   */
  readonly maxLag?: number | undefined
  /** Default: off. */
  readonly hedge?: HedgeOptions | undefined
  /**
   * Number of endpoints to which each transaction is sent at once. Default: 1. Too low: one node's route to the leader
   * decides. Too high: each transaction costs as many calls.
   */
  readonly broadcast?: number | undefined
}

/** The state of one endpoint. */
export interface Status extends Health.Snapshot {
  readonly circuit: CircuitBreaker.State
  /** Slots behind the newest slot that another endpoint confirms. */
  readonly lag: bigint
  /** Number of its open subscriptions. */
  readonly subscriptions: number
  /** Why its last subscription failed or was lost; `undefined` once another one is established. */
  readonly subscriptionError: SubscriptionError | undefined
  /** `unknown` until it answers getGenesisHash; `foreign` if it belongs to another cluster. Only members get calls. */
  readonly membership: Membership
}

/** The combined transport and the state of each endpoint. */
export interface Endpoints extends RpcTransport {
  readonly status: Effect.Effect<ReadonlyArray<Status>>
}

/** The subscriptions of one endpoint. */
interface Streams {
  open: number
  /** Why the last one failed, until another one is established. */
  error: SubscriptionError | undefined
  lostAt: number
}

const callOf = (method: string, params: ReadonlyArray<unknown>): Call<unknown> => ({
  methods: [method],
  with: (transport) => transport.request(method, params)
})

/** The call, which reports the transport that answers it. */
const noting = <A>(call: Call<A>, accepted: (transport: RpcTransport) => void): Call<A> => ({
  ...call,
  with: (transport) => Effect.tap(call.with(transport), () => accepted(transport))
})

const roleOf = (method: string): Role => (Method.isRead(method) ? "read" : "send")

/** The endpoints in the order in which they are asked: at least one. */
type Order = readonly [Endpoint, ...ReadonlyArray<Endpoint>]

const isHead = (endpoints: ReadonlyArray<Endpoint>): endpoints is Order => endpoints.length > 0

const isPair = (
  endpoints: ReadonlyArray<Endpoint>
): endpoints is readonly [Endpoint, Endpoint, ...ReadonlyArray<Endpoint>] => endpoints.length > 1

/** The endpoints that an opinion may ask: those that answered it already, or all that answered no earlier one. */
const witnesses = ({ answered, not }: Opinion.Opinion, order: ReadonlyArray<Endpoint>): ReadonlyArray<Endpoint> =>
  order.filter(({ transport: { host } }) => (answered.size === 0 ? !not.has(host) : answered.has(host)))

/** The slot of an endpoint at the commitment of a subscription with these parameters. */
const slotOf = (endpoint: Endpoint, params: ReadonlyArray<unknown>): Effect.Effect<Option.Option<Slot>> => {
  const config = params[1]
  const commitment =
    typeof config === "object" && config !== null && "commitment" in config ? config.commitment : undefined
  return endpoint.transport
    .request("getSlot", commitment === undefined ? [] : [{ commitment }])
    .pipe(
      Deadline.within("5 seconds"),
      Effect.option,
      Effect.map(Option.flatMap((slot) => Option.fromNullable(slotFrom(slot))))
    )
}

/**
 * Makes one transport of several endpoints. Fails if they belong to different clusters, or if none can be reached. An
 * endpoint that cannot be reached at the start is used once a probe has confirmed its genesis hash.
 */
export const make = (
  endpoints: ReadonlyArray<Endpoint>,
  options: Options = {}
): Effect.Effect<Endpoints, EndpointsError | InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    for (const role of ["read", "send"] as const) {
      if (!endpoints.some(({ roles }) => roles.has(role))) {
        return yield* new InvalidInput({ field: "endpoints", rule: `at least one must have the role "${role}"` })
      }
    }
    const startTimeout = yield* millis("startTimeout", options.startTimeout ?? "10 seconds", "unlimited")
    const probeInterval = yield* millis("probeInterval", options.probeInterval ?? "5 seconds", "unlimited")
    const maxLag = yield* integer("maxLag", options.maxLag ?? 50, 0)
    const copies = yield* integer("broadcast", options.broadcast ?? 1, 1)
    const hedgeAfter = yield* millis("hedge.after", options.hedge?.after ?? "20 millis")
    const hedgeRatio = yield* positive("hedge.ratio", options.hedge?.ratio ?? 0.05)

    const scope = yield* Effect.scope
    const { isClosed } = yield* Closing.make()
    const cluster =
      options.genesis === "any" ? Cluster.trusted : yield* Cluster.verify(endpoints, options.genesis, startTimeout)
    if (probeInterval < Infinity) yield* Cluster.probe(endpoints, cluster, probeInterval)

    const host = endpoints.map(({ transport }) => transport.host).join(",")
    const only = endpoints.length === 1 ? endpoints[0] : undefined
    const readers = new Set(endpoints.flatMap(({ roles, transport }) => (roles.has("read") ? [transport.host] : [])))
    const streams = new Map<Endpoint, Streams>()
    const streamsOf = (endpoint: Endpoint): Streams => {
      const known = streams.get(endpoint) ?? { open: 0, error: undefined, lostAt: -Infinity }
      streams.set(endpoint, known)
      return known
    }
    /** The endpoint that accepted the last transaction. */
    let sticky: Endpoint | undefined
    /** The budget of second reads. */
    let hedges = 1

    const members = (): ReadonlyArray<Endpoint> =>
      endpoints.filter((endpoint) => cluster.membership(endpoint) === "member")

    const choose = (need: Choice.Need, now: number): ReadonlyArray<Endpoint> =>
      Choice.order(members(), need, maxLag, now)

    const mayHedge = (): boolean => {
      if (hedges < 1) return false
      hedges--
      return true
    }

    const read = <A>(call: Call<A>, order: Order, now: number): Effect.Effect<A, RpcError> => {
      if (options.hedge === undefined || !isPair(order)) return Failover.inOrder(call, order)
      hedges = Math.min(10, hedges + hedgeRatio)
      const { p95 } = order[0].health.snapshot(now)
      return p95 === undefined
        ? Failover.inOrder(call, order)
        : Failover.hedged(call, order, Math.max(hedgeAfter, p95), mayHedge)
    }

    /** The order of a transaction's endpoints: the one that accepted the last transaction comes first. */
    const keep = (order: Order, now: number): Order => {
      const last = sticky
      return last !== undefined && order.includes(last) && last.circuit.wait(now) === 0
        ? [last, ...order.filter((endpoint) => endpoint !== last)]
        : order
    }

    /** Keeps the endpoint that accepts a transaction, if it is the first one to do so. */
    const accepting = (order: Order): ((transport: RpcTransport) => void) => {
      let taken = false
      return (transport) => {
        if (!taken) sticky = order.find((endpoint) => endpoint.transport === transport)
        taken = true
      }
    }

    const send = <A>(call: Call<A>, order: Order): Effect.Effect<A, RpcError> => {
      const noted = noting(call, accepting(order))
      const [first, ...others] = order
      const isSingle = copies === 1 || others.length === 0 || !call.methods.every(Method.isRepeatable)
      // A closed scope would interrupt the attempts of a broadcast. The transports say that the pool is closed.
      if (isSingle || isClosed()) return Failover.inOrder(noted, order)
      return Failover.broadcast(noted, [first, ...others.slice(0, copies - 1)], scope)
    }

    const route = <A>(call: Call<A>, need: Choice.Need): Effect.Effect<A, RpcError> =>
      Effect.withFiberRuntime((fiber) => {
        const now = Deadline.now(fiber)
        const opinion = Opinion.of(fiber)
        if (opinion !== undefined) opinion.hosts = readers.size
        const order = opinion === undefined ? choose(need, now) : witnesses(opinion, choose(need, now))
        if (!isHead(order)) {
          const method = call.methods[0] ?? "batch"
          return Effect.fail(
            new RpcError({
              reason: "Transport",
              method,
              host,
              detail: `no endpoint is available for a ${need.role} now`
            })
          )
        }
        if (need.role !== "read") return send(call, keep(order, now))
        return opinion === undefined
          ? read(call, order, now)
          : Failover.inOrder(
              noting({ ...call, isOpinion: true }, ({ host }) => opinion.answered.add(host)),
              order
            )
      })

    /** Subscribes at each endpoint in order until one accepts. Prefers a retryable error if all fail. */
    const subscribeAt = (
      kind: SubscriptionKind,
      params: ReadonlyArray<unknown>,
      [endpoint, ...others]: Order,
      before?: SubscriptionError
    ): Stream.Stream<unknown, SubscriptionError> =>
      Stream.unwrap(
        Effect.map(SubscriptionObserver, (observer) => {
          let established = false
          const own = streamsOf(endpoint)
          return endpoint.transport.subscribe(kind, params).pipe(
            Stream.provideService(SubscriptionObserver, {
              ...observer,
              established: (subscription) => {
                established = true
                own.open++
                own.error = undefined
                return observer.established({ slot: slotOf(endpoint, params), ...subscription })
              }
            }),
            Stream.ensuring(
              Effect.sync(() => {
                if (established) own.open--
              })
            ),
            Stream.tapError((error) =>
              Effect.map(Clock.monotonicMillis, (now) => {
                own.lostAt = now
                own.error = error
              })
            ),
            Stream.catchAll((error) => {
              const isFinal = error.reason === "PoolClosed" || (error.reason === "Refused" && !error.isRetryable)
              if (established || isFinal) return Stream.fail(error)
              const failure = before?.isRetryable === true ? before : error
              return isHead(others) ? subscribeAt(kind, params, others, failure) : Stream.fail(failure)
            })
          )
        })
      )

    const subscribe: RpcTransport["subscribe"] = (kind, params) =>
      Stream.unwrap(
        Effect.map(Clock.monotonicMillis, (now) => {
          const order = choose({ role: "subscribe", minContextSlot: undefined }, now)
          const lost = (endpoint: Endpoint): boolean => now - streamsOf(endpoint).lostAt < AVOID_AFTER_LOSS
          const steady = [...order.filter((endpoint) => !lost(endpoint)), ...order.filter(lost)]
          const method = `${kind}Subscribe`
          if (isHead(steady)) return subscribeAt(kind, params, steady)
          const isServed = endpoints.some(({ roles }) => roles.has("subscribe"))
          const detail = `no endpoint ${isServed ? "is available for subscriptions now" : 'has the role "subscribe": give it to one'}`
          return Stream.fail(new SubscriptionError({ reason: isServed ? "Connect" : "Refused", method, host, detail }))
        })
      )

    /** Most applications have one endpoint, so there is no choice to make. */
    const isAlone = (role: Role): boolean => only?.roles.has(role) === true && cluster.membership(only) === "member"

    const routed: Direct.Request = (method, params) =>
      Effect.suspend(() => {
        const role = roleOf(method)
        return only !== undefined && isAlone(role)
          ? only.transport.request(method, params)
          : route(callOf(method, params), { role, minContextSlot: Choice.minContextSlot(params) })
      })

    const request: Direct.Request = Direct.startable(routed, (caller, onEnd, method, params) => {
      const role = roleOf(method)
      if (only !== undefined) {
        return isAlone(role) ? Direct.startOf(only.transport.request)?.(caller, onEnd, method, params) : undefined
      }
      if (role === "read" || copies > 1) return undefined
      const order = choose({ role, minContextSlot: Choice.minContextSlot(params) }, caller.now)
      if (!isHead(order)) return undefined
      const kept = keep(order, caller.now)
      const [{ transport }] = kept
      const accepted = accepting(kept)
      const first = (exit: Exit.Exit<unknown, RpcError>) => {
        if (Exit.isSuccess(exit)) accepted(transport)
        return exit
      }
      return Failover.start(
        (caller, onEnd) => Direct.startOf(transport.request)?.(caller, (exit) => onEnd(first(exit)), method, params),
        noting(callOf(method, params), accepted),
        kept
      )(caller, onEnd)
    })

    return {
      host,
      request,
      batch: (calls) =>
        route(
          { methods: calls.map(({ method }) => method), with: (transport) => transport.batch(calls) },
          {
            role: calls.every(({ method }) => Method.isRead(method)) ? "read" : "send",
            minContextSlot: calls.reduce<bigint | undefined>((newest, { params }) => {
              const slot = Choice.minContextSlot(params)
              return slot !== undefined && (newest === undefined || slot > newest) ? slot : newest
            }, undefined)
          }
        ),
      subscribe,
      status: Effect.withFiberRuntime((fiber) => {
        const now = Deadline.now(fiber)
        const known = endpoints.map((endpoint) => ({ endpoint, health: endpoint.health.snapshot(now) }))
        const reach = Choice.reach(known.map(({ health }) => health))
        return Effect.succeed(
          known.map(({ endpoint, health }) => ({
            ...health,
            circuit: endpoint.circuit.state(now),
            lag: Choice.lagOf(reach, health.slot),
            subscriptions: streamsOf(endpoint).open,
            subscriptionError: streamsOf(endpoint).error,
            membership: cluster.membership(endpoint)
          }))
        )
      })
    }
  })
