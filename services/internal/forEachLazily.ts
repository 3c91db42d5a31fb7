/** A loop with bounded concurrency that forks no fiber for items that do not wait. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"

/**
 * As `Effect.forEach` with bounded concurrency. A further fiber starts only when the earlier ones wait. So one fiber runs
 * all items that do not wait, because a fiber costs more than such an item.
 */
export const forEach = <A, B, E, R>(
  items: Iterable<A>,
  concurrency: number,
  f: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<Array<B>, E, R> =>
  Effect.suspend(() => {
    const all = Arr.fromIterable(items)
    const results: Array<B> = []
    const entries = all.entries()
    let taken = 0
    const worker: Effect.Effect<void, E, R> = Effect.suspend(() => {
      const entry = entries.next()
      if (entry.done === true) return Effect.void
      taken++
      const [index, item] = entry.value
      return Effect.flatMap(f(item), (result) => {
        results[index] = result
        return worker
      })
    })
    /** Starts a worker in this fiber and the next one in another fiber, which runs when this one waits. */
    const start = (left: number): Effect.Effect<void, E, R> =>
      Effect.suspend(() => {
        if (taken === all.length) return Effect.void
        return left <= 1 ? worker : Effect.all([worker, start(left - 1)], { concurrency: "unbounded", discard: true })
      })
    return Effect.as(start(Math.max(1, Math.floor(concurrency) || 1)), results)
  })
