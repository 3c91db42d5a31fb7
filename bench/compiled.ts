/**
 * Bundles a benchmark before it runs, as an application does with the library. A loader that compiles at run time sets the
 * name of each function, which costs a path with many closures 5 %.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { build, type Plugin } from "esbuild"

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/**
 * Bundles `bench/<entry>` into a folder from which the installed packages can be found, and returns the path. A bundle
 * that a plugin changes has its name.
 */
export const compiled = async (entry: string, plugin?: Plugin): Promise<string> => {
  const name = entry.replace(/\.ts$/, plugin === undefined ? "" : ` ${plugin.name}`)
  const outfile = inRoot(`node_modules/.cache/pod-bench/${name}.mjs`)
  await build({
    entryPoints: [inRoot(`bench/${entry}`)],
    outfile,
    plugins: plugin === undefined ? [] : [plugin],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: true,
    define: { "process.env.BENCH_ROOT": JSON.stringify(inRoot("")) },
    logLevel: "warning"
  })
  return outfile
}

/** Runs Node with these arguments until it ends. A process that exceeds the limit is killed. */
export const runNode = async (args: ReadonlyArray<string>, limitMillis?: number): Promise<void> => {
  const child = spawn(process.execPath, args, { stdio: "inherit" })
  const limit =
    limitMillis === undefined
      ? undefined
      : setTimeout(() => {
          console.error(`It did not end within ${limitMillis / 1000} s, and was killed.`)
          child.kill("SIGKILL")
        }, limitMillis)
  const [code] = await once(child, "exit")
  clearTimeout(limit)
  if (code !== 0) process.exitCode = 1
}

/** Runs `bench/<entry>` in its own process. */
export const runCompiled = async (
  entry: string,
  args: ReadonlyArray<string>,
  nodeFlags: ReadonlyArray<string> = [],
  limitMillis?: number
): Promise<void> => runNode(["--enable-source-maps", ...nodeFlags, await compiled(entry), ...args], limitMillis)
