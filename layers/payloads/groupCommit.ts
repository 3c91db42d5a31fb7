/**
 * Group commit: items that arrive during a commit are committed together by the next one, so many items share one sync.
 *
 * Invariants:
 * - The effect of an item ends with its own commit and returns that commit's result.
 * - If a commit of several items fails, each item is committed alone. So an invalid item does not fail the others.
 * - Commits run in a fiber of the scope. The item of an interrupted caller is committed anyway.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Turns from "../../services/internal/eventLoop.js"

/** Items of one commit. */
const MAX_ITEMS = 256

interface Waiting<A, E> {
  readonly item: A
  readonly done: Deferred.Deferred<void, E>
}

/** Returns the function that commits an item. */
export const make = <A, E>(
  commit: (items: ReadonlyArray<A>) => Effect.Effect<void, E>
): Effect.Effect<(item: A) => Effect.Effect<void, E>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    let waiting: Array<Waiting<A, E>> = []
    let isRunning = false

    const finish = ({ done }: Waiting<A, E>, exit: Exit.Exit<void, E>) => Deferred.unsafeDone(done, exit)

    const one = (waiting: Waiting<A, E>) =>
      Effect.map(Effect.exit(commit([waiting.item])), (exit) => finish(waiting, exit))

    const next = Effect.suspend(() => {
      const batch = waiting.slice(0, MAX_ITEMS)
      waiting = waiting.slice(MAX_ITEMS)
      return Effect.flatMap(Effect.exit(commit(batch.map(({ item }) => item))), (exit) => {
        if (Exit.isFailure(exit) && batch.length > 1) return Effect.forEach(batch, one, { discard: true })
        for (const each of batch) finish(each, exit)
        return Effect.void
      })
    })

    const run = Effect.repeat(Effect.zipRight(Turns.next, next), {
      while: () => (isRunning = waiting.length > 0)
    })

    return (item) =>
      Effect.withFiberRuntime((fiber) => {
        const done = Deferred.unsafeMake<void, E>(fiber.id())
        waiting.push({ item, done })
        if (isRunning) return Deferred.await(done)
        isRunning = true
        // The fiber inherits uninterruptibility, so it cannot be interrupted before it starts either.
        return Effect.zipRight(Effect.uninterruptible(Effect.forkIn(run, scope)), Deferred.await(done))
      })
  })
