/**
 * Turns of the event loop. `Effect.yieldNow` makes way for other fibers only: it queues a microtask, and before that no
 * socket and no timer gets its time.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/** Lets sockets, timers and other fibers run. */
export const next: Effect.Effect<void> =
  typeof setImmediate === "function"
    ? Effect.async((resume) => {
        const waiting = setImmediate(() => resume(Effect.void))
        return Effect.sync(() => clearImmediate(waiting))
      })
    : Effect.sleep(0)

/** A turn costs some 30 µs; a part is to take a fraction of a millisecond. */
export const PARTS_PER_TURN = 4

const forEach = <A, E>(parts: ReadonlyArray<A>, take: (part: A) => Either.Either<void, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    for (const [index, part] of parts.entries()) {
      if (index > 0 && index % PARTS_PER_TURN === 0) yield* next
      yield* take(part)
    }
  })

/** What the parts give, one after another, four in a turn of the event loop; the first that fails ends it. */
export const flatMap = <A, B, E>(
  parts: ReadonlyArray<A>,
  f: (part: A) => Either.Either<ReadonlyArray<B>, E>
): Effect.Effect<ReadonlyArray<B>, E> =>
  Effect.suspend(() => {
    const all: Array<B> = []
    const take = (part: A): Either.Either<void, E> =>
      Either.map(f(part), (items) => {
        for (const item of items) all.push(item)
      })
    return Effect.as(forEach(parts, take), all)
  })

/** Parts of so many items. `Array.chunksOf` copies the rest for each of them. */
export const partsOf = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))
