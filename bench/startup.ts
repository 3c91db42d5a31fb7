/**
 * Measures the cost of the package for a process: the time of its import, and the memory after messages were sent.
 *
 *     npm run -s bench -- startup [--json]
 *
 * Bare Node, the modules of Effect that every application loads, and the entry of the built package start in turn, each in
 * its own process. A time is the median of the excess over bare Node in the same round.
 */
import { execFile, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { compiled } from "./compiled.js"
import { median } from "./harness.js"

const ROUNDS = 15
const SENDERS = 3

const root = fileURLToPath(new URL("..", import.meta.url))

const execute = async (file: string, args: ReadonlyArray<string>): Promise<string> =>
  (await promisify(execFile)(file, args, { cwd: root })).stdout

const importing = (...modules: ReadonlyArray<string>): string =>
  modules.map((module) => `await import("${module}");`).join("")

const starts = [
  ["Node", ""],
  ["Effect", importing("effect/Effect", "effect/Layer", "effect/Schema", "effect/Stream")],
  ["services", importing("@pod-protocol/effect/services")],
  ["face", importing("@pod-protocol/effect")]
] as const

interface Start {
  /** Milliseconds since the start of the process. */
  readonly millis: number
  readonly cpu: number
  readonly megabytes: number
}

const REPORT = `
  const { system, user } = process.cpuUsage()
  const megabytes = process.memoryUsage.rss() / 2 ** 20
  console.log(JSON.stringify({ millis: performance.now(), cpu: (system + user) / 1000, megabytes }))
`

const start = async (code: string): Promise<Start> =>
  JSON.parse(await execute(process.execPath, ["--input-type=module", "--eval", code + REPORT]))

const measureStarts = async () => {
  const taken = new Map<string, Array<Start>>(starts.map(([name]) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, code] of starts) taken.get(name)?.push(await start(code))
  }
  const bare = taken.get("Node") ?? []
  const more = (runs: ReadonlyArray<Start>, column: keyof Start) =>
    Math.round(median(runs.map((run, round) => run[column] - (bare[round]?.[column] ?? Number.NaN))))
  return Array.from(taken, ([name, runs]) => ({
    process: name,
    "ms more than Node": more(runs, "millis"),
    "ms of CPU more": more(runs, "cpu"),
    "MB of memory": Math.round(median(runs.map(({ megabytes }) => megabytes)))
  }))
}

const measureSender = async () => {
  const node = fork(await compiled("hotpath/server.ts"))
  const [port] = await once(node, "message")
  const runs: Array<{ readonly idle: number; readonly collected: number }> = []
  for (let run = 0; run < SENDERS; run++) {
    const args = ["bench/startup/sender.mjs", `http://127.0.0.1:${port}`]
    runs.push(JSON.parse(await execute(process.execPath, args)))
  }
  node.kill()
  const row = (process: string, column: "idle" | "collected") => ({
    process,
    "MB of memory": Math.round(median(runs.map((run) => run[column])))
  })
  return [row("face, 2 s after 50 messages", "idle"), row("the same, its garbage collected", "collected")]
}

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  await execute("npm", ["run", "-s", "build"])
  const rows = [...(await measureStarts()), ...(await measureSender())]
  if (args.includes("--json")) console.log(JSON.stringify(rows, null, 2))
  else console.table(rows)
}
