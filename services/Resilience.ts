/**
 * Combines one or several endpoints into one resilient transport for `RpcPool`.
 *
 * ```text
 *   coalesce   shares equal reads, merges reads of single accounts
 *      │
 *    retry     repeats calls that failed with a retryable error, within time and budget
 *      │
 *  endpoints   calls the best endpoint, then the next; checks that all belong to one cluster
 *      │
 *  ┌───┴────┐  each endpoint has its limits, circuit, health and heartbeat
 *  socket   socket
 *
 *  reconnect   for subscriptions: subscribes again after a loss, shares equal ones
 * ```
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { under } from "../src/internal/check.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Deadline from "./Deadline.js"
import { EndpointsError } from "./EndpointsError.js"
import type { RpcTransport } from "./RpcTransport.js"
import * as Coalesce from "./transport/Coalesce.js"
import * as Endpoint from "./transport/Endpoint.js"
import * as Endpoints from "./transport/Endpoints.js"
import * as Reconnect from "./transport/Reconnect.js"
import * as Retry from "./transport/Retry.js"

/**
 * Options for all endpoints together. With a single endpoint, the genesis hash is checked only if `genesis` is set, and
 * probes run only if `probeInterval` is set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Endpoints.Options {
  /**
   * A program that the cluster must have. At the start, each endpoint with the role `read` must confirm it within
   * `startTimeout`. Default: none; a single endpoint then gets no call before the application's first one.
   */
  readonly program?: Address | undefined
  /** Retries. Default: on. With `false`, a call fails with its first failure. */
  readonly retry?: Retry.Options | false | undefined
  /** Sharing and merging of reads. Default: on. With `false`, each read is a call. */
  readonly coalesce?: Coalesce.Options | false | undefined
  /** Reconnection and sharing of subscriptions. Default: on. With `false`, a subscription fails with its socket. */
  readonly reconnect?: Reconnect.Options | false | undefined
}

/**
 * One endpoint: its transport, its roles and its limits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Member extends Endpoint.Options {
  readonly transport: RpcTransport
}

const decorated = <O, R>(
  name: string,
  transport: RpcTransport,
  options: O | false | undefined,
  make: (options?: O) => (transport: RpcTransport) => Effect.Effect<RpcTransport, InvalidInput, R>
): Effect.Effect<RpcTransport, InvalidInput, R> =>
  options === false ? Effect.succeed(transport) : under(name)(make(options)(transport))

const isProgram = (reply: unknown): boolean => {
  const value = Predicate.hasProperty(reply, "value") ? reply.value : undefined
  return Predicate.hasProperty(value, "executable") && value.executable === true
}

/** Fails if an endpoint reports that the program does not exist, or if no endpoint answers. */
const requireProgram = (
  endpoints: ReadonlyArray<Endpoint.Endpoint>,
  program: Address,
  timeout: Duration.DurationInput
): Effect.Effect<void, EndpointsError | InvalidInput> =>
  Effect.gen(function* () {
    const readers = endpoints.filter(({ roles }) => roles.has("read"))
    const params = [program, { commitment: "confirmed", encoding: "base64", dataSlice: { offset: 0, length: 0 } }]
    const answers = yield* Effect.forEach(
      readers,
      ({ transport }) =>
        Effect.flatMap(Retry.make()(transport), ({ host, request }) =>
          request("getAccountInfo", params).pipe(
            Effect.filterOrFail(
              isProgram,
              () => new EndpointsError({ reason: "NoProgram", host, detail: `it has no program ${program}` })
            ),
            Effect.catchTag(
              "RpcError",
              (cause) =>
                new EndpointsError({
                  reason: "Unreachable",
                  host,
                  detail: `it does not answer getAccountInfo: ${cause.detail}`,
                  cause
                })
            ),
            Deadline.within(timeout),
            Effect.either
          )
        ),
      { concurrency: "unbounded" }
    )
    const errors = answers.flatMap((answer) => (Either.isLeft(answer) ? [answer.left] : []))
    const lacking = errors.find(({ reason }) => reason === "NoProgram")
    const error = lacking ?? (errors.length === answers.length ? errors[0] : undefined)
    if (error !== undefined) return yield* error
  })

/** Runs `f` for each endpoint. With several endpoints, `InvalidInput` names the index of the endpoint. */
const forEndpoints = <A, B, R>(
  endpoints: ReadonlyArray<A>,
  f: (endpoint: A) => Effect.Effect<B, InvalidInput, R>
): Effect.Effect<Array<B>, InvalidInput, R> =>
  Effect.forEach(endpoints, (endpoint, index) =>
    endpoints.length === 1 ? f(endpoint) : under(`endpoints[${index}]`)(f(endpoint))
  )

/**
 * Builds the transport. Fails with `EndpointsError` if the endpoints belong to different clusters, if one lacks the
 * program, or if no endpoint answers the checks at the start.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  members: ReadonlyArray<Member>,
  options: Options = {}
): Effect.Effect<Endpoints.Endpoints, EndpointsError | InvalidInput, Scope.Scope> =>
  Effect.gen(function* () {
    const { program, startTimeout = "10 seconds" } = options
    if (members.length === 0) {
      return yield* new InvalidInput({ field: "endpoints", rule: "must be at least one", size: 0 })
    }
    const built = yield* forEndpoints(members, ({ transport, ...own }) => Endpoint.make(own)(transport))
    const endpoints = yield* Endpoints.make(
      built,
      built.length === 1
        ? { ...options, genesis: options.genesis ?? "any", probeInterval: options.probeInterval ?? Infinity }
        : options
    )
    if (program !== undefined) yield* requireProgram(built, program, startTimeout)
    const retried = yield* decorated("retry", endpoints, options.retry, Retry.make)
    const coalesced = yield* decorated("coalesce", retried, options.coalesce, Coalesce.make)
    const { batch, host, request, subscribe } = yield* decorated(
      "reconnect",
      coalesced,
      options.reconnect,
      Reconnect.make
    )
    return { host, request, batch, subscribe, status: endpoints.status }
  })

/**
 * Either the options of a single endpoint together with {@link Options}, or {@link Options} with a list of endpoints.
 *
 * @since 0.1.0
 * @category models
 */
export type OneOrMany<O> = (O & Options) | (Options & { readonly endpoints: ReadonlyArray<O> })

/**
 * As {@link make}, but opens each transport from the options of its endpoint. The transports must end a call at its
 * deadline.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open =
  <O extends Omit<Endpoint.Options, "deadline">, R>(
    transport: (options: O) => Effect.Effect<RpcTransport, InvalidInput, R>
  ) =>
  (options: OneOrMany<O>): Effect.Effect<Endpoints.Endpoints, EndpointsError | InvalidInput, R | Scope.Scope> =>
    Effect.flatMap(
      forEndpoints("endpoints" in options ? options.endpoints : [options], (endpoint) =>
        Effect.map(transport(endpoint), (transport): Member => ({ ...endpoint, transport, deadline: "transport" }))
      ),
      (members) => make(members, options)
    )
