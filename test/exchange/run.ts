/**
 * Two agents, a cluster and a payload server in four processes: `npm run -s exchange -- --messages 1000 --kill 10 --json`.
 *
 * Fails when a message is lost or wrong, or when a third party finds a sealed text.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Arguments from "../../examples/arguments.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Exchange from "./Exchange.js"

const USAGE = `Usage: npm run -s exchange -- [options]

  --messages N   messages that the two agents exchange together, an even number (default 200); every other one is sealed
  --kill N       how often the payload server is killed on the way (default 2)
  --json         the report as one JSON document
  --help         this text`

const readArguments = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    messages: { type: "string", default: "200" },
    kill: { type: "string", default: "2" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  const messages = yield* Arguments.wholeNumber("--messages", values.messages, 2, 999_998)
  if (messages % 2 !== 0) return yield* new InvalidInput({ field: "--messages", rule: "must be an even number" })
  const kills = yield* Arguments.wholeNumber("--kill", values.kill, 0, messages - 1)
  return { help: values.help, json: values.json, messages, kills }
})

const main = Effect.gen(function* () {
  const { help, json, kills, messages } = yield* readArguments
  if (help) return yield* Console.log(USAGE)
  const { found, kills: killed, report } = yield* Exchange.run({ messages, kills, timeout: "30 minutes" })
  const text = Object.entries(report).map(([name, value]) => `${name.padEnd(14)}${value}`)
  yield* Console.log(json ? JSON.stringify(report) : text.join("\n"))
  if (killed < kills) yield* Console.error(`The payload server was killed ${killed} times only`)
  if (found.sealed > 0) yield* Console.error(`A third party found ${found.sealed} sealed texts`)
  if (report.wrong + report.lost + found.sealed > 0 || killed < kills) process.exitCode = 1
})

/** Standard output is the report's. */
const logToStderr = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.stringLogger))

main.pipe(
  Effect.tapError((error) => Console.error(`exchange: ${error.message}`)),
  Effect.tapDefect((defect) => Effect.logFatal("exchange died", defect)),
  Effect.provide(logToStderr),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
