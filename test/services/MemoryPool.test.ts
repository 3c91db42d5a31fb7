import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as MemoryPool from "../../services/MemoryPool.js"

interface Slate {
  readonly id: number
  text: string
}

const slates = (options: Partial<MemoryPool.Options<Slate>> = {}) => {
  let made = 0
  return MemoryPool.make<Slate>({ create: () => ({ id: made++, text: "" }), ...options })
}

describe("MemoryPool", () => {
  it.scoped("Given a returned object, When one is acquired, Then it is that object after a reset", () =>
    Effect.gen(function* () {
      const pool = yield* slates({ reset: (slate) => void (slate.text = "") })
      const first = yield* pool.use((slate) => Effect.sync(() => ((slate.text = "secret"), slate)))
      const second = yield* pool.use(Effect.succeed)
      expect(second).toBe(first)
      expect(second.text).toBe("")
      expect(yield* pool.stats).toEqual({ inUse: 0, idle: 1, hits: 1, misses: 1 })
    })
  )

  it.scoped(
    "Given a holder that fails or is interrupted, When its Scope closes, Then the object returns to the pool",
    () =>
      Effect.gen(function* () {
        const pool = yield* slates()
        const started = yield* Deferred.make<void>()
        const holder = yield* Effect.fork(
          Effect.scoped(
            Effect.zipRight(pool.acquire, Effect.zipRight(Deferred.succeed(started, undefined), Effect.never))
          )
        )
        yield* Deferred.await(started)
        expect((yield* pool.stats).inUse).toBe(1)
        yield* Fiber.interrupt(holder)
        yield* Effect.exit(pool.use(() => Effect.fail("no")))
        expect(yield* pool.stats).toEqual({ inUse: 0, idle: 1, hits: 1, misses: 1 })
      })
  )

  it.scoped("Given more objects than are pooled, When they return, Then the excess is dropped", () =>
    Effect.gen(function* () {
      const pool = yield* slates({ maxPooled: 2 })
      yield* Effect.scoped(Effect.all([pool.acquire, pool.acquire, pool.acquire]))
      expect(yield* pool.stats).toEqual({ inUse: 0, idle: 2, hits: 0, misses: 3 })
    })
  )

  it.scoped("Given an object whose reset throws, When it returns, Then it is not pooled", () =>
    Effect.gen(function* () {
      const pool = yield* slates({
        reset: () => {
          throw new Error("torn")
        }
      })
      expect(Exit.isFailure(yield* Effect.exit(pool.use(() => Effect.void)))).toBe(true)
      expect(yield* pool.stats).toEqual({ inUse: 0, idle: 0, hits: 0, misses: 1 })
    })
  )

  it.scoped("Given idle objects, When the idle timeout has passed, Then they are dropped, oldest first", () =>
    Effect.gen(function* () {
      const pool = yield* slates({ idleTimeout: "10 seconds" })
      const scope = yield* Scope.make()
      yield* Scope.extend(pool.acquire, scope)
      yield* pool.use(() => Effect.void)
      yield* TestClock.adjust("6 seconds")
      yield* Scope.close(scope, Exit.void)
      expect((yield* pool.stats).idle).toBe(2)
      yield* TestClock.adjust("4 seconds")
      expect((yield* pool.stats).idle).toBe(1)
      yield* TestClock.adjust("6 seconds")
      expect((yield* pool.stats).idle).toBe(0)
    })
  )

  it.effect("Given a closed pool, When a holder ends later, Then nothing is kept", () =>
    Effect.gen(function* () {
      const poolScope = yield* Scope.make()
      const holderScope = yield* Scope.make()
      const pool = yield* Scope.extend(slates(), poolScope)
      yield* Scope.extend(pool.acquire, holderScope)
      yield* Scope.close(poolScope, Exit.void)
      yield* Scope.close(holderScope, Exit.void)
      expect(yield* pool.stats).toEqual({ inUse: 0, idle: 0, hits: 0, misses: 1 })
    })
  )

  it.scoped("Given a bad option, When the pool is made, Then the error names it", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(slates({ maxPooled: -1 }))).field).toBe("maxPooled")
      expect((yield* Effect.flip(slates({ idleTimeout: 0 }))).field).toBe("idleTimeout")
    })
  )

  it.effect("Given any order of acquiring and releasing, When it runs, Then no two holders share an object", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.nat(7), { maxLength: 60 }), fc.nat(4), (steps, maxPooled) =>
          Effect.gen(function* () {
            const pool = yield* slates({ maxPooled })
            const held = new Map<number, { readonly slate: Slate; readonly scope: Scope.CloseableScope }>()
            for (const holder of steps) {
              const current = held.get(holder)
              if (current === undefined) {
                const scope = yield* Scope.make()
                const slate = yield* Scope.extend(pool.acquire, scope)
                expect([...held.values()].some((other) => other.slate === slate)).toBe(false)
                held.set(holder, { slate, scope })
              } else {
                held.delete(holder)
                yield* Scope.close(current.scope, Exit.void)
              }
              const { hits, idle, inUse, misses } = yield* pool.stats
              expect(inUse).toBe(held.size)
              expect(idle).toBeLessThanOrEqual(maxPooled)
              expect(hits + misses).toBeGreaterThanOrEqual(inUse)
            }
          }).pipe(Effect.scoped, Effect.runPromise)
        ),
        { numRuns: 200 }
      )
    )
  )
})
