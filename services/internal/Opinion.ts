/**
 * Further opinions: asks other endpoints if the answer of one is not enough.
 *
 * The first endpoint that answers a call of an opinion serves its later calls too. An endpoint that only fails gives no
 * opinion, so a later one may ask it. No opinion uses an endpoint that answered an earlier one. So opinions come from
 * different endpoints, and one lying endpoint can influence only one of them. Endpoints are distinguished by host: two
 * URLs of one host count once.
 *
 * With one endpoint there is no second opinion, and `hosts` stays 1.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The hosts that the calls of an effect may ask, and the hosts that answered. */
export interface Opinion {
  /** Hosts of earlier opinions, which are excluded. */
  readonly not: ReadonlySet<string>
  /** Hosts that answered a call of this opinion: one, unless its first calls are concurrent. */
  readonly answered: Set<string>
  /**
   * The number of hosts that serve such calls, whether they answer now or not. A host that did not answer at the start
   * counts too: otherwise the others would be believed alone until it does.
   */
  hosts: number
}

/** The opinion that the calls of a fiber belong to. Default: none. */
export class CurrentOpinion extends Context.Reference<CurrentOpinion>()("@pod-protocol/effect/Opinion", {
  defaultValue: (): Opinion | undefined => undefined
}) {}

/** The opinion of the fiber's calls, if they have one. */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Opinion | undefined =>
  Context.get(fiber.currentContext, CurrentOpinion)

/** A first opinion, from the endpoint that the pool prefers. */
export const first = (): Opinion => ({ not: new Set(), answered: new Set(), hosts: 1 })

/** An opinion from an endpoint that answered no earlier opinion. */
export const after = ({ answered, hosts, not }: Opinion): Opinion => ({
  not: new Set([...not, ...answered]),
  answered: new Set(),
  hosts
})

/** The number of hosts that have not answered yet. */
export const left = ({ answered, hosts, not }: Opinion): number => hosts - not.size - answered.size

/** Runs an effect whose calls belong to the opinion. */
export const by =
  (opinion: Opinion) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.add(context, CurrentOpinion, opinion))
