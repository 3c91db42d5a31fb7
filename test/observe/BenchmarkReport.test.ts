import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as BenchmarkReport from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"
import * as ExponentialHistogram from "../../src/observe/ExponentialHistogram.js"
import * as Statistics from "../../src/observe/Statistics.js"

/** Normal deviates by Box and Muller. */
const normal = (random: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

interface Planted {
  readonly seed: number
  /** Relative times of the cases. */
  readonly cases: Readonly<Record<string, number>>
  /** Deviation of a round's logarithm. */
  readonly noise?: number
  readonly rounds?: number
  readonly base?: string
  /** Deviation of a process' logarithm, for each case. */
  readonly processes?: number
  readonly differing?: number
}

const single = ({ base = "base", cases, differing = 0, noise = 0.012, rounds = 41, seed }: Planted) => {
  const random = Statistics.seeded(seed)
  const deviate = normal(random)
  const times = [["base", 1, false] as const, ["base", 1, true] as const].concat(
    Object.entries(cases).map(([name, time]) => [name, time, false] as never)
  )
  // A disturbance of the machine is common to the cases of a round
  const common = Array.from({ length: rounds }, () => Math.exp(0.1 * deviate()))
  return {
    version: 1 as const,
    name: "planted",
    mode: "cpu" as const,
    base,
    at: 0,
    machine: { cpu: "c", cores: 2, runtime: "Node 20" },
    threshold: 0.02,
    cases: times.map(([name, time, isControl]): BenchmarkReport.Case => {
      const own = Math.exp(differing * deviate())
      const micros = common.map((shared) => 100 * time * own * shared * Math.exp(noise * deviate()))
      return { name, isControl, operations: rounds, rounds: [micros], figures: [] }
    })
  }
}

const planted = (options: Planted): BenchmarkReport.Report => {
  const seeds = Array.from({ length: options.processes ?? 1 }, (_, nth) => options.seed * 1000 + nth)
  const [first, ...others] = seeds.map((seed) => single({ ...options, seed }))
  return BenchmarkReport.merge([first ?? single(options), ...others])
}

const verdictOf = (report: BenchmarkReport.Report, name: string) =>
  BenchmarkReport.rows(report)
    .filter((row) => row.name === name && !row.isControl)
    .map(({ verdict }) => Option.getOrUndefined(verdict)?._tag)[0]

const tally = (verdicts: ReadonlyArray<string | undefined>) =>
  verdicts.reduce<Record<string, number>>((counts, verdict = "none") => {
    counts[verdict] = (counts[verdict] ?? 0) + 1
    return counts
  }, {})

const seeds = Array.from({ length: 20 }, (_, seed) => seed + 1)

describe("verdicts of a report", () => {
  it("Given 20 runs on a quiet machine, When they are judged, Then unchanged code is no change, and 5 % either way is found", () => {
    const reports = seeds.map((seed) => planted({ seed, cases: { same: 1, slower: 1.05, faster: 1 / 1.05 } }))
    const found = (name: string) => tally(reports.map((report) => verdictOf(report, name)))
    expect(found("same")["NoChange"]).toBeGreaterThanOrEqual(18)
    expect(found("same")).not.toHaveProperty("Faster")
    expect(found("same")).not.toHaveProperty("Slower")
    expect(found("slower")["Slower"]).toBeGreaterThanOrEqual(18)
    expect(found("faster")["Faster"]).toBeGreaterThanOrEqual(18)
  })

  it("Given a machine on which the same code differs from itself, When 5 % and 300 % are planted, Then only the second is decided", () => {
    const reports = seeds.map((seed) => planted({ seed, cases: { little: 1.05, much: 3 }, noise: 0.3, rounds: 21 }))
    expect(reports.filter(BenchmarkReport.isTooNoisy).length).toBeGreaterThanOrEqual(19)
    const little = tally(reports.map((report) => verdictOf(report, "little")))
    expect(little["Slower"] ?? 0).toBeLessThanOrEqual(1)
    expect(little["NoChange"] ?? 0).toBe(0)
    expect(tally(reports.map((report) => verdictOf(report, "much")))["Slower"]).toBe(20)
  })

  it("Given processes that each are off by 3 %, When their reports are merged, Then unchanged code is not called a change", () => {
    const reports = seeds.map((seed) => planted({ seed, cases: { same: 1 }, processes: 6, differing: 0.03, rounds: 9 }))
    const { Faster = 0, Slower = 0 } = tally(reports.map((report) => verdictOf(report, "same")))
    expect(Faster + Slower).toBeLessThanOrEqual(1)
    expect(reports[0]?.cases[0]?.rounds.length).toBe(6)
  })

  it("Given no control, When a case is judged, Then it is too noisy", () => {
    const report = planted({ seed: 1, cases: { slower: 2 } })
    const without = { ...report, cases: report.cases.filter(({ isControl }) => !isControl) }
    expect(verdictOf(without, "slower")).toBe("TooNoisy")
    expect(BenchmarkReport.isTooNoisy(without)).toBe(true)
  })
})

const changeOf = (now: BenchmarkReport.Report, then: BenchmarkReport.Report) => BenchmarkReport.compare(now, then)[0]

describe("a report against an earlier one", () => {
  it("Given 20 pairs of runs of unchanged code, When they are compared, Then at most one is called a change", () => {
    const { Faster = 0, Slower = 0 } = tally(
      seeds.map(
        (seed) =>
          changeOf(planted({ seed, cases: { a: 3 } }), planted({ seed: seed + 100, cases: { a: 3 } }))?.verdict._tag
      )
    )
    expect(Faster + Slower).toBeLessThanOrEqual(1)
  })

  it("Given 20 pairs of which the second is 5 % slower, When they are compared, Then at least 18 say so, though the machine became half as fast", () => {
    const verdicts = seeds.map((seed) => {
      const now = planted({ seed, cases: { a: 3 * 1.05 }, noise: 0.015 })
      const slowMachine = now.cases.map((one) => ({ ...one, rounds: one.rounds.map((all) => all.map((x) => 2 * x)) }))
      const then = planted({ seed: seed + 100, cases: { a: 3 }, noise: 0.015 })
      return changeOf({ ...now, cases: slowMachine }, then)?.verdict._tag
    })
    expect(tally(verdicts)["Slower"]).toBeGreaterThanOrEqual(18)
  })

  it("Given another machine, base, mode or no such case, When they are compared, Then they are not comparable, and it says why", () => {
    const then = planted({ seed: 1, cases: { a: 3 } })
    const why = (now: BenchmarkReport.Report) => changeOf(now, then)?.verdict
    expect(why({ ...then, machine: { ...then.machine, cores: 4 } })).toEqual({
      _tag: "NotComparable",
      why: "another number of cores: 4 now, 2 then"
    })
    expect(why({ ...then, machine: { ...then.machine, runtime: "Node 22" } })?._tag).toBe("NotComparable")
    expect(why({ ...then, mode: "latency" })?._tag).toBe("NotComparable")
    expect(why({ ...then, base: "a" })).toBeDefined()
    expect(why(planted({ seed: 1, cases: { b: 3 } }))).toEqual({
      _tag: "NotComparable",
      why: "the earlier run has no such case"
    })
  })
})

const latencies = (values: ReadonlyArray<number>): BenchmarkReport.Case => {
  const histogram = ExponentialHistogram.make()
  for (const value of values) ExponentialHistogram.record(histogram, value)
  const otlp = ExponentialHistogram.toOtlp(histogram)
  return {
    name: "base",
    isControl: false,
    operations: values.length,
    rounds: [values],
    figures: [{ name: "requests", value: 2, unit: "a message" }],
    latencies: { seconds: 2, ...otlp }
  }
}

const separators = (line = "") => line.replaceAll("\\|", "").split("|").length

describe("a report as text", () => {
  it("Given latencies, When rows are made, Then mean, median, P95 and throughput are theirs, within a bucket", () => {
    const values = Array.from({ length: 1000 }, (_, index) => index + 1)
    const report = { ...planted({ seed: 1, cases: {} }), mode: "latency" as const, cases: [latencies(values)] }
    const [row] = BenchmarkReport.rows(report)
    expect(Option.getOrThrow(row?.mean ?? Option.none()).value).toBeCloseTo(500.5)
    expect(Math.abs(Option.getOrThrow(row?.median ?? Option.none()) / 500 - 1)).toBeLessThan(0.01)
    expect(Math.abs(Option.getOrThrow(row?.p95 ?? Option.none()) / 950 - 1)).toBeLessThan(0.01)
    expect(row?.throughput).toEqual(Option.some(500))
    const few = { ...report, cases: [latencies(values.slice(0, 199))] }
    expect(BenchmarkReport.rows(few)[0]?.p95).toEqual(Option.none())
    expect(BenchmarkText.text(few)).toContain("needs 200")
  })

  it("Given any report, When it is written and read, Then it is equal, and its figures are too", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 1, max: 1e6 }), FastCheck.string(), (seed, name) => {
        const report = planted({ seed, cases: { [name]: 1.1 }, rounds: 5 })
        const [read] = Either.getOrThrow(BenchmarkReport.decode(BenchmarkText.json([report])))
        expect(read).toEqual(report)
        expect(read && BenchmarkReport.rows(read)).toEqual(BenchmarkReport.rows(report))
      }),
      { numRuns: 10 }
    )
  })

  it("Given a text that is cut anywhere, or changed, When it is read, Then it is refused", () => {
    const text = BenchmarkText.json([planted({ seed: 1, cases: { a: 1 }, rounds: 3 })])
    for (let end = 0; end < text.length; end += 97)
      expect(Either.isLeft(BenchmarkReport.decode(text.slice(0, end)))).toBe(true)
    for (const [from, to] of [
      [`"version":1`, `"version":2`],
      [`"mode":"cpu"`, `"mode":"x"`],
      [`"operations":3`, `"operations":-1`]
    ] as const)
      expect(Either.isLeft(BenchmarkReport.decode(text.replace(from, to)))).toBe(true)
  })

  it("Given names with terminal commands and Markdown, When it is written, Then they are text", () => {
    const hostile = "a\u001b[2J | <img src=x> `b` [c](d)"
    const report = planted({ seed: 1, cases: { [hostile]: 1 }, rounds: 5 })
    expect(BenchmarkText.text(report)).not.toContain("\u001b")
    const lines = BenchmarkText.markdown(report).split("\n")
    const row = lines.find((line) => line.includes("img"))
    expect(row).toContain("\\<img src=x\\>")
    expect(separators(row)).toBe(separators(lines[2]))
  })

  it("Given a case that failed and one with a note, When it is written, Then both are said", () => {
    const report = planted({ seed: 1, cases: { a: 1 }, rounds: 5 })
    const failed = {
      ...report.cases[2],
      name: "broken",
      rounds: [[]],
      failure: "it threw",
      isControl: false,
      operations: 0,
      figures: []
    }
    const text = BenchmarkText.text({ ...report, cases: [...report.cases, failed] })
    expect(text).toContain("broken: failed: it threw")
    expect(text).not.toMatch(/^broken {2}/m)
  })
})
