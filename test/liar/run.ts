/**
 * Runs lies of endpoints: `npm run -s liar -- --seed 7 --lies getEpochInfo --endpoints 1,2,3 --json`.
 *
 * Fails if a lie succeeds: a landed transaction is reported as expired or refused, is executed twice, or costs more
 * than its sender knew, or a falsehood is undocumented.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Arguments from "../../examples/arguments.js"
import * as Bed from "./Bed.js"
import * as Lies from "./Lies.js"
import * as Trust from "./Trust.js"
import type { Verdict } from "./Verdict.js"

const USAGE = `Usage: npm run -s liar -- [options]

  --lies NAMES       starts of names with commas between them, e.g. getEpochInfo,sendTransaction=HTTP (default: all)
  --endpoints N,N    how many endpoints, of which the preferred one lies (default 1,2,3)
  --flows N          flows in which each lie is told (default 2; 30 for all)
  --seed N           whole number that decides which flows, and when transactions land (default: any)
  --table            the table of docs/trust.md
  --json             the counts as one JSON document
  --help             this text`

const readArguments = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    lies: { type: "string", default: "" },
    endpoints: { type: "string", default: "1,2,3" },
    flows: { type: "string", default: "2" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    table: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  return {
    ...values,
    bed: {
      lies: Lies.named(values.lies.split(",")),
      endpoints: yield* Effect.forEach(values.endpoints.split(","), (text) =>
        Arguments.wholeNumber("--endpoints", text)
      ),
      flows: yield* Arguments.wholeNumber("--flows", values.flows),
      seed: yield* Arguments.wholeNumber("--seed", values.seed)
    }
  }
})

const counted: ReadonlyArray<Verdict> = [
  "falseExpired",
  "landedTwice",
  "falseConfirmed",
  "overpaid",
  "detected",
  "unchanged",
  "believedByDesign",
  "undetected"
]

const faults: ReadonlySet<Verdict> = new Set([
  "falseExpired",
  "landedTwice",
  "falseConfirmed",
  "overpaid",
  "undetected"
])

const main = Effect.gen(function* () {
  const { bed, help, json, table } = yield* readArguments
  if (help) return yield* Console.log(USAGE)
  const outcomes = yield* Bed.run(bed)
  const counts = counted.map((verdict) => [verdict, Arr.countBy(outcomes, (one) => one.verdict === verdict)] as const)
  const report = {
    lies: new Set(outcomes.map(({ lie }) => lie.name)).size - 1,
    endpoints: bed.endpoints,
    runs: outcomes.length,
    ...Object.fromEntries(counts),
    seed: bed.seed
  }
  const wrong = outcomes.filter(({ verdict }) => faults.has(verdict))
  yield* Effect.forEach(wrong, (one) => Console.error(Bed.describe(one)), { discard: true })
  if (table) yield* Console.log(Trust.table(outcomes))
  else if (json) yield* Console.log(JSON.stringify(report))
  else yield* Effect.forEach(Object.entries(report), ([name, value]) => Console.log(`${name.padEnd(18)}${value}`))
  if (wrong.length === 0) return
  yield* Console.error(`It happens again with --seed ${bed.seed}`)
  process.exitCode = 1
})

main.pipe(
  Effect.tapError((error) => Console.error(`liar: ${error.message}`)),
  Effect.provide(Logger.minimumLogLevel(LogLevel.None)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
