/**
 * Bundles a script for child processes. A loader of TypeScript costs each process five seconds of CPU, which is more than
 * most of them need.
 */
import { createHash, randomUUID } from "node:crypto"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { buildSync } from "esbuild"

const ROOT = path.resolve(import.meta.dirname, "../..")

/** As deep as the rooms, so that what they read beside `import.meta.url` is found. */
const FOLDER = path.join(ROOT, "node_modules/.cache")

const bundles = new Map<string, string>()

/** Packages with native code, which stay outside of a bundle. */
const NATIVE = ["litesvm"]

/**
 * Bundles the script of this path, absolute or of the project's root, and returns the file to run. With `packages` they are
 * within it, and its compiled code is kept: a process then starts with a sixth of the CPU.
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

/** One classic script, as only these run from compiled code. */
const whole = (file: string) =>
  ({
    format: "cjs",
    external: NATIVE,
    minify: true,
    supported: { "dynamic-import": false },
    define: { "import.meta.url": JSON.stringify(pathToFileURL(file).href) }
  }) as const

/** A script that runs the text, and keeps what V8 compiled of it for the next process. */
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
// Later, as most functions are compiled when they are first called.
if (cachedData === undefined || script.cachedDataRejected) setTimeout(keep, 10)
`
}

/** Writes a file in one step: another process of the tests may run the same script now. */
const write = (file: string, text: string): void => {
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, text)
  renameSync(draft, file)
}
