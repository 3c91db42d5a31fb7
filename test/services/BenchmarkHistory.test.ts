import * as Fs from "node:fs"
import * as Os from "node:os"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as BenchmarkHistory from "../../services/BenchmarkHistory.js"
import type { Report } from "../../src/observe/BenchmarkReport.js"

const report = (name: string, at: number): Report => ({
  version: 1,
  name,
  mode: "cpu",
  base: "b",
  at,
  machine: { cpu: "c", cores: 1, runtime: "r" },
  threshold: 0.02,
  cases: [{ name: "b", isControl: false, operations: 1, rounds: [[1, 2]], figures: [] }]
})

const folder = Fs.mkdtempSync(path.join(Os.tmpdir(), "pod-history-"))
afterAll(() => Fs.rmSync(folder, { recursive: true }))

const onDisk = (options?: BenchmarkHistory.Options) =>
  Layer.provide(BenchmarkHistory.layerFileSystem(path.join(folder, "reports"), options), NodeFileSystem.layer)

const use = <A, E>(use: (history: BenchmarkHistory.Service) => Effect.Effect<A, E>) =>
  Effect.flatMap(BenchmarkHistory.BenchmarkHistory, use)

const NAMES = ["sends", "../../outside", "a/b", ".", "", "lone \ud800 half", "x".repeat(200)]

describe.each([
  ["memory", BenchmarkHistory.layerMemory({ maxReports: 3 })],
  ["disk", onDisk({ maxReports: 3 })]
] as const)("BenchmarkHistory in %s", (_, layer) => {
  it.effect(
    "Given reports of names of any kind, When they are added, Then the last of each are kept, the oldest first",
    () =>
      use((history) =>
        Effect.gen(function* () {
          for (const name of NAMES) {
            expect(yield* history.last(name)).toEqual(Option.none())
            for (const at of [1, 2, 3, 4]) yield* history.add(report(name, at))
            expect(yield* history.all(name)).toEqual([2, 3, 4].map((at) => report(name, at)))
            expect(yield* history.last(name)).toEqual(Option.some(report(name, 4)))
          }
        })
      ).pipe(Effect.provide(layer))
  )

  it.effect("Given three adds at once, When they have ended, Then none has overwritten another", () =>
    use((history) =>
      Effect.gen(function* () {
        yield* Effect.forEach([1, 2, 3], (at) => history.add(report("together", at)), { concurrency: "unbounded" })
        expect((yield* history.all("together")).map(({ at }) => at)).toEqual([1, 2, 3])
      })
    ).pipe(Effect.provide(layer))
  )
})

const built = (directory: string, options?: BenchmarkHistory.Options) =>
  Effect.flip(Effect.scoped(Layer.build(BenchmarkHistory.layerFileSystem(directory, options)))).pipe(
    Effect.provide(NodeFileSystem.layer)
  )

describe("a history on disk", () => {
  it.effect(
    "Given a file that was cut, changed, or is a folder, When it is used, Then it is reported and not overwritten",
    () =>
      Effect.gen(function* () {
        yield* Effect.provide(
          use((history) => history.add(report("damaged", 1))),
          onDisk()
        )
        const file = path.join(folder, "reports", "damaged.json")
        const whole = Fs.readFileSync(file, "utf8")
        for (const text of [whole.slice(0, -20), "", "{}", whole.replace(`"rounds":[[1,2]]`, `"rounds":[["a"]]`)]) {
          Fs.writeFileSync(file, text)
          const errors = yield* Effect.provide(
            use((history) =>
              Effect.all([Effect.flip(history.last("damaged")), Effect.flip(history.add(report("damaged", 2)))])
            ),
            onDisk()
          )
          for (const error of errors) {
            expect(error).toMatchObject({ _tag: "BenchmarkHistoryError", reason: "Malformed", isRetryable: false })
            expect(error.message).toContain("remove its file")
          }
          expect(Fs.readFileSync(file, "utf8")).toBe(text)
        }
      })
  )

  it.effect("Given a path that is no folder, and a limit of 0, When the layer is built, Then it fails typed", () =>
    Effect.gen(function* () {
      const file = path.join(folder, "file")
      Fs.writeFileSync(file, "")
      expect(yield* built(path.join(file, "below"))).toMatchObject({ _tag: "BenchmarkHistoryError", reason: "Read" })
      expect(yield* built(folder, { maxReports: 0 })).toMatchObject({ _tag: "InvalidInput", field: "maxReports" })
    })
  )
})
