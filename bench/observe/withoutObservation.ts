/** A plugin for esbuild that replaces the functions that observe the hot path by those of `unobserved.ts`. */
import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "esbuild"

/** The replaced functions of each module in `services/internal`. */
const REPLACED: Readonly<Record<string, ReadonlyArray<string>>> = {
  measured: ["update"],
  traced: ["annotated", "attribute", "inSpan", "isTraced", "spanned"],
  tracked: ["tracked"]
}

const MODULE = new RegExp(`/services/internal/(${Object.keys(REPLACED).join("|")})\\.ts$`)

const unobserved = fileURLToPath(new URL("unobserved.ts", import.meta.url))

/** An export by name comes before one of `export *`, so that all other functions of the module stay. */
export const withoutObservation: Plugin = {
  name: "without observation",
  setup: ({ onLoad, onResolve }) => {
    onLoad({ filter: MODULE, namespace: "file" }, ({ path }) => ({
      contents: `export { ${REPLACED[MODULE.exec(path)?.[1] ?? ""]?.join(", ")} } from ${JSON.stringify(unobserved)}
export * from ${JSON.stringify(`original:${path}`)}`,
      resolveDir: dirname(path)
    }))
    onResolve({ filter: /^original:/ }, ({ path }) => ({ path: path.slice("original:".length), namespace: "original" }))
    onLoad({ filter: /./, namespace: "original" }, async ({ path }) => ({
      contents: await readFile(path, "utf8"),
      loader: "ts",
      resolveDir: dirname(path)
    }))
  }
}
