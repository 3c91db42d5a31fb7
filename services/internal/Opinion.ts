/**
 * Asking another endpoint, where the word of one is not enough.
 *
 * Calls that are made under an opinion go to the endpoints that it has asked before, if they answer, and never to those of
 * the opinions before it. So two opinions come from different endpoints, and one endpoint that lies has a part in only
 * one of them. Endpoints are told apart by host: two URLs of one host are one voice.
 *
 * A pool of one endpoint pays no heed to it: `hosts` stays 1, and there is no second opinion.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** Whom the calls of an effect ask. */
export interface Opinion {
  /** Hosts that are not asked. */
  readonly not: ReadonlySet<string>
  /** Hosts that were asked. */
  readonly asked: Set<string>
  /** How many hosts there are that take such calls, whether they answer now or not. */
  hosts: number
}

/** The opinion that the calls of a fiber belong to. Default: none. */
export class CurrentOpinion extends Context.Reference<CurrentOpinion>()("@pod-protocol/effect/Opinion", {
  defaultValue: (): Opinion | undefined => undefined
}) {}

/** The opinion of the fiber's calls, if they have one. */
export const of = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Opinion | undefined =>
  Context.get(fiber.currentContext, CurrentOpinion)

/** An opinion of whichever endpoint does best. */
export const first = (): Opinion => ({ not: new Set(), asked: new Set(), hosts: 1 })

/** An opinion of other endpoints than those that were asked before. */
export const after = ({ asked, not }: Opinion): Opinion => ({
  not: new Set([...not, ...asked]),
  asked: new Set(),
  hosts: 1
})

/** Makes the calls of an effect for an opinion. */
export const by =
  (opinion: Opinion) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.mapInputContext(effect, (context: Context.Context<R>) => Context.add(context, CurrentOpinion, opinion))
