/**
 * Bundles a script for child processes. A TypeScript loader costs each process five seconds of CPU, more than most of
 * them need.
 */
import { createHash, randomUUID } from "node:crypto"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { buildSync } from "esbuild"

const ROOT = path.resolve(import.meta.dirname, "../..")

/** At the depth of the rooms, so that files relative to `import.meta.url` are found. */
const FOLDER = path.join(ROOT, "node_modules/.cache")

const bundles = new Map<string, string>()

/** Packages with native code, which stay outside of a bundle. */
const NATIVE = ["litesvm"]

/**
 * Bundles a script, given by an absolute path or one relative to the project's root, and returns the file to run. With
 * `packages`, the bundle includes the packages, and its compiled code is cached: a process then starts with a sixth of
 * the CPU time.
 */
export const bundled = (script: string, { packages = false }: { readonly packages?: boolean } = {}): string => {
  const name = `${path.relative(ROOT, path.resolve(ROOT, script))}${packages ? ".whole" : ""}`.replaceAll(/\W/g, "-")
  const known = bundles.get(name)
  if (known !== undefined) return known
  mkdirSync(FOLDER, { recursive: true })
  const file = path.join(FOLDER, `pod-test-${name}.${packages ? "cjs" : "mjs"}`)
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [path.resolve(ROOT, script)],
    bundle: true,
    platform: "node",
    target: "node20",
    write: false,
    ...(packages ? whole(file) : { format: "esm", packages: "external" })
  })
  const [output] = outputFiles
  write(file, packages ? compiledOnce(output?.text ?? "", name) : (output?.text ?? ""))
  bundles.set(name, file)
  return file
}

/** Bundles to one classic script, because only these can run from a code cache. */
const whole = (file: string) =>
  ({
    format: "cjs",
    external: NATIVE,
    minify: true,
    supported: { "dynamic-import": false },
    define: { "import.meta.url": JSON.stringify(pathToFileURL(file).href) }
  }) as const

/** A script that runs the text, and caches V8's compiled code for the next process. */
const compiledOnce = (text: string, name: string): string => {
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16)
  const source = path.join(FOLDER, `pod-test-${name}.${id}.js`)
  write(source, `(function (exports, require, module) {${text}\n})`)
  return `const { existsSync, readFileSync, renameSync, writeFileSync } = require("node:fs")
const [source, compiled, draft] = ${JSON.stringify([source, `${source}.v8`])}.concat(\`${source}.\${process.pid}\`)
const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined
const script = new (require("node:vm").Script)(readFileSync(source, "utf8"), { filename: source, cachedData })
script.runInThisContext()(exports, require, module)
const keep = () => {
  writeFileSync(draft, script.createCachedData())
  renameSync(draft, compiled)
}
// Later, because most functions are compiled on their first call.
if (cachedData === undefined || script.cachedDataRejected) setTimeout(keep, 10)
`
}

/** Writes a file atomically, because another test process may run the same script now. */
const write = (file: string, text: string): void => {
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, text)
  renameSync(draft, file)
}
