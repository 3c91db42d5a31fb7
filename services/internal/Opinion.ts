/**
 * A second opinion: asks another endpoint if the answer of one is not enough.
 *
 * The calls of one opinion prefer the endpoints of its earlier calls, and never use an endpoint of an earlier opinion.
 * So two opinions come from different endpoints, and one lying endpoint can influence only one of them. Endpoints are
 * distinguished by host: two URLs of one host count once.
 *
 * With one endpoint there is no second opinion, and `hosts` stays 1.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The hosts that the calls of an effect may ask and have asked. */
export interface Opinion {
  /** Hosts of earlier opinions, which are excluded. */
  readonly not: ReadonlySet<string>
  /** Hosts that this opinion has asked. */
  readonly asked: Set<string>
  /** The number of hosts that serve such calls, whether they answer now or not. */
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
export const first = (): Opinion => ({ not: new Set(), asked: new Set(), hosts: 1 })

/** An opinion from endpoints that no earlier opinion asked. */
export const after = ({ asked, not }: Opinion): Opinion => ({
  not: new Set([...not, ...asked]),
  asked: new Set(),
  hosts: 1
})

/** Runs an effect whose calls belong to the opinion. */
export const by =
  (opinion: Opinion) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.add(context, CurrentOpinion, opinion))
