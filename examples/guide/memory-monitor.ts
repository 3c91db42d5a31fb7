/**
 * Memory monitoring: statistics, pressure, suspicion of a leak and a collection on demand.
 *
 *     npx tsx examples/guide/memory-monitor.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { BufferPool, MemoryMonitor, MemoryMonitorNode, PayloadStore } from "@pod-protocol/effect"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`

const program = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor.MemoryMonitor
  const store = yield* PayloadStore.PayloadStore
  const buffers = yield* BufferPool.BufferPool
  yield* store.put(new Uint8Array(5_000_000))
  yield* Effect.scoped(buffers.lease)

  // The monitor reads the memory once per period. This waits for the first two readings
  yield* monitor.changes.pipe(
    Stream.take(2),
    Stream.runForEach(({ pressure, rssBytes }) =>
      Console.log(`reading: RSS ${megabytes(rssBytes)}, pressure ${pressure}`)
    )
  )

  // Get memory statistics
  const stats = yield* monitor.stats
  yield* Console.log("Memory usage:")
  yield* Console.log(`  RSS: ${megabytes(stats.rssBytes)}`)
  yield* Console.log(`  Heap: ${megabytes(stats.heapUsedBytes)}`)
  yield* Console.log(
    `  Stack: ${Option.match(stats.stackBytes, { onNone: () => "not known here", onSome: megabytes })}`
  )
  for (const [name, bytes] of Object.entries(stats.pools)) yield* Console.log(`  ${name}: ${megabytes(bytes)}`)

  // Detect memory leaks
  yield* Console.log(`Suspicion: ${(yield* monitor.suspicion)._tag}`)
  if (stats.heapUsedBytes > 10_000_000) {
    const { duration, freedBytes } = yield* monitor.triggerGc
    yield* Console.log(`Collected ${megabytes(freedBytes)} in ${duration}`)
  }
})

const pools = Layer.merge(PayloadStore.layerMemory, BufferPool.layer())

program.pipe(
  Effect.provide(Layer.provideMerge(pools, MemoryMonitorNode.layer({ period: "200 millis" }))),
  NodeRuntime.runMain
)
