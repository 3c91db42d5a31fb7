import { addEqualityTesters, effect, it, live, scoped, scopedLive } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { expect } from "vitest"
import * as Sodium from "../layers/internal/Sodium.js"

// `layer` of @effect/vitest replaces these on the one `it` of the process, and the files of a worker share the process.
Object.assign(it, { effect, live, scoped, scopedLive })

addEqualityTesters()

/** Three turns of Node's timers, in which the other fibers go on. */
const turns = Effect.async<void>((resume) => {
  let left = 3
  const turn = (): void => {
    if (--left === 0) resume(Effect.void)
    else timer = setTimeout(turn, 0)
  }
  let timer = setTimeout(turn, 0)
  return Effect.sync(() => clearTimeout(timer))
})

// In each step, TestClock takes three such turns. Between them it compares the supervised fibers, of which these tests have
// none, and it forks a fiber for a warning: both took most of the CPU time of a step.
const testClock: object = await Effect.runPromise(Effect.provide(TestClock.testClock(), TestContext.TestContext))
Object.assign(Object.getPrototypeOf(testClock), { awaitSuspended: () => turns })

/** A run that was killed leaves no processes behind. The files of a worker share the process, and this is once for it. */
const endWithRun = (): void => process.exit(1)
if (!process.listeners("disconnect").some(({ name }) => name === endWithRun.name)) {
  process.once("disconnect", endWithRun)
}

/** Bytes are compared as bytes: the runner's own equality walks them by key, and takes milliseconds for a kilobyte. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) =>
    a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor
      ? Buffer.compare(a, b) === 0
      : undefined
])

// The first wallet loads it, which takes real time: tests that move the clock, or let fibers settle, would not wait.
await Effect.runPromise(Sodium.load)
