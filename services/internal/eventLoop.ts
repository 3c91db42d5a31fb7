/**
 * Work in several turns of the event loop. `Effect.yieldNow` lets only other fibers run: it queues a microtask, and sockets
 * and timers wait until all microtasks are done.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Clock from "./clock.js"

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

/**
 * Milliseconds after which a turn of long work ends even with fewer parts. The first parts take many times as long as the
 * later ones, because V8 has not compiled their code.
 */
const MAX_MILLIS = 4

/** The parts and the time of a turn. */
class Turn {
  readonly #fiber: Fiber.RuntimeFiber<unknown, unknown>
  #parts = 0
  #began: number

  constructor(fiber: Fiber.RuntimeFiber<unknown, unknown>) {
    this.#fiber = fiber
    this.#began = Clock.monotonic(fiber)
  }

  /** Ends the turn after a part if it had enough parts or time. */
  after(): Effect.Effect<void> {
    const isOver = ++this.#parts === PARTS_PER_TURN || Clock.monotonic(this.#fiber) - this.#began >= MAX_MILLIS
    return isOver ? this.begin() : Effect.void
  }

  begin(): Effect.Effect<void> {
    return Effect.map(next, () => {
      this.#parts = 0
      this.#began = Clock.monotonic(this.#fiber)
    })
  }
}

const makeTurn = Effect.withFiberRuntime<Turn>((fiber) => Effect.succeed(new Turn(fiber)))

/** Parts of long work. */
interface Parts<A> extends Iterable<A> {
  readonly length: number
}

const forEach = Effect.fnUntraced(function* <A, E>(parts: Parts<A>, take: (part: A) => Either.Either<void, E>) {
  const turn = parts.length > PARTS_PER_TURN ? yield* makeTurn : undefined
  // Long work begins in a new turn, because its caller may have used much of the present one.
  if (turn !== undefined) yield* turn.begin()
  for (const part of parts) {
    yield* take(part)
    if (turn !== undefined) yield* turn.after()
  }
})

/**
 * Concatenates the results of all parts, `PARTS_PER_TURN` parts in a turn of the event loop. Stops at the first
 * failure.
 */
export const flatMap = <A, B, E>(
  parts: Parts<A>,
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

/** As {@link partsOf}, for a list so long that splitting it would take a turn of its own. */
export const lazyPartsOf = <A>(items: ReadonlyArray<A>, size: number): Parts<ReadonlyArray<A>> => ({
  length: Math.ceil(items.length / size),
  *[Symbol.iterator]() {
    for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
  }
})

/** Runs a generator to its end, `PARTS_PER_TURN` of its steps in a turn of the event loop. A step is a part. */
export const steps = Effect.fnUntraced(function* <A>(generator: () => Generator<void, A>) {
  const running = generator()
  for (let step = 1; ; step++) {
    const { done, value } = running.next()
    if (done === true) return value
    if (step % PARTS_PER_TURN === 0) yield* next
  }
})

/** As {@link steps}, for work that is known to be long: begins in a new turn, and ends each turn in time. */
export const longSteps = Effect.fnUntraced(function* <A>(generator: () => Generator<void, A>) {
  const turn = yield* makeTurn
  yield* turn.begin()
  const running = generator()
  while (true) {
    const { done, value } = running.next()
    if (done === true) return value
    yield* turn.after()
  }
})
