import { addEqualityTesters } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sodium from "../layers/internal/Sodium.js"

addEqualityTesters()

// The first wallet loads it, which takes real time: tests that move the clock, or let fibers settle, would not wait.
await Effect.runPromise(Sodium.load)
