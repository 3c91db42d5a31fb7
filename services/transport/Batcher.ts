/**
 * Collects what is asked for in the same moment. The first of a group lets every fiber that is ready run once and then does
 * the work for all that came.
 */
import * as Effect from "effect/Effect"
import type { RpcError } from "../RpcTransport.js"
import type { ResultOf } from "./SharedWork.js"
import { member, SharedWork } from "./SharedWork.js"

export interface Options<A, T> {
  /** Items in one batch. */
  readonly size: number
  /** Does the work for one batch, whose group and items these are. */
  readonly run: (
    group: string,
    items: ReadonlyArray<T>
  ) => Effect.Effect<ReadonlyArray<Effect.Effect<A, RpcError>>, RpcError>
}

/** One item's result, out of the batch in which it went. Only items of equal `group` go together. */
export const make = <A, T>(options: Options<A, T>): ((group: string, item: T) => Effect.Effect<A, RpcError>) => {
  const open = new Map<string, SharedWork<A, T>>()

  return (group, item) =>
    Effect.withFiberRuntime((fiber) => {
      const self = member(fiber, item)
      const gathering = open.get(group)
      if (gathering !== undefined && gathering.size < options.size && gathering.admits(self)) {
        return gathering.join(self)
      }
      const close = (): void => {
        if (open.get(group) === batch) open.delete(group)
      }
      const batch = new SharedWork<A, T>(self, {
        run: (members) =>
          Effect.flatMap(Effect.yieldNow(), () => {
            close()
            const sealed = members()
            return Effect.map(
              options.run(
                group,
                sealed.map(({ item }) => item)
              ),
              (results): ResultOf<A, T> => {
                const byMember = new Map(sealed.map((member, index) => [member, results[index]] as const))
                return (member) => byMember.get(member) ?? Effect.dieMessage("a batch has no result for its member")
              }
            )
          }),
        ended: close
      })
      open.set(group, batch)
      return batch.lead()
    })
}
