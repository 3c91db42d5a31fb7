/** Measures the cost of a dump of many fibers, and the memory that the console keeps of ended fibers. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as FiberConsoleNode from "../../layers/FiberConsoleNode.js"
import * as MemoryMonitorNode from "../../layers/MemoryMonitorNode.js"
import { type DumpOptions, FiberConsole } from "../../services/FiberConsole.js"
import { MemoryMonitor } from "../../services/MemoryMonitor.js"
import { median } from "../harness.js"

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: "ms of CPU" | "bytes"
  readonly goal?: number
}

const ROUNDS = 5

/** Fibers that ended once are compiled, and their groups are known. */
const WARM_UP = 5000

const many = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

const spanned = <A>(index: number, self: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.withSpan(self, `group ${index % 20}`)

const waiting = Effect.gen(function* () {
  yield* Effect.never
})

const dumped = (options: DumpOptions) =>
  Effect.gen(function* () {
    const { dump } = yield* FiberConsole
    const millis: Array<number> = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = process.cpuUsage()
      yield* dump(options)
      const { system, user } = process.cpuUsage(before)
      millis.push((system + user) / 1000)
    }
    return median(millis)
  })

const dumps = (count: number, goals: readonly [plain: number, places: number] | undefined) =>
  Effect.gen(function* () {
    const fibers = yield* Effect.forEach(many(count), (index) => Effect.fork(spanned(index, waiting)))
    yield* Effect.sleep("10 millis")
    const plain = yield* dumped({})
    const places = yield* dumped({ places: 50 })
    yield* Fiber.interruptAll(fibers)
    const name = `a dump of ${count.toLocaleString("en")} fibers`
    return [
      { name, value: plain, unit: "ms of CPU", ...(goals && { goal: goals[0] }) },
      { name: `${name}, 50 with places`, value: places, unit: "ms of CPU", ...(goals && { goal: goals[1] }) }
    ] satisfies ReadonlyArray<Figure>
  })

const collected = Effect.gen(function* () {
  const { stats, triggerGc } = yield* MemoryMonitor
  yield* triggerGc
  return (yield* stats).heapUsedBytes
})

const ended = (count: number) =>
  Effect.forEach(many(count), (index) => Effect.flatMap(Effect.fork(spanned(index, Effect.yieldNow())), Fiber.join), {
    discard: true
  })

const left = (count: number) =>
  Effect.gen(function* () {
    yield* ended(WARM_UP)
    const before = yield* collected
    yield* ended(count)
    yield* Effect.sleep("10 millis")
    const value = (yield* collected) - before
    return {
      name: `left by ${count.toLocaleString("en")} ended fibers`,
      value,
      unit: "bytes",
      goal: 1024 ** 2
    } as const
  })

export const figures: Effect.Effect<ReadonlyArray<Figure>, unknown> = Effect.gen(function* () {
  return [...(yield* dumps(10_000, [200, 1000])), ...(yield* dumps(100_000, undefined)), yield* left(100_000)]
}).pipe(Effect.provide(Layer.merge(FiberConsoleNode.layer, MemoryMonitorNode.layer({ gcInterval: "1 millis" }))))
