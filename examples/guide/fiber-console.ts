/**
 * Async profiling: the live fibers of an application, the place where each waits, and suspicious patterns.
 *
 *     npx tsx examples/guide/fiber-console.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { FiberConsole, FiberConsoleNode } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"

/** Uses the CPU without a pause, like a parser of a large document. */
const busy = Effect.sync(() => {
  const start = performance.now()
  while (performance.now() - start < 80);
})

const application = Effect.gen(function* () {
  const jobs = yield* Queue.unbounded<string>()
  const worker = Effect.gen(function* () {
    yield* Queue.take(jobs)
  })
  const workers = yield* Effect.forEach([1, 2, 3], () => Effect.fork(Effect.withSpan(worker, "worker")))
  const parser = yield* Effect.fork(Effect.withSpan(Effect.zipRight(busy, Effect.never), "parser"))

  // Two fibers that wait for each other
  const second = yield* Deferred.make<Fiber.Fiber<void>>()
  const left = yield* Effect.fork(Effect.withSpan(Effect.flatMap(Deferred.await(second), Fiber.join), "left"))
  const right = yield* Effect.fork(Effect.withSpan(Fiber.join(left), "right"))
  yield* Deferred.succeed(second, right)
  return [...workers, parser, left, right]
})

const program = Effect.gen(function* () {
  // kill -USR2 PID prints the fibers at any time
  yield* FiberConsoleNode.dumpOnSignal()

  // Your application logic
  const fibers = yield* application
  yield* Effect.sleep("200 millis")

  const { dump } = yield* FiberConsole.FiberConsole
  yield* Console.log(FiberConsole.render(yield* dump({ places: 20 })))
  yield* Effect.forEach(fibers, (fiber) => Fiber.interruptFork(fiber))
})

program.pipe(Effect.scoped, Effect.provide(FiberConsoleNode.layer), NodeRuntime.runMain)
