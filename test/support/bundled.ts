/**
 * Bundles a script for child processes. A loader of TypeScript costs each process five seconds of CPU, which is more than
 * most of them need.
 */
import { randomUUID } from "node:crypto"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { buildSync } from "esbuild"

const ROOT = path.resolve(import.meta.dirname, "../..")

/** As deep as the rooms, so that what they read beside `import.meta.url` is found. */
const FOLDER = path.join(ROOT, "node_modules/.cache")

const bundles = new Map<string, string>()

/** Packages with native code, which stay outside of a bundle. */
const NATIVE = ["litesvm"]

/**
 * Bundles the script of this path, absolute or of the project's root, and returns the file to run. With `packages` they are
 * within it: a process then starts in a third of the time.
 */
export const bundled = (script: string, { packages = false }: { readonly packages?: boolean } = {}): string => {
  const name = `${path.relative(ROOT, path.resolve(ROOT, script))}${packages ? ".whole" : ""}`.replaceAll(/\W/g, "-")
  const known = bundles.get(name)
  if (known !== undefined) return known
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [path.resolve(ROOT, script)],
    bundle: true,
    format: "esm",
    ...(packages ? { external: NATIVE } : { packages: "external" }),
    platform: "node",
    target: "node20",
    write: false
  })
  const file = path.join(FOLDER, `pod-test-${name}.mjs`)
  const draft = `${file}.${randomUUID()}`
  mkdirSync(FOLDER, { recursive: true })
  // Another process of the tests may run the same script now.
  writeFileSync(draft, outputFiles[0]?.contents ?? "")
  renameSync(draft, file)
  bundles.set(name, file)
  return file
}
