/**
 * Runs `transportCases.ts` as plain JavaScript, as an application does. A TypeScript loader adds helpers to every function.
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Measures and prints a table, or a JSON document with `--json`. */
export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const outdir = here("../node_modules/.cache/bench")
  await build({
    entryPoints: [here("transportCases.ts"), here("zeroWorkServer.ts")],
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "error"
  })
  const child = spawn(process.execPath, ["--expose-gc", `${outdir}/transportCases.mjs`, ...args], {
    stdio: "inherit",
    env: { ...process.env, NODE_OPTIONS: "" }
  })
  process.exitCode = await new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)))
}
