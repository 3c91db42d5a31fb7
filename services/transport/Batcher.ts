/**
 * Collects items that fibers add at the same time. The first fiber of a batch yields once, so that every ready fiber
 * can add its item. Then it does the work for all.
 */
import * as Effect from "effect/Effect"
import type { ResultOf } from "../internal/SharedWork.js"
import { SharedWork } from "../internal/SharedWork.js"
import type { RpcError } from "../RpcTransport.js"
import { member } from "./member.js"

export interface Options<A, T> {
  /** Maximum items in one batch. */
  readonly size: number
  /** Does the work for the items of one group. Returns one result for each item, in order. */
  readonly run: (
    group: string,
    items: ReadonlyArray<T>
  ) => Effect.Effect<ReadonlyArray<Effect.Effect<A, RpcError>>, RpcError>
}

/** Makes a function that adds an item to the open batch of its group and returns the item's result. */
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
