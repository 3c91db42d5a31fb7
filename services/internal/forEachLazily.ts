import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"

/**
 * As `Effect.forEach` with a bounded concurrency, but that a lane is opened only when those before it wait: items that take
 * no time are worked through by one fiber, since one for each would cost more than the item.
 */
export const forEach = <A, B, E, R>(
  items: Iterable<A>,
  lanes: number,
  f: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<Array<B>, E, R> =>
  Effect.suspend(() => {
    const all = Arr.fromIterable(items)
    const results: Array<B> = []
    const entries = all.entries()
    let taken = 0
    const lane: Effect.Effect<void, E, R> = Effect.suspend(() => {
      const entry = entries.next()
      if (entry.done === true) return Effect.void
      taken++
      const [index, item] = entry.value
      return Effect.flatMap(f(item), (result) => {
        results[index] = result
        return lane
      })
    })
    /** A fiber that is started runs when the one that started it waits. */
    const open = (left: number): Effect.Effect<void, E, R> =>
      Effect.suspend(() => {
        if (taken === all.length) return Effect.void
        return left <= 1 ? lane : Effect.all([lane, open(left - 1)], { concurrency: "unbounded", discard: true })
      })
    return Effect.as(open(Math.max(1, Math.floor(lanes) || 1)), results)
  })
