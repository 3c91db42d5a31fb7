/**
 * Runs agents on several processes and kills some: `npm run -s cluster -- --runners 3 --agents 300 --sends 3000 --kill
 * 2`.
 *
 * Exits with code 1 if a message is not on the chain exactly once, or if an agent was active on two runners.
 */
import { fileURLToPath } from "node:url"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Arguments from "../arguments.js"
import * as Cluster from "./Cluster.js"
import * as Process from "./Process.js"

const USAGE = `Usage: npm run -s cluster -- [options]

  --runners N      runners, each a process (default 3; one over SQLite)
  --agents N       agents (default 60)
  --sends N        messages that they send (default 600)
  --in-flight N    sends at a time (default 500)
  --kill N         runners that are killed on the way, one after the other (default 1)
  --end N          runners that end on the way as a deployment ends them, by SIGTERM (default 0)
  --restart N      crashes of the database on the way (default 0; a database of this run only)
  --stop N         seconds for which a runner is stopped on the way (default 0: none)
  --sqlite         one runner over SQLite, even if there is Postgres
  --json           the report as one JSON document
  --help           this text

Postgres is that of DATABASE_URL, which should be empty, or one of this run where postgres is on the PATH.`

const readArguments = Effect.gen(function* () {
  const values = yield* Arguments.parse({
    runners: { type: "string", default: "3" },
    agents: { type: "string", default: "60" },
    sends: { type: "string", default: "600" },
    "in-flight": { type: "string", default: "500" },
    kill: { type: "string", default: "1" },
    end: { type: "string", default: "0" },
    restart: { type: "string", default: "0" },
    stop: { type: "string", default: "0" },
    sqlite: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  const runners = yield* Arguments.wholeNumber("--runners", values.runners, 1, 50)
  const agents = yield* Arguments.wholeNumber("--agents", values.agents, 2, 100_000)
  const sends = yield* Arguments.wholeNumber("--sends", values.sends, 1, 1_000_000)
  const concurrency = yield* Arguments.wholeNumber("--in-flight", values["in-flight"], 1, 100_000)
  // One runner must survive to take over the agents.
  const most = runners === 1 && !values.sqlite ? 0 : 1000
  const kill = yield* Arguments.wholeNumber("--kill", values.kill, 0, most)
  const end = yield* Arguments.wholeNumber("--end", values.end, 0, most)
  const restart = yield* Arguments.wholeNumber("--restart", values.restart, 0, 1000)
  const stop = yield* Arguments.wholeNumber("--stop", values.stop, 0, 3600)
  const { help, json, sqlite } = values
  return { runners, agents, sends, concurrency, kill, end, restart, stop, sqlite, json, help }
})

const launch = (script: string) => ["--import", "tsx", fileURLToPath(new URL(`./${script}.ts`, import.meta.url))]

const main = Effect.gen(function* () {
  const { help, json, ...options } = yield* readArguments
  if (help) return yield* Console.log(USAGE)
  const report = yield* Cluster.run({ ...options, launch })
  const text = Object.entries(report).map(([name, value]) => `${name.padEnd(16)}${value}`)
  yield* Console.log(json ? JSON.stringify(report) : text.join("\n"))
  if (report.landedTwice + report.lost + report.aliveTwice > 0) process.exitCode = 1
})

main.pipe(
  Effect.tapErrorCause((cause) => Effect.logFatal("cluster died", cause)),
  Effect.provide(Process.logToStderr),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
