/**
 * Sends messages over a network with all faults: `npm run -s chaos -- --messages 1000 --faults all --seed 7`.
 *
 * Fails if a message is lost, repeated or falsely reported as failed, and prints the seed that reproduces it.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Arguments from "../../examples/arguments.js"
import * as Chaos from "./Chaos.js"
import * as Faults from "./Faults.js"
import type { Told } from "./Workload.js"

const USAGE = `Usage: npm run -s chaos -- [options]

  --messages N     messages to send (default 300)
  --faults NAMES   all (default), none, or names with commas between them:
                   ${Arr.chunksOf(Faults.names, 7)
                     .map((names) => names.join(","))
                     .join(",\n                   ")}
  --seed S         whole number that decides which call meets which fault (default: any)
  --endpoints N    nodes (default 3)
  --follow         each agent follows its inbox meanwhile, and must see each message once
  --json           the report as one JSON document
  --help           this text`

const readArguments = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    messages: { type: "string", default: "300" },
    faults: { type: "string", default: "all" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    endpoints: { type: "string", default: "3" },
    follow: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  return {
    help: values.help,
    json: values.json,
    chaos: {
      messages: yield* Arguments.wholeNumber("--messages", values.messages),
      faults: yield* Faults.named(values.faults.split(",")),
      seed: yield* Arguments.wholeNumber("--seed", values.seed),
      endpoints: Math.max(1, yield* Arguments.wholeNumber("--endpoints", values.endpoints)),
      follow: values.follow
    }
  }
})

const describe = (told: Told): string =>
  told._tag === "Landed"
    ? `landed${told.address === undefined ? "" : ` at ${told.address}`}`
    : `failed: ${told.error._tag}: ${told.error.message}`

const tell = ({ report, sent }: Chaos.Outcome) =>
  Effect.gen(function* () {
    yield* Console.log(
      Object.entries(report)
        .map(([name, value]) => `${name.padEnd(14)}${value}`)
        .join("\n")
    )
    const failures = Arr.groupBy(
      sent.filter(({ verdict }) => verdict === "failedTruly"),
      ({ told }) => (told._tag === "Failed" && "reason" in told.error ? `${told.error._tag} ${told.error.reason}` : "")
    )
    yield* Effect.forEach(Object.entries(failures), ([what, { length }]) => Console.log(`  ${what}: ${length}`))
  })

const complain = ({ followed, report, sent }: Chaos.Outcome) =>
  Effect.gen(function* () {
    const wrong = sent.filter(({ verdict }) => verdict !== "landedOnce" && verdict !== "failedTruly")
    yield* Effect.forEach(wrong, ({ text, told, verdict }) => Console.error(`${verdict}: ${text} (${describe(told)})`))
    const { ended, missed, repeated } = followed
    if (missed.length > 0) yield* Console.error(`followers did not see ${missed.join(", ")}`)
    if (repeated.length > 0) yield* Console.error(`followers saw more than once ${repeated.join(", ")}`)
    yield* Effect.forEach(ended, (why) => Console.error(`a follower's stream ended: ${why}`))
    yield* Console.error(`It happens again with --seed ${report.seed}`)
  })

const main = Effect.gen(function* () {
  const { chaos, help, json } = yield* readArguments
  if (help) return yield* Console.log(USAGE)
  const outcome = yield* Chaos.run(chaos)
  yield* json ? Console.log(JSON.stringify(outcome.report)) : tell(outcome)
  if (!Chaos.isBroken(outcome)) return
  yield* complain(outcome)
  process.exitCode = 1
})

/** Standard output contains only the report. */
const logToStderr = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.stringLogger))

main.pipe(
  Effect.tapError((error) => Console.error(`chaos: ${error.message}`)),
  Effect.tapDefect((defect) => Effect.logFatal("chaos died", defect)),
  Effect.provide(logToStderr),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
