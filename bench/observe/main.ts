/**
 * Measures the cost of observation. The first table compares a message that nothing observes with the same code without
 * the functions that observe it. In the second one, a message is built and signed without an observer, with the service
 * `Metrics`, with traces that `TelemetryOtlp` exports to a collector in this process, and under the fiber console. A
 * third one shows the cost of the profiler and of V8's sampling alone, its floor.
 *
 * Each ratio is against the first case in the same round, with the 95 % interval of its median. The case that ends with
 * `again` is the same code: if its interval exceeds ±2 %, the machine is too noisy and the run decides nothing.
 * `--assert` fails in that case, and for a missed goal. A message has no fiber of its own, so a fourth table shows the
 * console's cost for a fiber, and a fifth one the cost of its dumps.
 */
import { once } from "node:events"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TelemetryOtlp from "../../layers/TelemetryOtlp.js"
import * as FiberConsole from "../../services/FiberConsole.js"
import * as Metrics from "../../services/Metrics.js"
import * as BenchmarkReport from "../../src/observe/BenchmarkReport.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"
import * as Statistics from "../../src/observe/Statistics.js"
import { type Case, measure, median, type Options, type Report } from "../harness.js"
import * as Ours from "../hotpath/ours.js"
import * as Console from "./console.js"
import type * as Message from "./message.js"
import * as Profilers from "./profilers.js"

const collector = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response())))
)

const traced = (ratio: number) =>
  TelemetryOtlp.layer({ url: "http://collector", metrics: false, logs: false, sampling: { ratio } }).pipe(
    Layer.provide(collector)
  )

const WITHOUT = "without observation"

const BASE = "nothing"

/** The maximum cost of a case, as a multiple of the base. */
const GOALS: Readonly<Record<string, number>> = {
  nothing: 1.03,
  metrics: 1.05,
  "traces 1 %": 1.1,
  "traces 100 %": 1.5,
  "profiler 1 ms": 1.05,
  "profiler 0.2 ms": 1.15
}

/** Maximum microseconds of CPU that the console may cost a fiber. */
const FIBER_GOAL = 2

const observed = <A, E>(name: string, layer: Layer.Layer<A, E>): Case => ({
  name,
  operations: Ours.MESSAGES,
  run: Ours.observed(layer)
})

/**
 * The young generation of the thread that starts fibers, in megabytes. V8 keeps many ended fibers until it collects the
 * old generation, and with the default size that takes half of some rounds and none of others.
 */
const YOUNG_GENERATION = 192

/** The report of the bundle of `fibers.ts`. */
const ofFibers = async (path: string): Promise<Report> => {
  const thread = new Worker(path, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION } })
  const [report]: ReadonlyArray<Report> = await once(thread, "message")
  if (report === undefined) throw new Error("the thread has sent no report")
  return report
}

/** A figure of each case and round against another case in the same round, with the interval of its median. */
const paired = ({ base, cases }: Report, against: (value: number, base: number) => number, to = base) => {
  const others = cases.find(({ isControl, name }) => name === to && !isControl)?.rounds[0] ?? []
  return cases
    .filter(({ isControl, name }) => name !== to || isControl)
    .map(({ isControl, name, rounds }) => {
      const values = (rounds[0] ?? []).map((value, round) => against(value, others[round] ?? Number.NaN))
      const interval = Statistics.bootstrap(values, median, { random: Math.random })
      return { name: isControl ? `${name} again` : name, ...Option.getOrThrow(interval) }
    })
}

const ratio = (value: number, base: number): number => value / base

/** Each profiler against its floor. */
const toFloors = (report: Report) =>
  Profilers.INTERVALS.flatMap((interval) =>
    paired(report, ratio, `floor ${interval}`)
      .filter(({ name }) => name === `profiler ${interval}`)
      .map((one) => ({ ...one, name: `${one.name} against its floor` }))
  )

interface Verdict {
  readonly goal?: number
  readonly isMet?: boolean
}

const judged = <A extends { readonly value: number }>(estimate: A, goal: number | undefined): A & Verdict =>
  goal === undefined ? estimate : { ...estimate, goal, isMet: estimate.value <= goal }

const verdict = ({ goal, isMet }: Verdict): string =>
  goal === undefined ? "" : `, goal ≤ ${goal}: ${isMet === true ? "met" : "missed"}`

/** Short rounds, so that a disturbance meets all cases of a round, and a warm-up after which no case becomes faster. */
const MESSAGE: Options = { rounds: 301, roundMillis: 5, warmMillis: 4000 }

/** The message of a bundle of `message.ts`. */
const bundled = async (name: string, path: string): Promise<Case> => {
  const { operations, run }: typeof Message = await import(pathToFileURL(path).href)
  return { name, operations, run }
}

const main = async ([fibers = "", observable = "", unobserved = "", ...args]: ReadonlyArray<string>): Promise<void> => {
  const bareReport = await measure(
    "A message that nothing observes",
    [await bundled(WITHOUT, unobserved), await bundled(BASE, observable)],
    MESSAGE
  )
  const report = await measure(
    "A message, built and signed",
    [
      observed(BASE, Layer.empty),
      observed("metrics", Metrics.layer()),
      observed("traces 1 %", traced(0.01)),
      observed("traces 100 %", traced(1)),
      observed("console", FiberConsole.layer)
    ],
    MESSAGE
  )
  const profilerReport = await measure("The same under the profiler", Profilers.cases, { rounds: 31, roundMillis: 60 })
  const fiberReport = await ofFibers(fibers)
  const ratios = [bareReport, report, profilerReport]
    .flatMap((one) => paired(one, ratio))
    .map((one) => judged(one, GOALS[one.name]))
    .concat(toFloors(profilerReport))
  const extras = paired(fiberReport, (value, base) => value - base).map((one) =>
    judged(one, one.name.endsWith("again") ? undefined : FIBER_GOAL)
  )
  const figures = (await Effect.runPromise(Console.figures)).map((one) => judged(one, one.goal))
  const isTooNoisy = [bareReport, report].some(BenchmarkReport.isTooNoisy)
  if (args.includes("--json"))
    console.log(
      JSON.stringify({ bareReport, report, profilerReport, ratios, fiberReport, extras, figures, isTooNoisy })
    )
  else {
    const line = (one: (typeof ratios)[number], unit: string) =>
      `${one.name}: ${one.value.toFixed(2)} ${unit} (${one.low.toFixed(2)} – ${one.high.toFixed(2)})${verdict(one)}`
    for (const one of [bareReport, report, profilerReport]) console.log(BenchmarkText.markdown(one))
    for (const one of ratios) console.log(line(one, "×"))
    console.log(`\n${BenchmarkText.markdown(fiberReport)}`)
    for (const one of extras) console.log(line(one, "µs more"))
    console.log("")
    for (const one of figures) console.log(`${one.name}: ${Math.round(one.value)} ${one.unit}${verdict(one)}`)
    if (isTooNoisy)
      console.log("The same code differs from itself by more than 2 %: the machine is too noisy to decide.")
  }
  const isMissed = [...ratios, ...extras, ...figures].some(({ isMet }) => isMet === false)
  if (args.includes("--assert") && (isTooNoisy || isMissed)) process.exitCode = 1
}

await main(process.argv.slice(2))
process.exit()
