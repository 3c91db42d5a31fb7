/** Measures the console's cost for a fiber, in a thread of its own, and sends the report to its parent. */
import { parentPort } from "node:worker_threads"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as FiberConsole from "../../services/FiberConsole.js"
import { type Case, measure } from "../harness.js"

const FIBERS = 100

const fibers = Effect.forEach(
  Array.from({ length: FIBERS }),
  () => Effect.flatMap(Effect.fork(Effect.yieldNow()), Fiber.join),
  { discard: true }
)

const forked = <A, E>(name: string, layer: Layer.Layer<A, E>): Case => {
  const { runPromise } = ManagedRuntime.make(layer)
  return { name, operations: FIBERS, run: () => runPromise(fibers) }
}

const report = await measure(
  "A fiber, started, suspended and joined",
  [forked("nothing", Layer.empty), forked("console", FiberConsole.layer)],
  { rounds: 101, roundMillis: 50, warmMillis: 1000 }
)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- only a window has an origin
parentPort?.postMessage(report)
