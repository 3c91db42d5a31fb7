/** Writes snapshots of its heap into the folder of its argument, and prints the results. */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as ProfilerNode from "../../layers/ProfilerNode.js"
import * as Profiler from "../../services/Profiler.js"

class KeptByTheChild {
  readonly text = "the content of a text"
  constructor(readonly index: number) {}
}

const kept: Array<KeptByTheChild> = []

const [, , directory = ""] = process.argv

const file = (name: string): string => path.join(directory, name)

const program = Effect.gen(function* () {
  const { heapSnapshot } = yield* Profiler.Profiler
  const before = yield* heapSnapshot(file("before.heapsnapshot"))
  for (let index = 0; index < 20_000; index++) kept.push(new KeptByTheChild(index))
  const after = yield* heapSnapshot(file("after.heapsnapshot"))
  const again = yield* Effect.flip(heapSnapshot(file("after.heapsnapshot")))
  const nowhere = yield* Effect.flip(heapSnapshot(file("missing/x.heapsnapshot")))

  // This file system has no free space
  const noRoom = yield* Effect.flip(heapSnapshot("/proc/none.heapsnapshot"))

  return {
    files: [before, after].map(({ bytes, path }) => ({ path, bytes })),
    again: again.reason,
    nowhere: nowhere.reason,
    noRoom: noRoom.reason
  }
})

const said = await Effect.runPromise(Effect.provide(program, ProfilerNode.layer()))
process.stdout.write(JSON.stringify(said))
if (kept.length === 0) process.exitCode = 1
