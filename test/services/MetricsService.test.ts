import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Traced from "../../services/internal/traced.js"
import * as Metrics from "../../services/Metrics.js"
import * as RpcPool from "../../services/RpcPool.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Histogram from "../../src/observe/ExponentialHistogram.js"
import * as MetricTable from "../../src/observe/MetricTable.js"

const invalidTotal = Metric.counter(MetricTable.metricsInvalid.name, {
  description: MetricTable.metricsInvalid.meaning,
  incremental: true
}).pipe(Metric.tagged("unit", MetricTable.metricsInvalid.unit))

const find = <A extends { readonly name: string }>(list: ReadonlyArray<A>, name: string): A => {
  const found = list.find((item) => item.name === name)
  if (found === undefined) throw new Error(`no ${name} in ${list.map((item) => item.name).join(", ")}`)
  return found
}

const seconds = (value: number) => TestClock.adjust(Duration.seconds(value))

const ruleOf = (error: unknown): string =>
  error instanceof InvalidInput ? `${error.field}: ${error.rule}` : String(error)

const build = <E>(layer: Layer.Layer<Metrics.Metrics, E>) => Effect.scoped(Layer.build(layer))

/** A clock that a test sets to any time, backwards too. */
const settable = () => {
  const clock = Clock.make()
  let nanos = 0n
  return {
    set: (to: bigint) => {
      nanos = to
    },
    clock: { ...clock, unsafeCurrentTimeNanos: () => nanos, unsafeCurrentTimeMillis: () => Number(nanos / 1_000_000n) }
  }
}

describe("the service Metrics", () => {
  it.effect("Given the guide's timer, counter and gauge, When they are used, Then a snapshot holds them", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      const timer = yield* metrics.timer("agent_registration")
      yield* seconds(2)
      const observed = yield* timer.observe
      yield* metrics.increment("messages_sent", 1)
      yield* metrics.increment("messages_sent", 2n ** 60n)
      yield* metrics.gauge("active_connections", 3)
      yield* metrics.gauge("active_connections", -1.5)

      const snapshot = yield* metrics.snapshot

      expect(Duration.toSeconds(observed)).toBe(2)
      expect(find(snapshot.operations, "agent_registration").seconds).toMatchObject({ count: 1, min: 2, max: 2 })
      expect(find(snapshot.counters, "messages_sent").value).toBe(2n ** 60n + 1n)
      expect(find(snapshot.gauges, "active_connections").value).toBe(-1.5)
      expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({
        seconds: 2,
        operations: [{ name: "agent_registration", seconds: { count: 1, sum: 2 } }],
        counters: [{ value: (2n ** 60n + 1n).toString() }]
      })
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given a timer, When it is observed twice, Then it is recorded once", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      const timer = yield* metrics.timer("once")
      yield* seconds(1)
      const first = yield* timer.observe
      yield* seconds(1)
      expect(yield* timer.observe).toEqual(first)
      expect(find((yield* metrics.snapshot).operations, "once").seconds.count).toBe(1)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect(
    "Given effects that end in each way, When they are tracked, Then their result stays and each is counted",
    () =>
      Effect.gen(function* () {
        const metrics = yield* Metrics.Metrics
        const track = metrics.track("work", { queue: "a" })
        expect(yield* track(Effect.succeed(7))).toBe(7)
        expect(yield* Effect.flip(track(Effect.fail("refused")))).toBe("refused")
        expect(yield* Effect.sandbox(track(Effect.dieMessage("a bug"))).pipe(Effect.isFailure)).toBe(true)
        const fiber = yield* Effect.fork(track(Effect.never))
        yield* seconds(3)
        yield* Fiber.interrupt(fiber)

        const operation = find((yield* metrics.snapshot).operations, "work")
        expect(operation).toMatchObject({ labels: { queue: "a" }, succeeded: 1, failed: 2, interrupted: 1 })
        expect(operation.seconds).toMatchObject({ count: 4, max: 3 })
      }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given labels in any order, When they name a series, Then the order makes no other series", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      yield* metrics.increment("n", 1, { a: "1", b: "2" })
      yield* metrics.increment("n", 1, { b: "2", a: "1" })
      yield* metrics.increment("n", 1, { a: "1\nb\t2" })
      expect((yield* metrics.snapshot).counters.map(({ value }) => value)).toEqual([2n, 1n])
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given durations of any clock, When it steps back, Then they are invalid and in no percentile", () => {
    const { clock, set } = settable()
    return Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      const before = (yield* Metric.value(invalidTotal)).count
      set(5_000_000_000n)
      const timer = yield* metrics.timer("back")
      set(1_000_000_000n)
      expect(Duration.toMillis(yield* timer.observe)).toBe(0)
      yield* metrics.track("back")(Effect.sync(() => set(0n)))
      const snapshot = yield* metrics.snapshot
      expect(find(snapshot.operations, "back").seconds.count).toBe(0)
      expect(snapshot.invalid).toBe(2)
      expect((yield* Metric.value(invalidTotal)).count - before).toBeGreaterThanOrEqual(2)
    }).pipe(Effect.provide(Metrics.layer()), Effect.withClock(clock))
  })

  it.effect("Given invalid increments and gauges, When they are made, Then they are counted and not recorded", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      for (const by of [-1, 1.5, Number.NaN, Infinity, -1n, 2n ** 64n]) yield* metrics.increment("count", by)
      for (const value of [Number.NaN, Infinity, -Infinity]) yield* metrics.gauge("level", value)
      const snapshot = yield* metrics.snapshot
      expect(snapshot).toMatchObject({ counters: [], gauges: [], invalid: 9 })
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect(
    "Given a name of one kind, When it names another, Then InvalidInput names both, and track leaves the effect alone",
    () =>
      Effect.gen(function* () {
        const metrics = yield* Metrics.Metrics
        yield* metrics.increment("n")
        const rule = 'name: "n" is the name of a counter and cannot name a '
        expect(ruleOf(yield* Effect.flip(metrics.gauge("n", 1)))).toBe(`${rule}gauge`)
        expect(ruleOf(yield* Effect.flip(metrics.timer("n")))).toBe(`${rule}operation`)
        expect(yield* metrics.track("n")(Effect.succeed(1))).toBe(1)
        expect(yield* metrics.track("")(Effect.succeed(2))).toBe(2)
        expect((yield* metrics.snapshot).invalid).toBe(2)
      }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect(
    "Given invalid names, When effects are tracked under them, Then the first one is logged and each counts",
    () => {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => void logged.push(String(message)))
      return Effect.gen(function* () {
        const metrics = yield* Metrics.Metrics
        expect(yield* metrics.track("")(Effect.succeed(1))).toBe(1)
        expect(yield* metrics.track("")(Effect.succeed(2))).toBe(2)
        yield* metrics.increment("n")
        expect(yield* metrics.track("n")(Effect.succeed(3))).toBe(3)
        expect(logged).toEqual([expect.stringContaining("An operation is not measured")])
        expect((yield* metrics.snapshot).invalid).toBe(3)
      }).pipe(Effect.provide([Metrics.layer(), Logger.replace(Logger.defaultLogger, logger)]))
    }
  )

  it.effect("Given names from a caller without types, When they are no texts, Then InvalidInput says so", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      const foreign: ReadonlyArray<readonly [unknown, unknown]> = [
        [undefined, undefined],
        [Symbol("n"), undefined],
        ["", undefined],
        ["n", null],
        ["n", { a: 1 }],
        ["n", Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`l${i}`, "v"]))]
      ]
      for (const [name, labels] of foreign) {
        const call: Effect.Effect<void, InvalidInput> = Reflect.apply(metrics.increment, undefined, [name, 1, labels])
        expect(ruleOf(yield* Effect.flip(call))).toMatch(/^(name|labels(\.a)?): must/)
      }
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given a name of 1 MB with control characters, When it is used, Then it is one short line", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      yield* metrics.increment(`a\n\u001b[31m${"é".repeat(1_000_000)}`, 1, { l: "x".repeat(1_000_000) })
      const [counter] = (yield* metrics.snapshot).counters
      expect(counter?.name.length).toBeLessThanOrEqual(255)
      expect(counter?.name).toMatch(/^a é+…$/)
      expect(counter?.labels["l"]?.length).toBeLessThanOrEqual(255)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given more series than maxSeries, When they are used, Then they share _OTHER and are counted", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      for (let user = 0; user < 10_000; user++) yield* metrics.increment("requests", 1, { user: String(user) })
      yield* metrics.track("late")(Effect.void)
      const snapshot = yield* metrics.snapshot
      expect(snapshot.counters.length).toBe(101)
      expect(find(snapshot.counters, "_OTHER").value).toBe(9900n)
      expect(find(snapshot.operations, "_OTHER").seconds.count).toBe(1)
      expect(snapshot.overflow).toBe(9901)
    }).pipe(Effect.provide(Metrics.layer({ maxSeries: 100 })))
  )

  it.effect("Given timers, When only some of them are observed, Then only their values make series and overflow", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      yield* metrics.timer("never observed")
      yield* metrics.increment("counter")
      expect((yield* metrics.snapshot).operations).toEqual([])
      const { observe } = yield* metrics.timer("beyond the maximum")
      yield* observe
      expect((yield* metrics.snapshot).overflow).toBe(1)
      expect((yield* Effect.flip(metrics.timer("counter"))).field).toBe("name")
    }).pipe(Effect.provide(Metrics.layer({ maxSeries: 1 })))
  )

  it.effect("Given a reset, When more is measured, Then only later values are left, of any kind", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      yield* metrics.increment("n")
      const late = metrics.track("op")
      yield* late(Effect.void)
      yield* seconds(5)
      yield* metrics.reset
      yield* metrics.gauge("n", 2)
      yield* seconds(1)
      yield* late(Effect.void)
      const snapshot = yield* metrics.snapshot
      expect(snapshot).toMatchObject({ seconds: 1, counters: [], gauges: [{ name: "n", value: 2 }] })
      expect(find(snapshot.operations, "op").seconds.count).toBe(1)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given an interval, When each period ends, Then it holds what changed, also after a reset", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      yield* metrics.increment("before", 1)
      const fiber = yield* Effect.fork(Stream.runCollect(Stream.take(metrics.interval("10 seconds"), 3)))
      yield* seconds(5)
      yield* metrics.increment("n", 2)
      yield* metrics.track("op")(Effect.void)
      yield* seconds(5)
      yield* metrics.increment("n", 3)
      yield* seconds(10)
      yield* metrics.reset
      yield* metrics.increment("n", 4)
      yield* seconds(10)
      const periods = Chunk.toReadonlyArray(yield* Fiber.join(fiber))
      expect(periods.map(({ counters }) => counters.map(({ name, value }) => [name, value]))).toEqual([
        [["n", 2n]],
        [["n", 3n]],
        [["n", 4n]]
      ])
      expect(periods.map(({ operations }) => operations.length)).toEqual([1, 0, 0])
      expect(periods.map((period) => period.seconds)).toEqual([10, 10, 10])
      expect(ruleOf(yield* Effect.flip(Stream.runDrain(metrics.interval(0))))).toMatch(/^period: must be/)
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given any durations, When they are reported, Then figures are within 1 %, or say how many they need", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(FastCheck.integer({ min: 1, max: 1_000_000_000 }), { minLength: 1, maxLength: 1500 }),
          (nanos) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const { clock, set } = settable()
                const metrics = yield* Effect.withClock(Metrics.make(), clock)
                for (const duration of nanos) {
                  set(0n)
                  yield* metrics
                    .track("op")(Effect.sync(() => set(BigInt(duration))))
                    .pipe(Effect.withClock(clock))
                }
                const report = JSON.parse(yield* Effect.withClock(metrics.report("json"), clock))
                const [line] = report.operations
                const ascending = nanos.toSorted((a, b) => a - b)
                const exact = (q: number) => (ascending[Math.ceil(q * nanos.length) - 1] ?? 0) / 1e9
                expect(line.count).toBe(nanos.length)
                expect(line.maxSeconds).toBe(exact(1))
                for (const [name, q, needed] of [
                  ["median", 0.5, 20],
                  ["p95", 0.95, 200],
                  ["p99", 0.99, 1000]
                ] as const) {
                  const value = line[`${name}Seconds`]
                  if (nanos.length < needed) expect(value).toEqual({ samplesNeeded: needed })
                  else expect(Math.abs(value / exact(q) - 1)).toBeLessThan(0.01)
                }
              })
            )
        ),
        { numRuns: 20 }
      )
    )
  )

  it.effect("Given operations, counters and gauges, When they are reported, Then text and Markdown are tables", () =>
    Effect.gen(function* () {
      const metrics = yield* Metrics.Metrics
      for (let i = 0; i < 250; i++) yield* metrics.track("Message.send")(TestClock.adjust("10 millis"))
      yield* metrics.track("a|b")(Effect.fail("no")).pipe(Effect.ignore)
      yield* metrics.increment("messages_sent", 250)
      yield* metrics.gauge("active_connections", 0)
      yield* metrics.gauge("active_connections", Number.NaN)

      expect(yield* metrics.report("text")).toBe(
        [
          "Over 2.50 s",
          "",
          "operation     count  failed  interrupted  per second     mean    median        P95         P99      max",
          "Message.send    250       0            0         100  10.0 ms   10.0 ms    10.0 ms  needs 1000  10.0 ms",
          "a|b               1       1            0       0.400  0.00 ns  needs 20  needs 200  needs 1000  0.00 ns",
          "",
          "name                value",
          "messages_sent         250",
          "active_connections      0",
          "",
          "problem                       count",
          "invalid values, not recorded      1"
        ].join("\n")
      )
      expect(yield* metrics.report("markdown")).toContain("| a\\|b | 1 | 1 | 0 |")
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect(
    "Given the service around calls of the SDK, When they are made, Then they are tracked without user code",
    () =>
      Effect.gen(function* () {
        const rpc = RpcPool.make({
          host: "metrics.test",
          request: () => Effect.delay(Effect.succeed(5), "20 millis"),
          batch: () => Effect.succeed([]),
          subscribe: () => Stream.never
        })
        const metrics = yield* Metrics.Metrics
        for (const call of [rpc.getSlot(), rpc.request("someoneElsesMethod")]) {
          const fiber = yield* Effect.fork(call)
          yield* TestClock.adjust("20 millis")
          yield* Fiber.join(fiber)
        }
        const { operations } = yield* metrics.snapshot
        expect(operations.map(({ name }) => name)).toEqual(["rpc.getSlot", "rpc._OTHER"])
        expect(Option.getOrThrow(Histogram.quantile(find(operations, "rpc.getSlot").seconds, 0.5))).toBeCloseTo(0.02, 6)
      }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect("Given the layer built twice, When an operation runs, Then the nearest service counts it once", () =>
    Effect.gen(function* () {
      const outer = yield* Metrics.Metrics
      const inner = yield* Effect.gen(function* () {
        yield* Traced.traced("Work.do")(Effect.void)
        return yield* Metrics.Metrics
      }).pipe(Effect.provide(Metrics.layer()))
      yield* Traced.traced("Work.do")(Effect.void)
      for (const metrics of [outer, inner]) {
        const { operations } = yield* metrics.snapshot
        expect(operations.map(({ name, succeeded }) => [name, succeeded])).toEqual([["Work.do", 1]])
      }
    }).pipe(Effect.provide(Metrics.layer()))
  )

  it.effect(
    "Given layers, When they are built, Then options are checked and read, and the empty one measures nothing",
    () =>
      Effect.gen(function* () {
        expect(ruleOf(yield* Effect.flip(build(Metrics.layer({ maxSeries: 0 }))))).toMatch(/^maxSeries: must be/)
        const fromConfig = Metrics.layerConfig({ maxSeries: Config.integer("MAX_SERIES") })
        const bad = ConfigProvider.fromMap(new Map([["MAX_SERIES", "many"]]))
        expect(String(yield* Effect.flip(Effect.withConfigProvider(build(fromConfig), bad)))).toContain("MAX_SERIES")

        yield* Effect.gen(function* () {
          const metrics = yield* Metrics.Metrics
          expect(yield* metrics.track("op")(Effect.succeed(1))).toBe(1)
          yield* (yield* metrics.timer("op")).observe
          expect((yield* metrics.snapshot).operations).toEqual([])
        }).pipe(Effect.provide(Metrics.layerNoop))

        yield* Effect.gen(function* () {
          const metrics = yield* Metrics.Metrics
          expect(yield* metrics.track("op")(Effect.succeed(1))).toBe(1)
          expect(String(yield* Effect.flip(Effect.sandbox(metrics.snapshot)))).toContain(
            'Unimplemented method "snapshot"'
          )
        }).pipe(Effect.provide(Metrics.layerTest({ increment: () => Effect.void })))
      })
  )
})
