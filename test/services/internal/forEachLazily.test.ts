import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Lanes from "../../../services/internal/forEachLazily.js"
import { eventually } from "../../support/eventually.js"

/** Counts who is at work, until the gate is opened. */
const workshop = Effect.gen(function* () {
  const gate = yield* Deferred.make<void>()
  const state = { atWork: 0, most: 0, fibers: new Set<string>(), interrupted: 0 }
  const work = <A>(item: A) =>
    Effect.gen(function* () {
      state.fibers.add(String(yield* Effect.fiberId))
      state.atWork++
      state.most = Math.max(state.most, state.atWork)
      yield* Deferred.await(gate)
      state.atWork--
      return item
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => state.interrupted++)))
  return { gate, state, work }
})

/** Lets every fiber go on until it waits. */
const settle = Effect.forEach(Arr.range(1, 100), () => Effect.yieldNow(), { discard: true })

describe("Lanes", () => {
  it.effect("Given items that do not wait, When they run, Then one fiber runs them in order", () =>
    Effect.gen(function* () {
      const fibers = new Set<string>()
      const items = Arr.range(0, 99)
      const results = yield* Lanes.forEach(items, 16, (item) =>
        Effect.map(Effect.fiberId, (id) => {
          fibers.add(String(id))
          return item * 2
        })
      )
      expect(results).toEqual(items.map((item) => item * 2))
      expect(fibers.size).toBe(1)
    })
  )

  it.effect(
    "Given more waiting items than the concurrency, When they run, Then as many as the concurrency are in flight",
    () =>
      Effect.gen(function* () {
        const { gate, state, work } = yield* workshop
        const items = Arr.range(0, 49)
        const running = yield* Effect.fork(Lanes.forEach(items, 5, work))
        yield* settle
        expect(state.atWork).toBe(5)
        yield* Deferred.succeed(gate, undefined)
        expect(yield* Fiber.join(running)).toEqual(items)
        expect(state.most).toBe(5)
      })
  )

  it.live("Given thousands of waiting items, When they run at once, Then the time is not quadratic", () =>
    Effect.gen(function* () {
      const { gate, state, work } = yield* workshop
      const items = Arr.range(1, 4000)
      const began = performance.now()
      const running = yield* Effect.fork(Lanes.forEach(items, items.length, work))
      yield* eventually(
        Effect.sync(() => state.atWork),
        (atWork) => atWork === items.length
      )
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Fiber.join(running)).toEqual(items)
      expect(performance.now() - began).toBeLessThan(4000)
    })
  )

  it.effect("Given fewer items than the concurrency, or a concurrency that is no number, Then all items run", () =>
    Effect.gen(function* () {
      for (const lanes of [16, 1, 0, -1, 0.5, Number.NaN]) {
        expect(yield* Lanes.forEach([undefined, 1], lanes, Effect.succeed)).toEqual([undefined, 1])
        expect(yield* Lanes.forEach([], lanes, Effect.succeed)).toEqual([])
      }
    })
  )

  it.effect("Given one item that fails, Then the others are interrupted", () =>
    Effect.gen(function* () {
      const { state, work } = yield* workshop
      const error = yield* Effect.flip(
        Lanes.forEach(Arr.range(0, 9), 4, (item) => (item === 3 ? Effect.fail("no") : work(item)))
      )
      expect(error).toBe("no")
      expect(state.interrupted).toBe(3)
    })
  )

  it.effect("Given an interruption, Then every fiber ends", () =>
    Effect.gen(function* () {
      const { state, work } = yield* workshop
      const running = yield* Effect.fork(Lanes.forEach(Arr.range(0, 9), 4, work))
      yield* settle
      yield* Fiber.interrupt(running)
      expect(state.interrupted).toBe(4)
    })
  )
})
