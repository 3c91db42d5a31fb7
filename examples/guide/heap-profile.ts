/**
 * Memory profiling: the functions that hold memory, the changes between two moments, and a snapshot of all objects.
 *
 *     npx tsx examples/guide/heap-profile.ts [FILE.heapsnapshot]
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Profiler, ProfilerNode } from "@pod-protocol/effect"
import * as CallTree from "@pod-protocol/effect/observe/CallTree"
import * as Flamegraph from "@pod-protocol/effect/observe/Flamegraph"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const bytes = (value: number): string => Flamegraph.cost(value, "bytes")

const kept: Array<object> = []

/** An example of a leak: a list that is never emptied. */
const leak = (count: number): void => {
  for (let index = 0; index < count; index++) kept.push({ index, text: `kept ${index}` })
}

const program = Effect.gen(function* () {
  const profiler = yield* Profiler.Profiler

  // Record which functions hold memory, twice
  const [, before] = yield* profiler.heapSampling(Effect.sync(() => leak(1000)))
  const [, after] = yield* profiler.heapSampling(Effect.sync(() => leak(100_000)))
  yield* Console.log("Top allocators:")
  for (const { location, name, self } of CallTree.byFunction(after.tree).slice(0, 5))
    yield* Console.log(`  ${bytes(self).padStart(9)}  ${name} ${location}`)

  // Compare the two
  yield* Console.log("Grown most:")
  for (const { change, name } of Profiler.compare(before, after).slice(0, 3))
    yield* Console.log(`  ${bytes(change).padStart(9)}  ${name}`)

  // Writes all objects for Chrome's developer tools. The file contains all secrets of the process: only its owner can
  // read it
  const file = process.argv[2]
  if (file === undefined) return
  const snapshot = yield* profiler.heapSnapshot(file)
  yield* Console.log(`Snapshot: ${bytes(snapshot.bytes)} in ${snapshot.duration}`)
})

program.pipe(Effect.provide(ProfilerNode.layer()), NodeRuntime.runMain)
