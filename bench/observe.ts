/**
 * What seeing costs: a message, built and signed, with nothing that observes it, with the service `Metrics`, and with traces
 * exported by `TelemetryOtlp` to a collector that answers at once, in this process.
 *
 * Each ratio is against `nothing` in the same round, with the 95 % interval of its median. `nothing again` is the same code:
 * where its interval leaves ±2 %, the machine is too noisy and the run decides nothing. `--assert` fails then, and for a
 * goal that is missed.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TelemetryOtlp from "../layers/TelemetryOtlp.js"
import * as Metrics from "../services/Metrics.js"
import * as Statistics from "../src/observe/Statistics.js"
import { measure, median, table } from "./harness.js"
import * as Ours from "./hotpath/ours.js"

const collector = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response())))
)

const traced = (ratio: number) =>
  TelemetryOtlp.layer({ url: "http://collector", metrics: false, logs: false, sampling: { ratio } }).pipe(
    Layer.provide(collector)
  )

const NOISE = 0.02

/** The most that a case may cost, as a multiple of nothing. */
const GOALS: Readonly<Record<string, number>> = { metrics: 1.05, "traces 1 %": 1.1, "traces 100 %": 1.5 }

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const cases = {
    nothing: Layer.empty,
    "nothing again": Layer.empty,
    metrics: Metrics.layer(),
    "traces 1 %": traced(0.01),
    "traces 100 %": traced(1)
  }
  const report = await measure(
    "A message, built and signed",
    Object.entries(cases).map(([name, layer]) => ({
      name,
      operations: Ours.MESSAGES,
      run: Ours.observed<unknown>(layer)
    })),
    { rounds: 41, roundMillis: 20 }
  )
  const base = report.rows[0]?.rounds ?? []
  const ratios = report.rows.slice(1).map(({ name, rounds }) => {
    const paired = rounds.map((micros, round) => micros / (base[round] ?? Number.NaN))
    const estimate = Option.getOrThrow(Statistics.bootstrap(paired, median, { random: Math.random }))
    const goal = GOALS[name]
    return { name, ...estimate, ...(goal === undefined ? {} : { goal, isMet: estimate.value <= goal }) }
  })
  const control = ratios.find(({ name }) => name === "nothing again")
  const isTooNoisy = control === undefined || control.low < 1 - NOISE || control.high > 1 + NOISE
  if (args.includes("--json")) console.log(JSON.stringify({ report, ratios, isTooNoisy }))
  else {
    console.log(table(report))
    for (const { goal, high, low, name, value } of ratios) {
      const wanted = goal === undefined ? "" : `, goal ≤ ${goal}: ${value <= goal ? "met" : "missed"}`
      console.log(`${name}: ${value.toFixed(2)} × (${low.toFixed(2)} – ${high.toFixed(2)})${wanted}`)
    }
    if (isTooNoisy)
      console.log("The same code differs from itself by more than 2 %: the machine is too noisy to decide.")
  }
  if (args.includes("--assert") && (isTooNoisy || ratios.some(({ isMet }) => isMet === false))) process.exitCode = 1
}
