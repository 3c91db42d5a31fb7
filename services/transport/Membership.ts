/**
 * Checks that all endpoints belong to one cluster, by their genesis hashes, and probes their slots.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as SafeText from "../../src/SafeText.js"
import * as Deadline from "../Deadline.js"
import { EndpointsError } from "../EndpointsError.js"
import { RpcError } from "../RpcTransport.js"
import type { Endpoint } from "./Endpoint.js"

/** Whether an endpoint's genesis hash is that of the cluster, is not known yet, or is another. */
export type Membership = "member" | "unknown" | "foreign"

export interface Cluster {
  readonly membership: (endpoint: Endpoint) => Membership
}

/** Characters of a hash that are kept. A blockhash has at most 44. */
const MAX_HASH = 64

const METHOD = "getGenesisHash"

/**
 * The genesis hash of an endpoint, safe to show. `None` for an endpoint without the role `read` that does not serve the
 * method, such as a relay. Such an endpoint is trusted. Fails if the reply is no text.
 */
const genesis = ({ roles, transport }: Endpoint): Effect.Effect<Option.Option<string>, RpcError> =>
  transport.request(METHOD, []).pipe(
    Effect.filterOrFail(
      Predicate.isString,
      () => new RpcError({ reason: "Decode", method: METHOD, host: transport.host, detail: "expected a string" })
    ),
    Effect.map((hash) => Option.some(SafeText.make(hash, MAX_HASH))),
    Effect.catchIf(
      ({ reason }) => reason === "Node" && !roles.has("read"),
      () => Effect.succeedNone
    )
  )

/** The cluster that accepts every endpoint as a member. */
export const trusted: Cluster = { membership: () => "member" }

/**
 * Compares the genesis hashes of the endpoints. An endpoint that does not answer stays `unknown` until a probe reaches it.
 */
export const verify = (
  endpoints: ReadonlyArray<Endpoint>,
  expected: string | undefined,
  timeout: Duration.DurationInput
): Effect.Effect<Cluster & { readonly admit: (endpoint: Endpoint) => Effect.Effect<void> }, EndpointsError> =>
  Effect.gen(function* () {
    const answers = yield* Effect.forEach(
      endpoints,
      (endpoint) =>
        Effect.map(Effect.either(Deadline.within(timeout)(genesis(endpoint))), (answer) => ({ endpoint, answer })),
      { concurrency: "unbounded" }
    )
    const known = answers.flatMap(({ endpoint, answer }) =>
      Either.isRight(answer) && Option.isSome(answer.right) ? [{ endpoint, hash: answer.right.value }] : []
    )
    const relays = answers.filter(({ answer }) => Either.isRight(answer) && Option.isNone(answer.right))
    const first = known[0]
    if (first === undefined) {
      const { endpoint, answer } = answers[0] ?? {}
      return yield* new EndpointsError({
        reason: "Unreachable",
        host: endpoint?.transport.host ?? "",
        detail: "no endpoint has returned the genesis hash of its cluster",
        cause: answer && Either.getOrUndefined(Either.flip(answer))
      })
    }
    const own = expected ?? first.hash
    const stranger = known.find(({ hash }) => hash !== own)
    if (stranger !== undefined) {
      return yield* new EndpointsError({
        reason: "WrongGenesis",
        host: stranger.endpoint.transport.host,
        detail:
          `it belongs to the cluster with genesis ${stranger.hash}, not ${own}` +
          (expected === undefined ? ` as ${first.endpoint.transport.host}` : "")
      })
    }
    const memberships = new Map<Endpoint, Membership>([...known, ...relays].map(({ endpoint }) => [endpoint, "member"]))
    return {
      membership: (endpoint) => memberships.get(endpoint) ?? "unknown",
      admit: (endpoint) =>
        Effect.flatMap(genesis(endpoint), (answer) => {
          const hash = Option.getOrElse(answer, () => own)
          memberships.set(endpoint, hash === own ? "member" : "foreign")
          return hash === own
            ? Effect.void
            : Effect.logWarning(
                `${endpoint.transport.host} belongs to the cluster with genesis ${hash}, not ${own}: it is not used`
              )
        }).pipe(Effect.ignore)
    }
  })

/**
 * Asks each member for its slot, and each unknown endpoint for its genesis hash, at an interval. The health meters of the
 * endpoints observe these calls.
 */
export const probe = (
  endpoints: ReadonlyArray<Endpoint>,
  cluster: Cluster & { readonly admit?: (endpoint: Endpoint) => Effect.Effect<void> },
  interval: Duration.DurationInput
): Effect.Effect<void, never, Scope.Scope> => {
  const look = (endpoint: Endpoint): Effect.Effect<void> => {
    const membership = cluster.membership(endpoint)
    if (membership === "unknown") return cluster.admit?.(endpoint) ?? Effect.void
    return membership === "member" && endpoint.roles.has("read")
      ? Effect.ignore(endpoint.transport.request("getSlot", [{ commitment: "processed" }]))
      : Effect.void
  }
  return Effect.forEach(endpoints, (endpoint) => Deadline.within(interval)(look(endpoint)), {
    concurrency: "unbounded",
    discard: true
  }).pipe(
    Effect.zipRight(Effect.sleep(interval)),
    Effect.forever,
    // In an uninterruptible region too, because the end of the scope waits for the fiber.
    Effect.interruptible,
    Effect.forkScoped,
    Effect.asVoid
  )
}
