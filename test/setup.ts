import { addEqualityTesters, effect, it, live, scoped, scopedLive } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import * as Sodium from "../layers/internal/Sodium.js"

// `layer` of @effect/vitest replaces these on the one `it` of the process, and the files of a worker share the process.
Object.assign(it, { effect, live, scoped, scopedLive })

addEqualityTesters()

/** A run that was killed leaves no processes behind. */
process.once("disconnect", () => process.exit(1))

/** Bytes are compared as bytes: the runner's own equality walks them by key, and takes milliseconds for a kilobyte. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) =>
    a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor
      ? Buffer.compare(a, b) === 0
      : undefined
])

// The first wallet loads it, which takes real time: tests that move the clock, or let fibers settle, would not wait.
await Effect.runPromise(Sodium.load)
