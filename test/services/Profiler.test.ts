import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Profiler from "../../services/Profiler.js"

const profile = { nodes: [{ id: 1 }], startTime: 0, endTime: 1, samples: [], timeDeltas: [] }

/** A platform on which nothing is recorded and all is counted. */
const source = (changes: Partial<Profiler.Source>) => {
  const written: Array<string> = []
  const made = Profiler.make({
    now: () => 0,
    startCpu: () => Effect.succeed(Effect.succeed(profile)),
    startHeap: () => Effect.succeed(Effect.succeed({ head: { callFrame: {}, selfSize: 0 } })),
    locate: () => Effect.succeed((frame) => frame),
    shown: {},
    room: () => Effect.succeed({ heapBytes: 100, diskBytes: 200, memoryBytes: 200 }),
    snapshot: (path) => Effect.sync(() => written.push(path)),
    ...changes
  })
  return { made, written }
}

describe("Profiler", () => {
  it.effect("Given room for twice the heap, When a snapshot is asked for, Then it is written", () =>
    Effect.gen(function* () {
      const { made, written } = source({})
      expect(yield* made.heapSnapshot("a")).toMatchObject({ path: "a", bytes: 1 })
      expect(written).toEqual(["a"])
    })
  )

  it.effect.each([
    ["disk", { heapBytes: 100, diskBytes: 199, memoryBytes: 1e9 }],
    ["memory", { heapBytes: 100, diskBytes: 1e9, memoryBytes: 199 }]
  ] as const)("Given too little %s, When a snapshot is asked for, Then nothing is written", ([where, room]) =>
    Effect.gen(function* () {
      const { made, written } = source({ room: () => Effect.succeed(room) })
      const refused = yield* Effect.flip(made.heapSnapshot("a"))
      expect(refused).toMatchObject({ reason: "NoRoom", isRetryable: true })
      expect(refused.message).toContain(where)
      expect(written).toEqual([])
    })
  )

  it.effect(
    "Given a platform that fails or returns nonsense, When it records, Then the error is typed and the place free",
    () =>
      Effect.gen(function* () {
        const failure = new Profiler.ProfilerError({ reason: "NotAvailable", detail: "No inspector" })
        let isBroken = true
        const { made } = source({
          startCpu: () => (isBroken ? Effect.fail(failure) : Effect.succeed(Effect.succeed("nonsense")))
        })
        expect(yield* Effect.flip(made.cpu(Effect.void))).toBe(failure)
        isBroken = false
        for (let times = 0; times < 2; times++)
          expect(yield* Effect.flip(made.cpu(Effect.void))).toMatchObject({ reason: "Malformed" })
      })
  )

  it.effect("Given no profiler, When an effect is profiled, Then it runs, and the recording is empty", () =>
    Effect.gen(function* () {
      const { cpu, heapSampling, heapSnapshot } = yield* Profiler.Profiler
      expect(yield* cpu(Effect.succeed(1))).toMatchObject([1, { bySpan: [], tree: { root: { total: 0 } } }])
      expect(yield* heapSampling(Effect.succeed(2))).toMatchObject([2, { tree: { unit: "bytes" } }])
      expect(yield* Effect.flip(heapSnapshot("a"))).toMatchObject({ reason: "NotAvailable" })
    }).pipe(Effect.provide(Profiler.layerNoop))
  )

  it.effect("Given stubs, When a member without one is used, Then it dies with its name", () =>
    Effect.gen(function* () {
      const { heapSnapshot } = yield* Profiler.Profiler
      expect(Cause.pretty(yield* Effect.sandbox(heapSnapshot("a")).pipe(Effect.flip))).toContain("heapSnapshot")
    }).pipe(Effect.provide(Profiler.layerTest({})))
  )
})
