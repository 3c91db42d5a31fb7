import { addEqualityTesters, effect, it, live, scoped, scopedLive } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sodium from "../layers/internal/Sodium.js"

// `layer` of @effect/vitest replaces these on the one `it` of the process, and the files of a worker share the process.
Object.assign(it, { effect, live, scoped, scopedLive })

addEqualityTesters()

// The first wallet loads it, which takes real time: tests that move the clock, or let fibers settle, would not wait.
await Effect.runPromise(Sodium.load)
