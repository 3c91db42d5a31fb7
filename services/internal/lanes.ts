/**
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"

/**
 * Works through items in so many lanes, one after the other in each: where an item takes no time, a fiber of its own costs
 * more than the item.
 */
export const forEach = <A, B, E, R>(
  items: Iterable<A>,
  lanes: number,
  f: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<Array<B>, E, R> => {
  const all = Arr.fromIterable(items)
  const length = Math.ceil(all.length / Math.max(1, Math.floor(lanes) || 1))
  return Effect.map(
    Effect.forEach(Arr.chunksOf(all, Math.max(1, length)), (lane) => Effect.forEach(lane, f), {
      concurrency: "unbounded"
    }),
    Arr.flatten
  )
}
