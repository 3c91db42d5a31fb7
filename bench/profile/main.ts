/**
 * Profiles a workload, or shows its fibers in the terminal:
 *
 *     npm run -s profile -- <demo|hotpath|chaos> [--seconds 10] [--out DIR] [--interval MICROS] [--no-spans]
 *     npm run -s console -- <demo|hotpath|chaos> [--seconds 10]
 *
 * `hotpath` is bundled, as an application is, so that its frames are the library's and not a loader's.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { runCompiled } from "../compiled.js"

const loaded = (name: string) => async (args: ReadonlyArray<string>) => {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], { stdio: "inherit" })
  const [code] = await once(child, "exit")
  if (code !== 0) process.exitCode = 1
}

const workloads: { readonly [name: string]: (args: ReadonlyArray<string>) => Promise<void> } = {
  demo: loaded("demo"),
  hotpath: (args) => runCompiled("profile/hotpath.ts", args),
  chaos: loaded("chaos")
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
  await run(args)
}
