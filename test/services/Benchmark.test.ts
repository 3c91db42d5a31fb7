import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Command from "@effect/platform/Command"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as StopwatchNode from "../../layers/StopwatchNode.js"
import * as Benchmark from "../../services/Benchmark.js"
import { Stopwatch } from "../../services/Stopwatch.js"
import * as BenchmarkReport from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"
import * as Statistics from "../../src/observe/Statistics.js"

/** CPU time that cases spend by saying so, with a seeded noise of 2 % either way. */
const fake = () => {
  let micros = 0
  const random = Statistics.seeded(3)
  const spend = (cost: number): number => (micros += cost * (0.98 + 0.04 * random()))
  const layer = Layer.succeed(Stopwatch, {
    cpuMicros: Effect.sync(() => micros),
    machine: Effect.succeed({ cpu: "fake", cores: 2, runtime: "test" })
  })
  return { spend, layer }
}

const FAST = { rounds: 21, maxRounds: 21, roundTime: 2, warmUp: 2 }

const rowOf = (report: BenchmarkReport.Report, name: string) =>
  BenchmarkReport.rows(report).find((row) => row.name === name && !row.isControl)

class Cost extends Context.Tag("test/Cost")<Cost, number>() {}

const work = (times: number) => (): number => {
  let sum = 0
  for (let index = 0; index < times; index++) sum = (sum + Math.imul(index, sum | 1)) | 0
  return sum
}

/** Tells the same time of each operation, and a figure that is no number. */
const telling = (micros: number, seconds = 1) =>
  Benchmark.remote(
    Effect.succeed({
      latencies: ({ operations }: Benchmark.Plan) =>
        Effect.succeed({ micros: Array.from({ length: operations }, () => micros), seconds }),
      figures: Effect.succeed([{ name: "requests", value: 0 / 0, unit: "" }])
    })
  )

describe("Benchmark.run", () => {
  it.effect(
    "Given cases of known cost, When they are run, Then times, ratios and verdicts are theirs, and the control is no change",
    () => {
      const { layer, spend } = fake()
      let released = 0
      const benchmark = Benchmark.make({
        name: "costs",
        base: "base",
        cases: {
          base: Benchmark.call(() => spend(10)),
          slower: Benchmark.effect(Effect.sync(() => spend(11))),
          ten: Benchmark.call(async () => spend(50), { operations: 10 }),
          layered: Benchmark.withSetup(
            Benchmark.effect(Effect.map(Cost, spend)),
            Layer.scoped(
              Cost,
              Effect.acquireRelease(Effect.succeed(20), () => Effect.sync(() => void released++))
            )
          )
        }
      })
      return Effect.gen(function* () {
        const report = yield* Benchmark.run(benchmark, FAST)
        expect(report.cases.map(({ isControl, name }) => `${name}${isControl ? " again" : ""}`)).toEqual([
          "base",
          "base again",
          "slower",
          "ten",
          "layered"
        ])
        const ratio = (name: string) =>
          Option.getOrThrow(Option.flatMap(Option.fromNullable(rowOf(report, name)), ({ ratio }) => ratio)).value
        expect(ratio("slower")).toBeCloseTo(1.1, 1)
        expect(ratio("ten")).toBeCloseTo(0.5, 1)
        expect(ratio("layered")).toBeCloseTo(2, 1)
        expect(rowOf(report, "slower")?.verdict).toEqual(Option.some({ _tag: "Slower" }))
        expect(rowOf(report, "ten")?.verdict).toEqual(Option.some({ _tag: "Faster" }))
        expect(BenchmarkReport.rows(report)[1]?.verdict).toEqual(Option.some({ _tag: "NoChange" }))
        expect(released).toBe(1)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect(
    "Given cases that throw, die, hang, and take no time, When they are run, Then each is marked, and the others go on",
    () => {
      const { layer, spend } = fake()
      let calls = 0
      const benchmark = Benchmark.make({
        name: "broken",
        base: "base",
        cases: {
          base: Benchmark.call(() => spend(10)),
          throws: Benchmark.call(() => {
            throw new Error("no\u001b[2J luck")
          }),
          later: Benchmark.effect(() => (++calls > 400 ? Effect.die("at last") : Effect.sync(() => spend(10)))),
          hangs: Benchmark.call(() => new Promise(() => undefined)),
          setup: Benchmark.withSetup(Benchmark.effect(Cost), Layer.fail("no setup")),
          nothing: Benchmark.remote(Effect.succeed({ cpu: () => Effect.succeed(0) })),
          latency: Benchmark.remote(Effect.succeed({}))
        }
      })
      return Effect.gen(function* () {
        const running = yield* Effect.fork(Benchmark.run(benchmark, { ...FAST, timeout: "10 seconds" }))
        yield* TestClock.adjust("1 minute")
        const report = yield* Fiber.join(running)
        const failures = Object.fromEntries(report.cases.map(({ failure, name }) => [name, failure]))
        expect(failures).toEqual({
          base: undefined,
          throws: "Error: no luck",
          later: "at last",
          hangs: "it did not end within 10000 ms",
          setup: "no setup",
          nothing: expect.stringMatching(/too fast/),
          latency: "the case does not measure its CPU time"
        })
        expect(
          report.cases.filter(({ failure }) => failure !== undefined).every(({ rounds }) => rounds.flat().length === 0)
        ).toBe(true)
        expect(report.cases[0]?.rounds[0]?.length).toBe(21)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("Given a base that fails, When it is run, Then there is no report", () =>
    Effect.gen(function* () {
      const benchmark = Benchmark.make({ name: "n", base: "b", cases: { b: Benchmark.effect(Effect.fail("why")) } })
      const error = yield* Effect.flip(Benchmark.run(benchmark, FAST))
      expect(error).toMatchObject({ _tag: "BenchmarkError", reason: "Base" })
      expect(error.message).toContain("b, the base of n, failed")
    }).pipe(Effect.provide(fake().layer))
  )

  it.effect(
    "Given options and names that break a rule, When it is run, Then nothing runs, and the error names the field",
    () => {
      let calls = 0
      const one = Benchmark.make({ name: "n", base: "b", cases: { b: Benchmark.call(() => calls++) } })
      const refused: ReadonlyArray<readonly [string, Benchmark.Benchmark<Stopwatch>, Benchmark.Options]> = [
        ["rounds", one, { rounds: 1 }],
        ["maxRounds", one, { rounds: 10, maxRounds: 9 }],
        ["roundTime", one, { roundTime: "-1 millis" as never }],
        ["operations", one, { mode: "latency", operations: 2 }],
        ["concurrency", one, { concurrency: 0 }],
        ["rate", one, { rate: Number.NaN }],
        ["timeout", one, { timeout: Duration.infinity }],
        ["threshold", one, { threshold: 2 }],
        ["mode", one, { mode: "wall" as never }],
        ["base", { ...one, base: "c" }, {}],
        [
          "cases.b.operations",
          Benchmark.make({ ...one, base: "b", cases: { b: Benchmark.call(() => calls++, { operations: 0 }) } }),
          {}
        ]
      ]
      return Effect.gen(function* () {
        for (const [field, benchmark, options] of refused)
          expect(yield* Effect.flip(Benchmark.run(benchmark, options))).toMatchObject({ _tag: "InvalidInput", field })
        expect(calls).toBe(0)
      }).pipe(Effect.provide(fake().layer))
    }
  )

  it.effect(
    "Given operations of 10 ms, one of which stalls for a second, When they come at 50 a second, Then the wait of all that are late counts",
    () => {
      const stalling = Benchmark.effect((index) => Effect.sleep(index === 60 ? "1 second" : "10 millis"))
      const benchmark = Benchmark.make({ name: "stall", base: "b", cases: { b: stalling } })
      const measured = (options: Benchmark.Options) =>
        Effect.gen(function* () {
          const running = yield* Effect.fork(
            Benchmark.run(benchmark, { mode: "latency", operations: 100, rounds: 2, ...options })
          )
          for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
          const report = yield* Fiber.join(running)
          return report.cases.map(({ latencies }) => latencies)[0]
        })
      return Effect.gen(function* () {
        const closed = yield* measured({})
        // One at a time: only the stalled one is slow
        expect(closed?.count).toBe(100)
        expect(closed?.sum).toBeCloseTo(99 * 10_000 + 1_000_000, -2)
        const open = yield* measured({ rate: 50, concurrency: 1 })
        // Every operation that was due during the stall waited for it
        expect(open?.sum ?? 0).toBeGreaterThan(10 * (closed?.sum ?? 0))
        const wide = yield* measured({ rate: 50 })
        expect(wide?.sum).toBeCloseTo(99 * 10_000 + 1_000_000, -2)
      }).pipe(Effect.provide(fake().layer))
    }
  )

  it.effect("Given latencies told from elsewhere with figures, When they are run, Then they are the report's", () => {
    const told = Benchmark.remote(
      Effect.succeed({
        latencies: ({ operations }: Benchmark.Plan) =>
          Effect.succeed({ micros: Array.from({ length: operations }, () => 5), seconds: 1 }),
        figures: Effect.succeed([{ name: "requests", value: 2, unit: "a message" }])
      }),
      { note: "it cannot do more" }
    )
    return Effect.gen(function* () {
      const benchmark = Benchmark.make({ name: "n", base: "b", cases: { b: told } })
      const report = yield* Benchmark.run(benchmark, { mode: "latency", operations: 400, rounds: 4 })
      const row = rowOf(report, "b")
      expect(row).toMatchObject({
        operations: 400,
        mean: Option.some({ value: 5, low: 5, high: 5 }),
        throughput: Option.some(100)
      })
      expect(BenchmarkText.text(report)).toContain("it cannot do more")
      expect(BenchmarkText.text(report)).toContain("2.00 a message")
    }).pipe(Effect.provide(fake().layer))
  })

  it.effect(
    "Given a warm-up of 3 seconds, When latencies are told, Then rounds of as much do not count, whatever is told",
    () => {
      const firsts: Array<number> = []
      const told = (seconds: number) =>
        Benchmark.remote(
          Effect.succeed({
            latencies: ({ first, operations }: Benchmark.Plan) =>
              Effect.sync(() => {
                if (seconds > 0) firsts.push(first)
                return { micros: Array.from({ length: operations }, () => 5), seconds }
              })
          })
        )
      return Effect.gen(function* () {
        const benchmark = Benchmark.make({ name: "n", base: "b", cases: { b: told(0), timed: told(1) } })
        const options = { mode: "latency", operations: 20, rounds: 2, warmUp: "3 seconds" } as const
        const report = yield* Benchmark.run(benchmark, options)
        expect(firsts).toEqual([0, 10, 20, 30, 40])
        expect(rowOf(report, "timed")?.operations).toBe(20)
      }).pipe(Effect.provide(fake().layer))
    }
  )

  it.effect("Given times and figures that are no numbers, When they are told, Then the report can be read back", () => {
    const cases = {
      b: telling(5),
      nan: telling(Number.NaN),
      minus: telling(-1),
      endless: telling(Infinity),
      untimed: telling(1, Number.NaN)
    }
    return Effect.gen(function* () {
      const benchmark = Benchmark.make({ name: "n", base: "b", cases })
      const report = yield* Benchmark.run(benchmark, { mode: "latency", operations: 8, rounds: 4 })
      const failures = report.cases.map(({ failure, isControl, name }) => [name, isControl, failure?.slice(0, 9)])
      expect(failures).toEqual([
        ["b", false, undefined],
        ["b", true, undefined],
        ...["nan", "minus", "endless", "untimed"].map((name) => [name, false, "its time "])
      ])
      expect(BenchmarkReport.decode(BenchmarkText.json([report]))).toEqual(Either.right([report]))
    }).pipe(Effect.provide(fake().layer))
  })

  it.live("Given operations of any cost that run concurrently, When they are run, Then each number runs once", () =>
    Effect.gen(function* () {
      const steps = Array.from({ length: 12 }, (_, step) => step)
      const numbers = steps.map(() => new Array<number>())
      const contenders = numbers.map(
        (numbers, cost) =>
          [
            `${cost}`,
            Benchmark.effect((index) => Effect.reduce(steps.slice(0, cost), numbers.push(index), Effect.succeed))
          ] as const
      )
      const cases = { base: Benchmark.effect(Effect.void), ...Object.fromEntries(contenders) }
      const benchmark = Benchmark.make({ name: "costs", base: "base", cases })
      yield* Benchmark.run(benchmark, { mode: "latency", rounds: 2, operations: 6000, concurrency: 50, warmUp: 1 })
      for (const ran of numbers) expect(ran.toSorted((a, b) => a - b)).toEqual(ran.map((_, index) => index))
    }).pipe(Effect.provide(StopwatchNode.layer))
  )

  it.effect("Given a run that is interrupted, When it stops, Then what was set up is released", () => {
    let held = 0
    const setup = Layer.scopedDiscard(
      Effect.acquireRelease(
        Effect.sync(() => held++),
        () => Effect.sync(() => held--)
      )
    )
    const benchmark = Benchmark.make({
      name: "n",
      base: "b",
      cases: { b: Benchmark.withSetup(Benchmark.effect(Effect.never), setup) }
    })
    return Effect.gen(function* () {
      const running = yield* Effect.fork(Benchmark.run(benchmark))
      yield* TestClock.adjust("1 second")
      expect(held).toBe(2)
      yield* Fiber.interrupt(running)
      expect(held).toBe(0)
    }).pipe(Effect.provide(fake().layer))
  })

  it.live(
    "Given one function twice and one that does a third more, When it is run on this machine, Then the report has all of them",
    () =>
      Effect.gen(function* () {
        const benchmark = Benchmark.make({
          name: "loops",
          base: "loop",
          cases: { loop: Benchmark.call(work(3000)), longer: Benchmark.call(work(4000)) }
        })
        const report = yield* Benchmark.run(benchmark, { rounds: 11, maxRounds: 11, roundTime: 3, warmUp: 30 })
        expect(Option.getOrThrow(rowOf(report, "longer")?.ratio ?? Option.none()).value).toBeGreaterThan(1)
        expect(report.machine.runtime).toBe(`Node ${process.versions.node}`)
      }).pipe(Effect.provide(StopwatchNode.layer))
  )
})

const node = (script: string) => Command.make(process.execPath, "-e", script)

const reasonOf = (...args: Parameters<typeof Benchmark.command>) =>
  Effect.map(Effect.flip(Benchmark.command(...args)), (error) => [
    error._tag === "BenchmarkError" ? error.reason : error.field,
    error.message
  ])

const report = (micros: number): BenchmarkReport.Report => ({
  version: 1,
  name: "n",
  mode: "cpu",
  base: "b",
  at: 0,
  machine: { cpu: "c", cores: 1, runtime: "r" },
  threshold: 0.02,
  cases: [{ name: "b", isControl: false, operations: 1, rounds: [[micros, micros]], figures: [] }]
})

const writing = (text: string) => node(`process.stdout.write(${JSON.stringify(text)})`)

describe("Benchmark.processes", () => {
  it.live("Given processes that write reports, When they are run, Then rounds are kept by process", () =>
    Effect.gen(function* () {
      const merged = yield* Benchmark.processes(3, (nth) =>
        Benchmark.command(writing(BenchmarkText.json([report(nth + 1)])))
      )
      expect(merged.cases[0]?.rounds).toEqual([
        [1, 1],
        [2, 2],
        [3, 3]
      ])
      expect(yield* Effect.flip(Benchmark.processes(0, () => Effect.succeed(report(1))))).toMatchObject({
        field: "count"
      })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.live("Given a process that writes much to standard error, When it is run, Then it ends", () =>
    Effect.gen(function* () {
      const noisy = node(`process.stderr.write("x".repeat(1e6)); process.stdout.write("[]")`)
      expect(yield* reasonOf(noisy, { timeout: 10_000 })).toEqual(["Malformed", expect.anything()])
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.live("Given a process that ignores SIGTERM, When its time is over, Then it is killed", () =>
    Effect.gen(function* () {
      const deaf = node(`process.on("SIGTERM", () => undefined); setTimeout(() => undefined, 30_000)`)
      const [elapsed, reason] = yield* Effect.timed(reasonOf(deaf, { timeout: 1000 }))
      expect(reason).toEqual(["Process", expect.stringContaining("within 1000 ms")])
      expect(Duration.toMillis(elapsed)).toBeLessThan(10_000)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.live(
    "Given processes that fail, write too much, no report, or for ever, When they are run, Then the error says which",
    () =>
      Effect.gen(function* () {
        expect(yield* reasonOf(node("process.exit(3)"))).toEqual(["Process", expect.stringContaining("code 3")])
        expect(yield* reasonOf(writing("x".repeat(100_000)), { maxBytes: 1000 })).toEqual([
          "Process",
          expect.stringContaining("more than 1000 bytes")
        ])
        expect(yield* reasonOf(writing("[{]"))).toEqual(["Malformed", expect.anything()])
        expect(yield* reasonOf(writing("[]"))).toEqual(["Malformed", expect.anything()])
        expect(yield* reasonOf(node("setInterval(() => undefined, 1000)"), { timeout: 300 })).toEqual([
          "Process",
          expect.stringContaining("within 300 ms")
        ])
        expect(yield* reasonOf(Command.make("/no/such/program"))).toEqual(["Process", expect.anything()])
        expect(yield* reasonOf(writing("[]"), { maxBytes: 0 })).toEqual(["maxBytes", expect.anything()])
      }).pipe(Effect.provide(NodeContext.layer))
  )
})
