/**
 * Checks the download size of each entry against a budget: the entry alone, bundled and minified, without the peers. Prints a
 * table. Fails if an entry exceeds its budget, or needs less than two thirds of it.
 */
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { root } from "./publicModules.js"

/** KiB of gzip for each entry: for browsers, where it runs there, and for Node. */
const budgets: ReadonlyArray<readonly [entry: string, platform: "browser" | "node", kibibytes: number]> = [
  ["src/protocol/Pda.ts", "browser", 9],
  ["src/protocol/Account.ts", "browser", 8],
  ["src/protocol/Instruction.ts", "browser", 15],
  ["services/RpcPool.ts", "browser", 21],
  ["services/index.ts", "browser", 172],
  ["layers/RpcPoolHttpClient.ts", "browser", 41],
  ["layers/RpcPoolUndici.ts", "node", 42],
  ["layers/EmbeddedCluster.ts", "node", 4],
  ["layers/AgentCluster.ts", "node", 92],
  ["index.ts", "node", 228]
]

const sizeOf = async (entry: string, platform: "browser" | "node"): Promise<number> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [path.join(root, entry)],
    bundle: true,
    splitting: true,
    outdir: "out",
    minify: true,
    format: "esm",
    platform,
    target: "es2022",
    external: ["effect/*", "@effect/*", "@solana/*", "@noble/*", "node:*", "undici", "litesvm", "sodium-native"],
    logLevel: "warning",
    metafile: true,
    write: false
  })
  const { outputs } = metafile
  // The entry and its static imports. Modules that are loaded later are not downloaded with it.
  const downloaded = new Set<string>()
  const download = (name: string): void => {
    if (downloaded.has(name)) return
    downloaded.add(name)
    for (const { kind, path: imported } of outputs[name]?.imports ?? [])
      if (kind === "import-statement") download(imported)
  }
  for (const [name, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint !== undefined && path.resolve(entryPoint) === path.join(root, entry)) download(name)
  }
  return outputFiles
    .filter(({ path: file }) => downloaded.has(path.relative(process.cwd(), file)))
    .reduce((sum, { contents }) => sum + gzipSync(contents).length / 1024, 0)
}

let failures = 0
for (const [entry, platform, budget] of budgets) {
  const size = await sizeOf(entry, platform)
  const verdict = size > budget ? "too large" : size < (budget * 2) / 3 ? "lower the budget" : "ok"
  if (verdict !== "ok") failures++
  console.log(`${entry.padEnd(32)} ${platform.padEnd(8)} ${size.toFixed(1).padStart(6)} KiB of ${budget}  ${verdict}`)
}
process.exitCode = failures === 0 ? 0 : 1
