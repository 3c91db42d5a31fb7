/**
 * Installs peers when a benchmark first needs them. Their manifests are under `bench/peers`.
 */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

/** The folder of the peers. */
export const peers = join(process.env["BENCH_ROOT"] ?? process.cwd(), "bench/peers")

const installed = (folder: string): string => {
  const directory = join(peers, folder)
  if (!existsSync(join(directory, "node_modules"))) {
    console.error(`installing ${directory}`)
    const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    execFileSync("npm", ["ci", ...flags], { cwd: directory, stdio: ["ignore", "ignore", "inherit"] })
  }
  return directory
}

/** Loads a package of a peer folder, or a file of a package. */
export const load = async (folder: string, name: string): Promise<unknown> => {
  const directory = installed(folder)
  const path = name.includes("/dist/")
    ? join(directory, "node_modules", name)
    : createRequire(join(directory, "package.json")).resolve(name)
  return import(pathToFileURL(path).href)
}
