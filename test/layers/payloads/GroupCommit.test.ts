import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as GroupCommit from "../../../layers/payloads/groupCommit.js"

/** Commits that note what they were given. The number 13 cannot be committed. */
const noted = Effect.gen(function* () {
  const commits: Array<ReadonlyArray<number>> = []
  const gate = yield* Deferred.make<void>()
  const put = yield* GroupCommit.make((items: ReadonlyArray<number>) =>
    Effect.zipRight(
      Deferred.await(gate),
      Effect.suspend(() => {
        commits.push(items)
        return items.includes(13) ? Effect.fail("unlucky") : Effect.void
      })
    )
  )
  return { commits, put, open: Deferred.succeed(gate, undefined) }
})

const all = (put: (item: number) => Effect.Effect<void, string>, items: ReadonlyArray<number>) =>
  Effect.fork(Effect.forEach(items, (item) => Effect.exit(put(item)), { concurrency: "unbounded" }))

describe("groupCommit", () => {
  it.scopedLive("Given items that come while a commit runs, When it ends, Then the next one takes all of them", () =>
    Effect.gen(function* () {
      const { commits, open, put } = yield* noted
      const first = yield* all(put, [1])
      yield* Effect.sleep("5 millis")
      const others = yield* all(put, [2, 3, 4])
      yield* Effect.sleep("5 millis")
      yield* open
      expect([...(yield* Fiber.join(first)), ...(yield* Fiber.join(others))].every(Exit.isSuccess)).toBe(true)
      expect(commits).toEqual([[1], [2, 3, 4]])
      yield* put(5)
      expect(commits.at(-1)).toEqual([5])
    })
  )

  it.scopedLive("Given an item that cannot be committed, When others come with it, Then it fails alone", () =>
    Effect.gen(function* () {
      const { open, put } = yield* noted
      yield* open
      const exits = yield* Fiber.join(yield* all(put, [12, 13, 14]))
      expect(exits.map(Exit.isSuccess)).toEqual([true, false, true])
    })
  )

  it.scopedLive(
    "Given a caller that is interrupted, When others wait with it, Then they are committed, and so is its item",
    () =>
      Effect.gen(function* () {
        const { commits, open, put } = yield* noted
        const leader = yield* Effect.fork(put(1))
        yield* Effect.yieldNow()
        const other = yield* Effect.fork(put(2))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(leader)
        yield* open
        yield* Fiber.join(other)
        expect(commits.flat()).toEqual([1, 2])
      })
  )

  it.live("Given a scope that closes, When items wait, Then they are committed before", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { commits, open, put } = yield* Scope.extend(noted, scope)
      const waiting = yield* all(put, [1, 2])
      yield* Effect.sleep("5 millis")
      yield* open
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(waiting)
      expect(commits.flat()).toEqual([1, 2])
    })
  )
})
