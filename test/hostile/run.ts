/**
 * Plays hostile frames, replies and requests: `npm run -s hostile -- --cases 3000 --json --seed 7`.
 *
 * Fails, and prints each finding, if an input crashes the process, never ends, or ends with an untyped error.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Arguments from "../../examples/arguments.js"
import * as Hostile from "./Hostile.js"

const USAGE = `Usage: npm run -s hostile -- [options]

  --cases N   inputs to play (default 3000)
  --seed S     whole number that decides the inputs (default: any)
  --json       the report as one JSON document
  --help       this text`

/** An input violated a rule. This ends the process even if a server hangs. */
class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

const main = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    cases: { type: "string", default: "3000" },
    seed: { type: "string", default: String(1 + Math.floor(Math.random() * 1_000_000)) },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  if (values.help) return yield* Console.log(USAGE)
  const { findings, report } = yield* Hostile.run({
    cases: yield* Arguments.wholeNumber("--cases", values.cases, 1),
    seed: yield* Arguments.wholeNumber("--seed", values.seed, 1)
  })
  yield* Console.log(
    values.json
      ? JSON.stringify(report)
      : Object.entries(report)
          .map(([name, value]) => `${name.padEnd(17)}${value}`)
          .join("\n")
  )
  if (findings.length === 0) return
  yield* Effect.forEach(findings.slice(0, 20), (finding) => Console.error(finding))
  return yield* new Broken({ message: `the same inputs come again with --seed ${report.seed}` })
})

main.pipe(
  Effect.tapError((error) => Console.error(`hostile: ${error.message}`)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
