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
    /**
     * Starts `count` workers, and a fiber that starts twice as many when these wait. If each fiber started only the next
     * one, the last would be as deep as their number, and each level copies the FiberRefs of all above it.
     */
    const start = (left: number, count: number): Effect.Effect<void, E, R> =>
      Effect.suspend(() => {
        if (taken === all.length) return Effect.void
        if (left === 1) return worker
        const now = Math.min(count, left, all.length - taken)
        const started = Arr.makeBy(now, () => worker)
        if (now < left) started.push(start(left - now, 2 * count))
        return Effect.all(started, { concurrency: "unbounded", discard: true })
      })
    return Effect.as(start(Math.max(1, Math.floor(concurrency) || 1), 1), results)
  })
