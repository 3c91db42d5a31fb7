import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { gunzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as ProfilerNode from "../../layers/ProfilerNode.js"
import * as Profiler from "../../services/Profiler.js"
import * as CallTree from "../../src/observe/CallTree.js"
import * as CpuProfile from "../../src/observe/CpuProfile.js"
import { bundled } from "../support/bundled.js"
import * as Pprof from "../support/pprof.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(path.join(Os.tmpdir(), "pod-profiler-"))),
  (name) => Effect.sync(() => Fs.rmSync(name, { recursive: true }))
)

/** Takes CPU time, and returns how much: the machine may take longer than it was asked to. */
const burn = (millis: number): number => {
  const start = performance.now()
  while (performance.now() - start < millis);
  return performance.now() - start
}

const keepTexts = () => Array.from({ length: 20_000 }, (_, index) => [index, `text ${index}`])

const provided = Effect.provide(ProfilerNode.layer())

describe.sequential("ProfilerNode", () => {
  it.live("Given work in two spans and outside, When it is profiled, Then each has its share, by .ts files", () =>
    Effect.gen(function* () {
      const { cpu } = yield* Profiler.Profiler
      const burnt = { first: 0, second: 0 }
      const work = Effect.forEach(
        Array.from({ length: 30 }),
        () =>
          Effect.sync(() => void (burnt.first += burn(10))).pipe(
            Effect.zipLeft(Effect.yieldNow()),
            Effect.withSpan("first"),
            Effect.zipRight(
              Effect.withSpan(
                Effect.sync(() => void (burnt.second += burn(4))),
                "second"
              )
            ),
            Effect.zipLeft(Effect.sleep(1))
          ),
        { concurrency: 2, discard: true }
      )
      const [, { bySpan, duration, droppedChanges, profile, tree }] = yield* cpu(Effect.withSpan(work, "outer"))

      const shareOf = (name: string) => {
        const found = bySpan.find(({ path }) => path.join(" > ") === `outer > ${name}`)
        return (found?.total ?? 0) / (burnt.first + burnt.second) / 1000
      }
      const whole = burnt.first + burnt.second
      const share = burnt.first / whole
      // Four standard deviations: a busy machine takes few samples
      const margin = Math.max(0.1, 4 * Math.sqrt((share * (1 - share)) / profile.samples.length))
      expect(Math.abs(shareOf("first") - share)).toBeLessThan(margin)
      expect(Math.abs(shareOf("second") - (1 - share))).toBeLessThan(margin)
      expect(Duration.toMillis(duration)).toBeGreaterThan(whole)
      expect(droppedChanges).toBe(0)
      const burning = CallTree.byFunction(tree).find(({ name }) => name === "burn")
      expect(burning?.location).toMatch(/^test\/layers\/ProfilerNode\.test\.ts:3\d$/)
    }).pipe(provided)
  )

  it.live(
    "Given a profile that runs, When another is asked for, Then it is refused, and interruption frees the place",
    () =>
      Effect.gen(function* () {
        const profiler = yield* Profiler.Profiler
        const first = yield* Effect.fork(profiler.cpu(Effect.never))
        yield* Effect.sleep(50)
        const refused = yield* Effect.flip(profiler.cpu(Effect.void))
        expect(refused).toMatchObject({ _tag: "ProfilerError", reason: "AlreadyRunning", isRetryable: true })
        yield* Fiber.interrupt(first)
        expect(yield* Effect.flip(profiler.cpu(Effect.fail("own error")))).toBe("own error")
        const end = yield* profiler.cpuScoped()
        expect((yield* end).tree.unit).toBe("microseconds")
        expect(yield* Effect.flip(end)).toMatchObject({ reason: "NotAvailable" })
        expect((yield* profiler.cpu(Effect.succeed(7), { bySpan: false }))[0]).toBe(7)
      }).pipe(Effect.scoped, provided)
  )

  it.effect.each([0, 0.01, 5000, Number.NaN, Infinity])(
    "Given an interval of %d ms, When it starts, Then it is refused",
    (interval) =>
      Effect.gen(function* () {
        const { cpu } = yield* Profiler.Profiler
        expect(yield* Effect.flip(cpu(Effect.void, { interval }))).toMatchObject({ field: "interval" })
      }).pipe(provided)
  )

  it.live("Given a function that keeps memory, When the heap is sampled, Then it is the top allocator", () =>
    Effect.gen(function* () {
      const { heapSampling } = yield* Profiler.Profiler
      const [before, small] = yield* heapSampling(Effect.sync(() => [1]))
      const [kept, large] = yield* heapSampling(Effect.sync(keepTexts), { intervalBytes: 4096 })
      expect(before.length + kept.length).toBe(20_001)
      const [first] = CallTree.byFunction(large.tree).filter(({ location }) => location.includes("ProfilerNode.test"))
      expect(first?.self).toBeGreaterThan(500_000)
      expect(Profiler.compare(small, large)[0]?.change).toBeGreaterThan(500_000)
      expect(yield* Effect.flip(heapSampling(Effect.void, { intervalBytes: 1 }))).toMatchObject({
        field: "intervalBytes"
      })
    }).pipe(provided)
  )

  it.live("Given a profile, When it is written, Then each file is there, and the profile can be read again", () =>
    Effect.gen(function* () {
      const directory = path.join(yield* folder, "new", "out")
      const { cpu } = yield* Profiler.Profiler
      const [, recorded] = yield* cpu(Effect.sync(() => burn(20)))
      const files = yield* ProfilerNode.write(directory, { title: "t", cpu: recorded, fibers: "none" })
      expect(files).toEqual([
        "index.html",
        "cpu.cpuprofile",
        "cpu.folded",
        "cpu.pb.gz",
        "flamegraph.svg",
        "spans.txt",
        "fibers.txt"
      ])
      expect(Fs.readdirSync(directory).toSorted()).toEqual([...files].toSorted())
      const again = Either.getOrThrow(CpuProfile.parse(Fs.readFileSync(path.join(directory, "cpu.cpuprofile"), "utf8")))
      expect(again.samples.length).toBe(recorded.profile.samples.length)
      const { durationNanos, stacks } = Pprof.read(gunzipSync(Fs.readFileSync(path.join(directory, "cpu.pb.gz"))))
      expect(durationNanos).toBe(Math.round(Duration.toMillis(recorded.duration) * 1e6))
      expect(stacks.some(({ frames }) => frames.some(({ name }) => name === "burn"))).toBe(true)
      const refused = yield* Effect.flip(
        ProfilerNode.write(path.join(directory, "index.html"), { title: "t", cpu: recorded })
      )
      expect(refused).toMatchObject({ _tag: "ProfilerError", reason: "Write" })
    }).pipe(Effect.scoped, provided)
  )

  it.live("Given a full disk, When a profile is written, Then the error names the file", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const { cpu } = yield* Profiler.Profiler
      const [, recorded] = yield* cpu(Effect.void)
      Fs.symlinkSync("/dev/full", path.join(directory, "spans.txt"))
      const failed = yield* Effect.flip(ProfilerNode.write(directory, { title: "t", cpu: recorded }))
      expect(failed).toMatchObject({ reason: "Write", detail: "spans.txt cannot be written" })
    }).pipe(Effect.scoped, provided)
  )

  it.live(
    "Given a process that keeps more and more, When its heap is written twice, Then the files are its owner's and say what grew",
    () =>
      Effect.gen(function* () {
        const directory = yield* folder
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)(process.execPath, [
            bundled("test/support/profilerChild.ts", { sources: true }),
            directory
          ])
        )
        const said: unknown = JSON.parse(stdout)
        const [before, after] = ["before.heapsnapshot", "after.heapsnapshot"].map((name) => path.join(directory, name))
        expect(said).toEqual({
          files: [before, after].map((file = "") => ({ path: file, bytes: Fs.statSync(file).size })),
          again: "Write",
          nowhere: "Write",
          noRoom: "NoRoom"
        })
        // Then only its owner may read it, and what was not written left no file
        expect(Fs.readdirSync(directory).toSorted()).toEqual(["after.heapsnapshot", "before.heapsnapshot"])
        for (const file of [before, after]) expect(Fs.statSync(file ?? "").mode & 0o777).toBe(0o600)

        const growths = yield* ProfilerNode.compareSnapshots(before ?? "", after ?? "")
        expect(growths.find(({ name }) => name === "KeptByTheChild")?.countChange).toBe(20_000)
        expect(growths.slice(0, 3).map(({ name }) => name)).toContain("KeptByTheChild")
        expect(JSON.stringify(growths)).not.toContain("the content of a text")

        // Then a file that was cut is malformed
        const cut = path.join(directory, "cut.heapsnapshot")
        Fs.writeFileSync(cut, Fs.readFileSync(before ?? "").subarray(0, 100_000))
        const refused = yield* Effect.flip(ProfilerNode.compareSnapshots(before ?? "", cut))
        expect(refused).toMatchObject({ reason: "Malformed", detail: "cut.heapsnapshot cannot be read" })
      }).pipe(Effect.scoped)
  )
})
