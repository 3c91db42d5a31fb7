/**
 * Work in several turns of the event loop. `Effect.yieldNow` lets only other fibers run: it queues a microtask, and sockets
 * and timers wait until all microtasks are done.
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

/** Parts that run in one turn. A turn costs about 30 µs, and a part should take a fraction of a millisecond. */
export const PARTS_PER_TURN = 4

const forEach = <A, E>(parts: ReadonlyArray<A>, take: (part: A) => Either.Either<void, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    for (const [index, part] of parts.entries()) {
      // Long work begins in a new turn, because its caller may have used much of the present one.
      if (parts.length > PARTS_PER_TURN && index % PARTS_PER_TURN === 0) yield* next
      yield* take(part)
    }
  })

/**
 * Concatenates the results of all parts, `PARTS_PER_TURN` parts in a turn of the event loop. Stops at the first
 * failure.
 */
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

/** Splits a list into parts of `size` items. `Array.chunksOf` copies the rest of the list for each part. */
export const partsOf = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))

/** Runs a generator to its end, `PARTS_PER_TURN` of its steps in a turn of the event loop. A step is a part. */
export const steps = <A>(generator: () => Generator<void, A>): Effect.Effect<A> =>
  Effect.gen(function* () {
    const running = generator()
    for (let step = 1; ; step++) {
      const { done, value } = running.next()
      if (done === true) return value
      if (step % PARTS_PER_TURN === 0) yield* next
    }
  })
