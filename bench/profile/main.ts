/**
 * Profiles a workload, or shows its fibers in the terminal:
 *
 *     npm run -s profile -- <demo|hotpath|chaos> [--seconds 10] [--out DIR] [--interval MICROS] [--no-spans]
 *     npm run -s console -- <demo|hotpath|chaos> [--seconds 10]
 *
 * `hotpath` is bundled, like an application, so that its frames belong to the library and not to a loader.
 */
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { runCompiled, runNode } from "../compiled.js"

type Run = (args: ReadonlyArray<string>, limitMillis: number) => Promise<void>

const loaded =
  (name: string): Run =>
  (args, limitMillis) =>
    runNode(["--import", "tsx", fileURLToPath(new URL(`${name}.ts`, import.meta.url)), ...args], limitMillis)

const workloads: { readonly [name: string]: Run } = {
  demo: loaded("demo"),
  hotpath: (args, limitMillis) => runCompiled("profile/hotpath.ts", args, [], limitMillis),
  chaos: loaded("chaos")
}

/** Seconds after the recording in which the workload must end and the report must be written. */
const GRACE = 120

/** A recording takes 1.7 times its seconds. A round in progress is then interrupted. */
const limitOf = (args: ReadonlyArray<string>): number => {
  const { values } = parseArgs({ args: [...args], strict: false, options: { seconds: { type: "string" } } })
  const seconds = Number(values["seconds"] ?? 10)
  return (2 * (seconds <= 600 ? seconds : 0) + GRACE) * 1000
}

const words = process.argv.slice(2)
const [name = "", ...others] = words.filter((word) => word !== "--live")
const args = words.includes("--live") ? ["--live", ...others] : others
const run = Object.hasOwn(workloads, name) ? workloads[name] : undefined
if (run === undefined) {
  console.error(
    `usage: npm run -s <profile|console> -- <${Object.keys(workloads).join("|")}> [--seconds 10] [--out DIR] [--interval MICROS] [--no-spans]`
  )
  process.exitCode = 1
} else {
  await run(args, limitOf(args))
}
